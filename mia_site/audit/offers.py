"""What the record offers to the site: health, gauges, keys at the start, sentences of its alerts."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from mia_site.audit.alert_texts import TEXTS
from mia_site.audit.key_facts import bootstrap_keys, verifier_keys
from mia_site.audit.ledger import gaps, head
from mia_site.audit.models import PendingEntry
from mia_site.audit.publishing import published_newest, rank
from mia_site.audit.receipts import PROMISE
from mia_site.ops.alert_texts import alert_texts_register
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7_time
from mia_site.ops.registry import bootstrap_register, gauge_register, health_register


def offers_register() -> None:
    """Called once the apps are ready."""
    alert_texts_register(TEXTS)
    bootstrap_register(25, "keys", bootstrap_keys)
    health_register("ledger", check_ledger)
    gauge_register("mia_ledger_size", "Leaves that are sealed", ledger_size)
    gauge_register("mia_ledger_unsealed", "Entries that wait for the ledger", unsealed_count)
    gauge_register("mia_ledger_unsealed_seconds", "Age of the oldest entry that waits", unsealed_age)


def unsealed_seconds() -> float:
    """How long the oldest entry has been waiting; 0 where none waits."""
    oldest = PendingEntry.objects.order_by("entry_id").values_list("entry_id", flat=True).first()
    return 0.0 if oldest is None else max(0.0, (database_now() - uuid7_time(oldest)).total_seconds())


def check_ledger() -> str:
    """Entries get their place in time, and nothing newer was published than this database knows."""
    problem = published_ahead()
    if problem:
        return problem
    age = unsealed_seconds()
    if age <= PROMISE.total_seconds() / 2:
        return ""
    return _("entries have been waiting for the ledger for %(seconds)d s") % {"seconds": age}


def published_ahead() -> str:
    """What is wrong if the checkpoint outside is newer than this database; empty if nothing is."""
    published = published_newest(verifier_keys())
    newest, declared = head(), gaps()
    here = (len(declared), newest.size if newest else 0)
    if published is None or rank(published[0]) <= here:
        return ""
    sizes = {"outside": published[0].size, "here": here[1]}
    return _("checkpoint %(outside)d was published, and this database knows of %(here)d leaves") % sizes


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
