"""Sentences of this app's alerts; registered in `apps.py`, shown in the reader's language."""

from django.utils.translation import gettext_noop

TEXTS: dict[str, str] = {
    "engine_unavailable": gettext_noop(
        "%(account)s: a decision could not be judged and recorded in time, the answer was block (%(error)s)"
    ),
    "decision_not_logged": gettext_noop("%(account)s: decision %(trade_id)s could not be logged: %(error)s"),
    "export_failed": gettext_noop("The daily export could not be written and is tried again: %(error)s"),
}
