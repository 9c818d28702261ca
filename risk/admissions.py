"""Admissions: what the gate let through, as pace and pending exits are measured on it."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from risk.models import AccountState, Admission
from risk.rules.scopes import algorithm_key
from risk.rules.types import Effect


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
) -> Admission | None:
    """The projection row (unsaved) of an allowed decision; None for one that moves nothing. `algorithm`: as bots name
    it."""
    if effect is Effect.NEUTRAL:
        return None
    return Admission(
        id=id, account_id=state.account_id, seq=seq, at=now, effect=effect.value, instrument=instrument, side=side,
        quantity=quantity, algorithm=algorithm_key(algorithm),
    )  # fmt: skip
