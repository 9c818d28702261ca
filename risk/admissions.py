"""Admissions: what the gate let through, as pace, exposure and pending exits are measured on it."""

from dataclasses import fields
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from risk.models import AccountState, Admission
from risk.rules.ask import Effect
from risk.rules.limits import ExposureLimits
from risk.rules.order_life import OrderLife, OrderTold, order_end, order_start, order_tell
from risk.rules.scopes import algorithm_key

RESERVED = timedelta(minutes=ExposureLimits().reservation_minutes)
LIFE = tuple(field.name for field in fields(OrderLife))
MOVING = tuple(name for name in LIFE if name not in {"at", "quantity"})


def admission_apply(
    state: AccountState,
    *,
    id: UUID,
    effect: Effect,
    instrument: str,
    side: str,
    quantity: Decimal | None,
    algorithm: str,
    seq: int,
    now: datetime,
    lasts: timedelta = RESERVED,
) -> Admission | None:
    """The projection row (unsaved) of an allowed decision; None for one that moves nothing. `algorithm`: as bots name
    it; `lasts`: how long an order of it can live."""
    if effect is Effect.NEUTRAL:
        return None
    life = life_start(effect=effect, at=now, quantity=quantity, lasts=lasts)
    return Admission(
        id=id, account_id=state.account_id, seq=seq, effect=effect.value, instrument=instrument, side=side,
        algorithm=algorithm_key(algorithm), **{name: getattr(life, name) for name in LIFE},
    )  # fmt: skip


def life_start(*, effect: Effect, at: datetime, quantity: Decimal | None, lasts: timedelta) -> OrderLife:
    """An exit reserves nothing: the next position report answers for it."""
    return order_start(at=at, quantity=quantity, lasts=lasts if effect is Effect.OPENS else None)


def order_apply(state: AccountState, *, decision_id: UUID, told: OrderTold) -> None:
    """Projects what was told of an order. Of a decision that was not let through nothing is projected: what it filled
    anyway is in the next position report."""
    row = Admission.objects.filter(id=decision_id).first()
    if row is not None:
        _save(row, order_tell(_life(row), told, state.positions_at))


def trade_end(*, decision_id: UUID, at: datetime) -> None:
    """Projects that the trade which the decision opened was closed at `at`: nothing of it is under way."""
    row = Admission.objects.filter(id=decision_id, effect=Effect.OPENS.value).first()
    if row is not None:
        _save(row, order_end(_life(row), at))


def _life(row: Admission) -> OrderLife:
    return OrderLife(**{name: getattr(row, name) for name in LIFE})


def _save(row: Admission, life: OrderLife) -> None:
    for name in MOVING:
        setattr(row, name, getattr(life, name))
    row.save(update_fields=MOVING)
