"""Admissions and last prices as decisions, order reports and outcomes say they must be."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from decisions.exposure_figures import quote_told, reserved
from decisions.models import Decision, OrderReport, Outcome, Verdict
from decisions.orders import fill_quote, order_told
from risk.admissions import MOVING, life_start
from risk.models import Account, PositionReport
from risk.models.columns import Origin
from risk.projections import Priced
from risk.rules.ask import Ask, Effect, Side
from risk.rules.effect import side_of
from risk.rules.order_life import OrderLife, OrderTold, order_end, order_tell
from risk.rules.scopes import algorithm_key

CHUNK = 1_000
COLUMNS = ("id", "seq", "at", "effect", "instrument", "side", "quantity", "algorithm", *MOVING)
SAME = ("id", "seq", "at", "effect", "instrument")
READ = (*SAME, "trade_id", "decision", "side", "quantity", "max_quantity", "algorithm", "judged_on__exposure")


class _Told:
    """What was told of the account's orders, and what its positions were known as of at each `seq`."""

    def __init__(self, account: Account) -> None:
        self.orders: dict[UUID, list[tuple[int, OrderTold | datetime]]] = defaultdict(list)
        for report in OrderReport.objects.filter(account=account).iterator(chunk_size=CHUNK):
            self.orders[report.decision_id].append((report.seq, order_told(report)))
        closed = Outcome.objects.filter(account=account, origin=Origin.LIVE, final=True)
        for key, seq, at in closed.values_list("decision_id", "seq", "closed_at").iterator(chunk_size=CHUNK):
            self.orders[key].append((seq, at))
        self._seqs: list[int] = []
        self._moments: list[datetime] = []
        reports = PositionReport.objects.filter(account=account).order_by("seq", "id")
        for seq, at in reports.values_list("seq", "at").iterator(chunk_size=CHUNK):
            self._seqs.append(seq)
            self._moments.append(max(at, self._moments[-1]) if self._moments else at)

    def positions_at(self, seq: int) -> datetime | None:
        """As of when the positions were known at `seq`."""
        place = bisect_right(self._seqs, seq)
        return self._moments[place - 1] if place else None


def admissions_replayed(account: Account) -> Iterator[tuple[Any, ...]]:
    """The admissions that the account's decisions say there are, as rows of `COLUMNS`."""
    told = _Told(account)
    decisions = Decision.objects.filter(
        account=account,
        origin=Origin.LIVE,
        verdict__in=[Verdict.ALLOW, Verdict.REDUCE],
        effect__in=[Effect.OPENS.value, Effect.REDUCES.value],
    )
    for row in decisions.order_by("seq").values(*READ).iterator(chunk_size=CHUNK):
        effect, quantity = Effect(row["effect"]), row["max_quantity"] or row["quantity"]
        lasts = reserved({"exposure": row["judged_on__exposure"]})
        life = life_start(effect=effect, at=row["at"], quantity=quantity, lasts=lasts)
        for seq, step in sorted(told.orders.get(row["id"], ()), key=lambda pair: pair[0]):
            life = _step(life, step, effect, told.positions_at(seq))
        moving = (getattr(life, name) for name in MOVING)
        same = (row[name] for name in SAME)
        yield (*same, _side(row), quantity, algorithm_key(row["algorithm"]), *moving)


def _step(life: OrderLife, step: OrderTold | datetime, effect: Effect, positions_at: datetime | None) -> OrderLife:
    if isinstance(step, OrderTold):
        return order_tell(life, step, positions_at)
    return order_end(life, step) if effect is Effect.OPENS else life


def _side(row: dict[str, Any]) -> str:
    stated = Side(row["side"]) if row["side"] else None
    asked = Ask(trade_id=row["trade_id"], decision=row["decision"], instrument=row["instrument"], side=stated)
    return side_of(asked) or ""


def prices_told(account: Account) -> Iterator[Priced]:
    """Every price that the account's decisions and fills told, each with its `seq`."""
    asked = Decision.objects.filter(account=account, origin=Origin.LIVE).exclude(verdict="")
    for seq, instrument, market in asked.values_list("seq", "instrument", "judged_on__market").iterator(
        chunk_size=CHUNK
    ):
        quote = quote_told(instrument, market)
        if quote is not None:
            yield Priced(seq, quote)
    fills = OrderReport.objects.filter(account=account, fill_price__isnull=False)
    named = dict(Decision.objects.filter(id__in=fills.values("decision_id")).values_list("id", "instrument"))
    for fill in fills.iterator(chunk_size=CHUNK):
        quote = fill_quote(fill, named[fill.decision_id])
        if quote is not None:
            yield Priced(fill.seq, quote)
