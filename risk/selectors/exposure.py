"""What is held and under way, and the last known prices: the facts that exposure is judged on."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import F, Q, QuerySet

from risk.models import AccountState, Admission
from risk.rules.ask import Effect, Side
from risk.rules.exposure_types import Holding, OpposingView, PriceView
from risk.rules.holdings import OrderView, holdings_of, order_view
from risk.rules.order_life import OrderLife
from risk.rules.reference import price_views

COLUMNS = ("instrument", "effect", "side", "at", "quantity", "working", "filled", "settled", "filled_at", "until")


def orders_under_way(state: AccountState) -> tuple[OrderView, ...]:
    """The account's orders that its last position report does not answer for whole."""
    effects = [Effect.OPENS.value, Effect.REDUCES.value]  # both: the index begins with account and effect
    rows = Admission.objects.filter(account_id=state.account_id, effect__in=effects, until__isnull=False)
    if state.positions_at is not None:
        rows = rows.filter(until__gt=state.positions_at)
    return tuple(order_views(rows.order_by("seq").values(*COLUMNS), state.positions_at))


class Others(NamedTuple):
    """What the other accounts hold and have under way (None: one of them never told its positions, and has opened
    something), and the prices that they know."""

    holdings: tuple[Holding, ...] | None
    prices: dict[str, PriceView]


def others_hold(account_id: int) -> Others:
    """The holdings of every account but this one, each by its last position report, whatever its age: what was opened
    since was let through here. Only with the desk locked against everybody do they stay as they are."""
    orders: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in _under_way().exclude(account_id=account_id).values("account_id", *COLUMNS):
        orders[row.pop("account_id")].append(row)
    holdings: list[Holding] = []
    prices: dict[str, PriceView] = {}
    known = True
    for state in AccountState.objects.exclude(account_id=account_id).order_by("account_id"):
        theirs = orders[state.account_id]
        known = known and (state.positions_at is not None or not theirs)
        holdings += holdings_of(positions_of(state), order_views(theirs, state.positions_at))
        prices = newest_prices(prices, price_views(state.prices))
    return Others(tuple(holdings) if known else None, prices)


def newest_prices(one: Mapping[str, PriceView], other: Mapping[str, PriceView]) -> dict[str, PriceView]:
    """Of each instrument the newer price."""
    newer = {name: view for name, view in other.items() if name not in one or view.at > one[name].at}
    return {**one, **newer}


def owner_openings(state: AccountState) -> tuple[OpposingView, ...]:
    """Openings under way in the other accounts of the account's owner; an account without an owner is nobody's."""
    owner = state.account.owner
    if not owner:
        return ()
    rows = _under_way().filter(account__owner=owner, effect=Effect.OPENS.value).exclude(account_id=state.account_id)
    columns = rows.exclude(working=0).order_by("at").values_list("account__code", "instrument", "side", "at")
    return tuple(
        OpposingView(account=code, instrument=instrument, side=side, at=at) for code, instrument, side, at in columns
    )


def _under_way() -> QuerySet[Admission]:
    """The orders of all accounts that the last position report of their account does not answer for whole."""
    silent = Q(account__state__positions_at__isnull=True)
    return Admission.objects.filter(silent | Q(until__gt=F("account__state__positions_at")), until__isnull=False)


def order_views(rows: Iterable[Mapping[str, Any]], positions_at: datetime | None) -> Iterator[OrderView]:
    """Rows of `COLUMNS` as orders of which something may be filled, or was without being shown."""
    for row in rows:
        named = dict(row)
        instrument, effect, side = named.pop("instrument"), Effect(named.pop("effect")), named.pop("side")
        view = order_view(
            OrderLife(**named), instrument=instrument, effect=effect, side=Side(side) if side else None,
            positions_at=positions_at,
        )  # fmt: skip
        if view is not None:
            yield view


def positions_of(state: AccountState) -> dict[str, Decimal]:
    """The positions last reported, signed."""
    return {name: Decimal(quantity) for name, quantity in state.positions.items()}
