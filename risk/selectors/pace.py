"""What the gate let through lately: pace of openings, exits under way."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Min, QuerySet, Sum

from risk.models import AccountState, Admission
from risk.rules.ask import Effect, Side
from risk.rules.facts import OpeningView, PaceView, PositionView
from risk.rules.pace import HOUR

ZERO = Decimal(0)


def pace_view(state: AccountState, now: datetime) -> PaceView:
    """Openings allowed in the hour before `now`, and when the last one was."""
    openings = Admission.objects.filter(account_id=state.account_id, effect=Effect.OPENS.value)
    hour = hour_figures(openings, now)
    last = hour["last"] or openings.order_by("-at").values_list("at", flat=True).first()
    return PaceView(openings_last_hour=hour["count"], oldest_at=hour["oldest"], last_opening_at=last)


def hour_figures(openings: QuerySet[Admission], now: datetime) -> dict[str, Any]:
    """How many of the openings (`count`) fell in the hour before `now`, and the moments of the `oldest` and `last`."""
    return openings.filter(at__gt=now - HOUR).aggregate(count=Count("id"), oldest=Min("at"), last=Max("at"))


def opening_views(state: AccountState, since: datetime) -> tuple[OpeningView, ...]:
    """Openings let through after `since`; a batch of one moment is among them."""
    rows = Admission.objects.filter(account_id=state.account_id, effect=Effect.OPENS.value, at__gt=since)
    columns = rows.order_by("seq").values_list("id", "at", "instrument", "side", "quantity")
    return tuple(
        OpeningView(id=str(key), at=at, instrument=instrument, side=Side(side) if side else None, quantity=quantity)
        for key, at, instrument, side, quantity in columns
    )


def position_view(state: AccountState, instrument: str) -> PositionView | None:
    """The position last reported, less what exits allowed since then may still close; None if none was reported.

    An instrument that the last report does not name is flat. An exit whose end was told closes what it filled, no more.
    """
    if state.positions_at is None:
        return None
    quantity = Decimal(state.positions.get(instrument, "0"))
    return PositionView(
        quantity=quantity,
        at=state.positions_at,
        pending_reductions=_pending(state, state.positions_at, instrument) if quantity else ZERO,
    )


def _pending(state: AccountState, positions_at: datetime, instrument: str) -> Decimal:
    """What exits let through since the last position report may still close, and what they closed that it does not
    show. One of the report's own `seq` came with it in one body, and was let through after it.

    Two questions, each along an index of its own: an account with a million exits is asked as fast as a new one.
    """
    exits = Admission.objects.filter(account_id=state.account_id, effect=Effect.REDUCES.value)
    since = exits.filter(instrument=instrument, seq__gte=state.positions_seq)
    told = exits.filter(until__gt=positions_at).values_list("instrument", "filled", "settled", "filled_at")
    unshown = (
        filled - settled
        for name, filled, settled, filled_at in told
        if name == instrument and filled_at is not None and filled_at > positions_at
    )
    return sum(unshown, since.aggregate(total=Sum("working"))["total"] or ZERO)
