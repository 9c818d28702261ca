"""What the register says of an algorithm: the entry that counts, and whether it may trade."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Prefetch

from risk.models import Account, Admission, AlgorithmEntry, AlgorithmRuling
from risk.models.algorithm_register import RegisterAction
from risk.rules.types import Effect, EntryStatus, RegisteredView
from risk.selectors.pace import hour_figures

STATUS = {
    RegisterAction.APPROVED.value: EntryStatus.APPROVED,
    RegisterAction.REJECTED.value: EntryStatus.REJECTED,
    RegisterAction.WITHDRAWN.value: EntryStatus.WITHDRAWN,
}


def entry_view(account: Account, key: str, now: datetime) -> RegisteredView | None:
    """The algorithm's entry with what it opened on the account within the hour; None where it was never registered."""
    entry = entry_in_force(key)
    if entry is None:
        return None
    view = entry_told(entry)
    if view.max_openings_per_hour is None:
        return view
    opened = hour_figures(Admission.objects.filter(account=account, effect=Effect.OPENS.value, algorithm=key), now)
    return replace(view, openings_last_hour=opened["count"], oldest_at=opened["oldest"])


def entry_in_force(key: str, *, at: datetime | None = None) -> AlgorithmEntry | None:
    """The newest entry that was ever approved, withdrawn since or not; without one the newest. `at`: as it stood then,
    its rulings too."""
    known, said = AlgorithmEntry.objects.filter(key=key), AlgorithmRuling.objects.all()
    if at is not None:
        known, said = known.filter(recorded_at__lte=at), said.filter(recorded_at__lte=at)
    entries = list(known.prefetch_related(Prefetch("rulings", said)).order_by("-version"))
    return next(filter(_was_approved, entries), entries[0] if entries else None)


def _was_approved(entry: AlgorithmEntry) -> bool:
    return any(ruling.action == RegisterAction.APPROVED for ruling in entry.rulings.all())


def entry_told(entry: AlgorithmEntry) -> RegisteredView:
    """The entry and what was last said to it."""
    last = ruling_last(entry.rulings.all())
    return RegisteredView(
        version=entry.version,
        status=EntryStatus.PROPOSED if last is None else STATUS[last.action],
        since=entry.recorded_at if last is None else last.recorded_at,
        reason=entry.reason if last is None else last.reason,
        max_quantity=entry.max_quantity,
        max_openings_per_hour=entry.max_openings_per_hour,
    )


def ruling_last(rulings: Iterable[AlgorithmRuling]) -> AlgorithmRuling | None:
    """What was last said to an entry; None where it waits for a second person. Nothing follows a withdrawal."""
    return max(rulings, key=lambda ruling: ruling.action == RegisterAction.WITHDRAWN, default=None)


def algorithms_in_force() -> list[str]:
    """Names of the algorithms that may trade where the register is asked, in order."""
    known: dict[str, EntryStatus] = {}
    for entry in AlgorithmEntry.objects.prefetch_related("rulings").order_by("version"):
        if _was_approved(entry):
            known[entry.key] = entry_told(entry).status
    return sorted(key for key, status in known.items() if status is EntryStatus.APPROVED)
