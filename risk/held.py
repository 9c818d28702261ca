"""Implausible equity: held instead of believed, visible, and ruled on by the staff. A rejected point never counts."""

from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.desk_equity import desk_equity_fold
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock_for_equity, seq_take
from risk.models import AccountState, EquityPoint, HeldPoint, HeldRuling
from risk.rules.drawdown import PointError
from risk.rules.limits import PlausibilityLimits
from risk.rules.messages import number
from risk.rules.plausibility import implausible_move
from risk.selectors.limits import limits_of
from risk.tracks import point_fold, point_of
from risk.written import Written


def held_build(state: AccountState, row: EquityPoint, limits: PlausibilityLimits, *, now: datetime) -> HeldPoint | None:
    """The fact (unsaved) that holds an implausible point; None where it is believed. The account is left unsaved."""
    move = implausible_move(state.equity, point_of(row), limits)
    if move is None or state.equity is None or limits.max_move is None:
        return None
    if not state.held:
        state.held_since = now
    state.held += 1
    held = HeldPoint(
        account=state.account, seq=row.seq, point_id=row.id, ordinal=row.ordinal, at=row.at, equity=row.equity,
        cash_flow=row.cash_flow, previous=state.equity, move=move, limit=limits.max_move, recorded_at=now,
    )  # fmt: skip
    alert_raise(
        "equity_held", priority=4, account=state.account.code, dedup_key=str(state.held_since),
        params={"equity": number(row.equity), "previous": number(state.equity)},
    )  # fmt: skip
    return held


def held_open(account_id: int) -> QuerySet[HeldPoint]:
    """The points of an account that wait for a ruling, in the order in which they were reported."""
    return HeldPoint.objects.filter(account_id=account_id, ruling__isnull=True).order_by("seq", "ordinal")


def held_rule(*, account: str, accept: bool, reason: str, actor: Actor) -> list[HeldRuling]:
    """Rules on all points of the account that are held: accepted ones are folded in and judged now, as reported;
    rejected ones never count. Raises `InputError` where none is held, for an empty reason, and for a point that
    cannot be measured; `AccountUnknown`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk = desk_lock_for_equity()
        state = account_lock(account)
        before = state.equity
        points = list(held_open(state.account_id).select_related("account"))
        if not points:
            raise InputError("account", account, "an account with equity points that are held")
        seq, now = seq_take(state)
        rulings = [
            HeldRuling(
                account=state.account, seq=seq, held=point, accepted=accept, reason=reason, actor=str(actor),
                recorded_at=now,
            )
            for point in points
        ]  # fmt: skip
        state.held, state.held_since = 0, None
        written = Written(facts=list(rulings))
        if accept:
            for point in points:
                written.add(_accepted(state, point, actor=actor, now=now))
            flow = sum((point.cash_flow for point in points), Decimal(0))
            written.add(desk_equity_fold(desk, state, before=before, flow=flow, actor=actor, now=now))
        state.save()
        written.record(actor=actor, account=account, why=reason)
    return rulings


def _accepted(state: AccountState, point: HeldPoint, *, actor: Actor, now: datetime) -> Written:
    try:
        return point_fold(state, limits_of(state), point, actor=actor, now=now)
    except PointError as error:
        raise InputError(f"equity.{error.field}", number(point.equity), str(error)) from error
