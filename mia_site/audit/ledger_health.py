"""How the ledger stands: what is sealed and what waits, what was published, what the last verifications found."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mia_site.audit.checkpoint import Gap
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.keys import RECEIPTS
from mia_site.audit.ledger import gaps, head
from mia_site.audit.models import Checkpoint, ClockState, PendingEntry, Verification
from mia_site.audit.publishing import published_newest, rank
from mia_site.audit.receipts import PROMISE
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7_time


@dataclass(frozen=True, slots=True)
class LedgerHealth:
    """Everything that the ledger's page shows. `waiting_seconds`: age of the oldest entry that has no place yet."""

    now: datetime
    newest: Checkpoint | None
    waiting: int
    waiting_seconds: float
    published_size: int | None
    published_at: datetime | None
    quick: Verification | None
    deep: Verification | None
    under_way: Verification | None
    checkpoint_keys: list[str]
    receipt_keys: list[str]
    clocks: ClockState | None
    gaps: tuple[Gap, ...]
    problem: str


def ledger_health() -> LedgerHealth:
    """The state of the ledger now; a few rows are read, whatever its size."""
    published = published_newest(verifier_keys())
    return LedgerHealth(
        now=database_now(),
        newest=head(),
        waiting=PendingEntry.objects.count(),
        waiting_seconds=unsealed_seconds(),
        published_size=published[0].size if published else None,
        published_at=published[0].at if published else None,
        quick=_last_verification(deep=False),
        deep=_last_verification(deep=True),
        under_way=Verification.objects.filter(finished_at=None).order_by("-id").first(),
        checkpoint_keys=verifier_keys(),
        receipt_keys=verifier_keys(RECEIPTS),
        clocks=ClockState.objects.filter(id=1).first(),
        gaps=gaps(),
        problem=ledger_problem(),
    )


def _last_verification(*, deep: bool) -> Verification | None:
    return Verification.objects.filter(deep=deep, finished_at__isnull=False).order_by("-finished_at").first()


def ledger_problem() -> str:
    """The worst that is wrong with the ledger, as a sentence; empty if nothing is."""
    return published_ahead() or found_broken() or sealing_late()


def unsealed_seconds() -> float:
    """How long the oldest entry has been waiting; 0 where none waits."""
    oldest = PendingEntry.objects.order_by("entry_id").values_list("entry_id", flat=True).first()
    return 0.0 if oldest is None else max(0.0, (database_now() - uuid7_time(oldest)).total_seconds())


def sealing_late() -> str:
    """What is wrong if entries have been waiting for half of the time that receipts promise."""
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


def found_broken() -> str:
    """What is wrong if the last verification found something; a deep one stands until the next deep one."""
    deep, quick = _last_verification(deep=True), _last_verification(deep=False)
    if quick is not None and deep is not None and quick.started_at < deep.started_at:
        quick = None
    for run in (deep, quick):
        if run is not None and run.count:
            told = ngettext(
                "the last verification found %(count)d fault", "the last verification found %(count)d faults", run.count
            )
            return told % {"count": run.count}
    return ""
