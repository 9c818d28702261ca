"""What the register says of an algorithm: the entry that counts, and whether it may trade."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from risk.models import Account, Admission, AlgorithmEntry, AlgorithmRuling
from risk.models.algorithm_register import RegisterAction
from risk.rules.ask import Effect
from risk.rules.facts import EntryStatus, RegisteredView
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


def entry_in_force(key: str) -> AlgorithmEntry | None:
    """The newest entry that was ever approved, withdrawn since or not; without one the newest."""
    return _in_force(list(AlgorithmEntry.objects.filter(key=key).prefetch_related("rulings").order_by("-version")))


def entries_known() -> dict[str, list[AlgorithmEntry]]:
    """Every entry of the register with its rulings, by algorithm, the newest first."""
    known: dict[str, list[AlgorithmEntry]] = {}
    for entry in AlgorithmEntry.objects.prefetch_related("rulings").order_by("-version"):
        known.setdefault(entry.key, []).append(entry)
    return known


def entry_then(entries: Iterable[AlgorithmEntry], at: datetime) -> RegisteredView | None:
    """What the register said at a time of an algorithm with these entries (the newest first)."""
    entry = _in_force([entry for entry in entries if entry.recorded_at <= at], at)
    return None if entry is None else entry_told(entry, at)


def _in_force(entries: Sequence[AlgorithmEntry], at: datetime | None = None) -> AlgorithmEntry | None:
    approved = (entry for entry in entries if _was_approved(entry, at))
    return next(approved, entries[0] if entries else None)


def _was_approved(entry: AlgorithmEntry, at: datetime | None = None) -> bool:
    return any(ruling.action == RegisterAction.APPROVED for ruling in _said(entry, at))


def _said(entry: AlgorithmEntry, at: datetime | None) -> list[AlgorithmRuling]:
    """The entry's rulings, up to a time."""
    return [ruling for ruling in entry.rulings.all() if at is None or ruling.recorded_at <= at]


def entry_told(entry: AlgorithmEntry, at: datetime | None = None) -> RegisteredView:
    """The entry and what was last said to it, up to a time."""
    last = ruling_last(_said(entry, at))
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
