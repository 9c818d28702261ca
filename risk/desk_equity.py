"""The desk's equity: the sum over the accounts, folded and judged under the desk's own lock as each of them reports."""

from datetime import datetime
from decimal import Decimal
from functools import partial

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from risk.locking import desk_lock
from risk.models import AccountState, Desk, DeskPoint
from risk.models.state import Cause
from risk.rules.desk_limits import DeskLimits
from risk.rules.drawdown import Point, PointError, breached
from risk.rules.facts import DrawdownView
from risk.rules.limits import SessionHours
from risk.rules.messages import number
from risk.rules.resume import resumes_at
from risk.rules.sentences import DESK_BREACH
from risk.rules.track import Track, track_dump, track_hear, track_settle, track_start
from risk.selectors.desk import desk_limits_of, desk_limits_readable, desk_tracks, desk_views, equity_sum
from risk.selectors.drawdown import deepest
from risk.selectors.sessions import session_next
from risk.stops import breach_target, view_evidence
from risk.trading_states import DESK_FIELDS, state_enter
from risk.written import Written

EQUITY_FIELDS = ["seq", "marks", "equity", "drawdown", *DESK_FIELDS]


def desk_equity_fold(
    desk: Desk, state: AccountState, *, before: Decimal | None, flow: Decimal, actor: Actor, now: datetime
) -> Written:
    """Folds the locked account's new equity (`before`: the old one) into the desk, and stops the desk on a breach.

    Nothing happens without rules that can be read, without the desk's exclusive lock, for another currency, or without
    new equity. A sum that cannot be measured alerts, and leaves the account's own report alone. Saves the desk's row.
    """
    limits = desk_limits_readable(desk)
    if limits is None or not desk.alone or state.equity is None or state.account.currency != limits.currency:
        return Written()
    if before is not None and state.equity == before and not flow:
        return Written()
    total = equity_sum(limits.currency, without=state.account_id) + state.equity
    came = state.equity if before is None else flow
    return _fold(desk, limits, total, came, state, actor=actor, now=now)


def _fold(
    desk: Desk, limits: DeskLimits, total: Decimal, flow: Decimal, state: AccountState | None, *, actor: Actor,
    now: datetime,
) -> Written:  # fmt: skip
    point = DeskPoint(
        seq=desk.seq + 1, equity=total, cash_flow=flow if desk.marks else 0, recorded_at=now,
        account=None if state is None else state.account,
    )  # fmt: skip
    try:
        desk_hear(desk, limits, point)
    except PointError as error:
        alert_raise(
            "desk_equity_unmeasured", priority=4, params={"equity": number(total), "error": str(error)},
            dedup_key=str(error),
        )  # fmt: skip
        return Written()
    written = Written(facts=[point])
    written.add(_judge(desk, limits, desk_views(desk, limits, now), actor=actor, now=now))
    desk.save(update_fields=EQUITY_FIELDS)
    return written


def desk_hear(desk: Desk, limits: DeskLimits, point: DeskPoint) -> None:
    """The desk (unsaved) after a point. Raises `PointError`, and then nothing has changed."""
    heard = Point(at=point.recorded_at, equity=Decimal(point.equity), cash_flow=Decimal(point.cash_flow))
    known, tracks = desk_tracks(desk), {}
    for rule in limits.limits.drawdown:
        track = known.get(rule.name) or track_start(rule, heard.equity, heard.at)
        tracks[rule.name] = track_hear(rule, track, heard, limits.zone, limits.limits.confirmation)
    desk.seq, desk.equity = point.seq, point.equity
    _keep(desk, limits, tracks, point.recorded_at)


def desk_settle(desk: Desk, limits: DeskLimits, now: datetime) -> None:
    """Believes the breaches of the desk (unsaved) that time has confirmed."""
    tracks = desk_tracks(desk)
    settled = {
        rule.name: track_settle(rule, tracks[rule.name], now, limits.zone, limits.limits.confirmation)
        for rule in limits.limits.drawdown
        if rule.name in tracks
    }
    if settled != tracks:
        _keep(desk, limits, settled, now)


def _keep(desk: Desk, limits: DeskLimits, tracks: dict[str, Track], now: datetime) -> None:
    desk.marks = {name: track_dump(track) for name, track in tracks.items()}
    desk.drawdown = deepest(desk_views(desk, limits, now))


def desk_start(desk: Desk, limits: DeskLimits, *, actor: Actor, now: datetime) -> Written:
    """Judges the locked desk by new rules: what they measure begins with the sum as it stands. Saves the row."""
    total = equity_sum(limits.currency)
    if total > 0:
        return _fold(desk, limits, total, Decimal(0), None, actor=actor, now=now)
    desk.save(update_fields=EQUITY_FIELDS)
    return Written()


def desk_drawdown_check(*, actor: Actor) -> bool:
    """The safety net: judges the desk as it stands, if it needs that. Returns whether it was stopped."""
    desk = Desk.objects.select_related("limits").filter(id=1, limits__isnull=False).first()
    if desk is None or not _due(desk, database_now()):
        return False
    with transaction.atomic():
        desk, now = desk_lock(exclusive=True), database_now()
        limits = desk_limits_of(desk)
        assert limits is not None
        desk_settle(desk, limits, now)
        written = _judge(desk, limits, desk_views(desk, limits, now), actor=actor, now=now)
        if written.facts:
            desk.save(update_fields=EQUITY_FIELDS)
            facts_record(written.facts, actor=actor)
    return bool(written.facts)


def _due(desk: Desk, now: datetime) -> bool:
    limits = desk_limits_of(desk)
    if limits is None:
        return False
    desk_settle(desk, limits, now)
    return breach_target(desk, limits.limits, desk_views(desk, limits, now), on_record=True) is not None


def _judge(desk: Desk, limits: DeskLimits, views: tuple[DrawdownView, ...], *, actor: Actor, now: datetime) -> Written:
    target = breach_target(desk, limits.limits, views, on_record=True)
    if target is None:
        return Written()
    broken = [view for view in views if breached(view)]
    evidence = view_evidence(max(broken, key=lambda view: view.drawdown))
    reason = DESK_BREACH % evidence
    change = state_enter(
        desk, target, cause=Cause.DRAWDOWN, reason=reason, actor=actor, now=now, evidence=evidence,
        until=resumes_at(broken, now, partial(session_next, SessionHours.GLOBEX)),
    )  # fmt: skip
    alert_raise(
        "desk_stopped", priority=4, dedup_key=str(change.id),
        params={"state": change.to_state, "reason": reason, "actor": str(actor)},
    )  # fmt: skip
    return Written(facts=[change])
