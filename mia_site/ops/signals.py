"""In-transaction signals: other apps subscribe, so that ops need not know them.

Handlers run inside the transaction that made the change; an exception in a handler undoes the change.
"""

from django.dispatch import Signal

alert_acknowledged = Signal()
"""Arguments: `alert` (ops.models.Alert, acknowledged_at and acknowledged_by set), `by` (str)."""
