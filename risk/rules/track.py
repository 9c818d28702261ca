"""One drawdown rule followed from point to point: its mark, and a breach that is in doubt.

A single bad tick must not stop an account, nor be remembered as its worst day. Where the limits ask for
confirmation, a point below the floor is only noted: the mark stays as it was until the breach is confirmed
(then the lowest and the last of the noted points count) or a point above the floor refutes it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from risk.rules.drawdown import Mark, Point, floor, mark_advance, mark_start
from risk.rules.facts import DoubtView
from risk.rules.limits import ConfirmationLimits, DrawdownLimit, Limits
from risk.rules.mark_codec import mark_dump, mark_load
from risk.rules.messages import number


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Points in a row below the floor that are not believed yet: how many, the first, the lowest and the last."""

    points: int
    since: datetime
    lowest: Point
    last: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """What is remembered for one rule."""

    mark: Mark
    doubt: Doubt | None = None


def track_start(rule: DrawdownLimit, initial: Decimal, now: datetime, known: Decimal | None = None) -> Track:
    """Start following `rule`: the initial balance (> 0) is its first reference, `known` as in `mark_start`."""
    return Track(mark=mark_start(rule, initial, now, known))


def track_hear(
    rule: DrawdownLimit, track: Track, point: Point, zone: ZoneInfo, confirmation: ConfirmationLimits
) -> Track:
    """Return the track after `point`. Raises PointError as `mark_advance` does.

    A point with a cash flow is believed as it is. A point older than the last one can add to a doubt, and
    cannot refute one.
    """
    advanced = mark_advance(rule, track.mark, point, zone)
    doubt = track.doubt
    if not confirmation.wanted or point.cash_flow:
        return Track(mark=advanced)
    if point.equity >= floor(rule, advanced.reference, advanced.initial):
        late = point.at < (track.mark.last_at if doubt is None else doubt.last.at)
        return Track(mark=advanced, doubt=doubt if late else None)
    grown = _grown(doubt, point)
    if _confirmed(grown, point.at, confirmation):
        return _believed(rule, track.mark, grown, zone)
    return Track(mark=track.mark, doubt=grown)


def track_settle(
    rule: DrawdownLimit, track: Track, now: datetime, zone: ZoneInfo, confirmation: ConfirmationLimits
) -> Track:
    """Return the track as it stands at `now`: time alone may confirm a breach that nothing refuted."""
    if track.doubt is None or (confirmation.wanted and not _confirmed(track.doubt, now, confirmation)):
        return track
    return _believed(rule, track.mark, track.doubt, zone)


def measured_by(rule: DrawdownLimit) -> tuple[object, ...]:
    """Return what a rule's track depends on; while this stays, its track does."""
    return rule.mode, rule.reset_at, rule.allowance.of


def rules_fresh(known: Collection[str], old: Limits | None, new: Limits) -> set[str]:
    """Return the drawdown rules of `new` without a track among the `known`, or that measure something else than under
    `old`."""
    before = {rule.name: measured_by(rule) for rule in old.drawdown} if old else {}
    return {rule.name for rule in new.drawdown if rule.name not in known or before.get(rule.name) != measured_by(rule)}


def doubt_view(rule: DrawdownLimit, track: Track) -> DoubtView | None:
    """Return the breach in doubt, ready for the gate; None where there is none."""
    if track.doubt is None:
        return None
    return DoubtView(
        rule=rule.name,
        equity=track.doubt.last.equity,
        floor=floor(rule, track.mark.reference, track.mark.initial),
        since=track.doubt.since,
        points=track.doubt.points,
    )


def track_dump(track: Track) -> dict[str, Any]:
    """Return the track as JSON values; equal tracks give equal values."""
    return {**mark_dump(track.mark), "doubt": None if track.doubt is None else _doubt_dump(track.doubt)}


def track_load(values: Mapping[str, Any]) -> Track:
    """Read what `track_dump` wrote. Raises KeyError or ValueError where it was not written by it."""
    told = values.get("doubt")
    return Track(mark=mark_load(values), doubt=None if told is None else _doubt_load(told))


def _grown(doubt: Doubt | None, point: Point) -> Doubt:
    if doubt is None:
        return Doubt(points=1, since=point.at, lowest=point, last=point)
    return replace(
        doubt,
        points=doubt.points + 1,
        since=min(doubt.since, point.at),
        lowest=min(doubt.lowest, point, key=lambda known: known.equity),
        last=max(doubt.last, point, key=lambda known: known.at),
    )


def _confirmed(doubt: Doubt, now: datetime, confirmation: ConfirmationLimits) -> bool:
    if confirmation.points is not None and doubt.points >= confirmation.points:
        return True
    return confirmation.seconds is not None and now - doubt.since >= timedelta(seconds=confirmation.seconds)


def _believed(rule: DrawdownLimit, mark: Mark, doubt: Doubt, zone: ZoneInfo) -> Track:
    points = [doubt.lowest] if doubt.lowest == doubt.last else [doubt.lowest, doubt.last]
    for point in sorted(points, key=lambda known: known.at):
        mark = mark_advance(rule, mark, point, zone)
    return Track(mark=mark)


def _doubt_dump(doubt: Doubt) -> dict[str, Any]:
    return {
        "points": doubt.points,
        "since": doubt.since.isoformat(),
        "lowest": [doubt.lowest.at.isoformat(), number(doubt.lowest.equity)],
        "last": [doubt.last.at.isoformat(), number(doubt.last.equity)],
    }


def _doubt_load(values: Mapping[str, Any]) -> Doubt:
    def point(told: list[str]) -> Point:
        return Point(at=datetime.fromisoformat(told[0]), equity=Decimal(told[1]))

    return Doubt(
        points=values["points"],
        since=datetime.fromisoformat(values["since"]),
        lowest=point(values["lowest"]),
        last=point(values["last"]),
    )
