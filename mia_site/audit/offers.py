"""What the record offers to the site: health, gauges, keys at the start, sentences of its alerts."""

from collections.abc import Mapping

from mia_site.audit.alert_texts import TEXTS
from mia_site.audit.key_facts import bootstrap_keys
from mia_site.audit.ledger import head
from mia_site.audit.ledger_health import ledger_problem, unsealed_seconds
from mia_site.audit.models import PendingEntry
from mia_site.ops.alert_texts import alert_texts_register
from mia_site.ops.registry import bootstrap_register, gauge_register, health_register


def offers_register() -> None:
    """Called once the apps are ready."""
    alert_texts_register(TEXTS)
    bootstrap_register(25, "keys", bootstrap_keys)
    health_register("ledger", ledger_problem)
    gauge_register("mia_ledger_size", "Leaves that are sealed", ledger_size)
    gauge_register("mia_ledger_unsealed", "Entries that wait for the ledger", unsealed_count)
    gauge_register("mia_ledger_unsealed_seconds", "Age of the oldest entry that waits", unsealed_age)


def ledger_size() -> Mapping[tuple[str, ...], float]:
    """For `/metrics`."""
    newest = head()
    return {(): float(newest.size if newest else 0)}


def unsealed_count() -> Mapping[tuple[str, ...], float]:
    """For `/metrics`."""
    return {(): float(PendingEntry.objects.count())}


def unsealed_age() -> Mapping[tuple[str, ...], float]:
    """For `/metrics`."""
    return {(): unsealed_seconds()}
