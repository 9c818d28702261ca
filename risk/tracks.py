"""Drawdown from point to point: each equity point is folded into the account's tracks and judged then and there."""

from datetime import datetime
from decimal import Decimal

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.history import track_begin
from risk.models import AccountState, EquityPoint, HeldPoint
from risk.rules.drawdown import Point, PointError, allowance_used, breached, mark_view, view_lowered
from risk.rules.facts import DrawdownView
from risk.rules.limits import Limits
from risk.rules.messages import number
from risk.rules.track import Track, track_dump, track_hear, track_load, track_settle
from risk.selectors.drawdown import drawdown_views
from risk.stops import breach_stop, worst_update
from risk.written import Written


def point_of(row: EquityPoint | HeldPoint) -> Point:
    """A stored point as the rules take it."""
    return Point(at=row.at, equity=row.equity, cash_flow=row.cash_flow)


def point_fold(
    state: AccountState, limits: Limits | None, row: EquityPoint | HeldPoint, *, actor: Actor, now: datetime
) -> Written:
    """Folds a point, reported or accepted, into the locked account (unsaved) and stops it on a breach.

    Raises `PointError` for a point that cannot be measured.
    """
    point, seq = point_of(row), state.seq
    late = equity_take(state, point, seq=seq, now=now)
    if limits is None:
        return Written()
    before = {view.rule.name: allowance_used(view) for view in _views(state, limits)}
    tracks_hear(state, limits, point, seq=seq)
    views = _views(state, limits)
    if late:
        # What a late point says was true once: below the floor is below the floor, unless that is in doubt.
        views = [view if state.marks[view.rule.name]["doubt"] else view_lowered(view, point.equity) for view in views]
    _near_alert(state, before, views)
    return breach_stop(state, limits, views, actor=actor, seq=seq, now=now)


def equity_take(state: AccountState, point: Point, *, seq: int, now: datetime) -> bool:
    """Makes the point the account's equity (unsaved); returns whether it was too late for that."""
    if state.equity_at is not None and point.at < state.equity_at:
        if point.cash_flow:
            raise PointError("cash_flow", "no cash flow in a point older than the last known equity")
        return True
    state.equity, state.equity_at, state.equity_received_at, state.equity_seq = point.equity, point.at, now, seq
    return False


def tracks_hear(state: AccountState, limits: Limits, point: Point, *, seq: int) -> None:
    """Every rule's track after `point` of the step `seq`, and the worst drawdown (unsaved)."""
    account = state.account
    tracks: dict[str, Track] = {}
    for rule in limits.drawdown:
        stored = state.marks.get(rule.name)
        track = track_load(stored) if stored else track_begin(account, rule, point, seq=seq)
        tracks[rule.name] = track_hear(rule, track, point, account.zone, limits.confirmation)
    _tracks_keep(state, limits, tracks)


def tracks_settle(state: AccountState, limits: Limits, now: datetime) -> None:
    """Believes the breaches that time has confirmed (unsaved)."""
    doubted = {name for name, values in state.marks.items() if values.get("doubt")}
    if not doubted:
        return
    tracks = {}
    for rule in limits.drawdown:
        if rule.name in state.marks:
            track = track_load(state.marks[rule.name])
            tracks[rule.name] = track_settle(rule, track, now, state.account.zone, limits.confirmation)
    _tracks_keep(state, limits, tracks)


def doubts_due(state: AccountState, limits: Limits, now: datetime) -> bool:
    """Whether time has confirmed a breach that was in doubt."""
    stored = [(rule, state.marks.get(rule.name)) for rule in limits.drawdown]
    doubted = [(rule, track_load(values)) for rule, values in stored if values and values.get("doubt")]
    zone = state.account.zone
    return any(track_settle(rule, track, now, zone, limits.confirmation) != track for rule, track in doubted)


def equity_judge(state: AccountState, limits: Limits, *, actor: Actor, seq: int, now: datetime) -> Written:
    """Judges the account as it stands (after new limits, or by the periodic check), unsaved."""
    tracks_settle(state, limits, now)
    return breach_stop(state, limits, drawdown_views(state, limits, now), actor=actor, seq=seq, now=now)


def _tracks_keep(state: AccountState, limits: Limits, tracks: dict[str, Track]) -> None:
    state.marks = {name: track_dump(track) for name, track in tracks.items()}
    worst_update(state, _views(state, limits), [track.mark for track in tracks.values()])


def _views(state: AccountState, limits: Limits) -> list[DrawdownView]:
    """Every rule as measured at the last point that counts, no reset applied since."""
    stored = ((rule, state.marks.get(rule.name)) for rule in limits.drawdown)
    return [mark_view(rule, track_load(values).mark) for rule, values in stored if values]


def _near_alert(state: AccountState, before: dict[str, Decimal], views: list[DrawdownView]) -> None:
    """Says once that a rule's allowance is used up to the share that is worth an alert, as that share is passed."""
    for view in views:
        share, used = view.rule.alert_at, allowance_used(view)
        if share is None or breached(view) or not before.get(view.rule.name, Decimal(0)) < share <= used:
            continue
        alert_raise(
            "drawdown_near", priority=3, account=state.account.code, dedup_key=f"{view.rule.name} {state.seq}",
            params={
                "rule": view.rule.name, "used": number(round(used, 4)), "equity": number(view.equity),
                "floor": number(view.floor),
            },
        )  # fmt: skip
