"""What losing trades have left behind, as the gate judges it."""

from datetime import datetime
from decimal import Decimal

from risk.models import AccountState
from risk.rules.facts import LossView, PenaltyView


def loss_view(state: AccountState) -> LossView:
    """Losses in a row, the last stop by a limit, and the newest penalty of each kind (expired ones too)."""
    penalties = tuple(
        PenaltyView(
            kind=kind,
            value=Decimal(told["value"]),
            since=datetime.fromisoformat(told["since"]),
            until=None if told["until"] is None else datetime.fromisoformat(told["until"]),
            reason=told["reason"],
        )
        for kind, told in sorted(state.penalties.items())
    )
    return LossView(
        consecutive=state.losses, last_loss_at=state.last_loss_at, stopped_at=state.stopped_at, penalties=penalties
    )
