"""What the tests of the rules start from: a calm Wednesday, everything known and nothing wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from risk.rules.ask import Ask, Side
from risk.rules.codes import ReasonCode
from risk.rules.drawdown import Point, mark_advance, mark_start, mark_view
from risk.rules.facts import (
    CalendarView,
    DoubtView,
    EquityView,
    EventView,
    Facts,
    FeatureView,
    LossView,
    MemoryView,
    OpeningView,
    PaceView,
    PenaltyView,
    PositionView,
    StateView,
    TradingState,
)
from risk.rules.limits import DrawdownLimit, Limits, limits_parse
from risk.rules.verdict import Reason

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2025, 5, 7, 15, 0, tzinfo=UTC)
FOMC_AT = datetime(2025, 5, 7, 18, 0, tzinfo=UTC)
INITIAL = Decimal(100_000)


def ago(**elapsed: float) -> datetime:
    """A moment before NOW: ago(minutes=5)."""
    return NOW - timedelta(**elapsed)


def drawdown_rule(
    mode: str = "trailing_intraday", value: str = "0.05", of: str = "reference", **changes: Any
) -> DrawdownLimit:
    """One drawdown rule, named after its mode."""
    rule = {"name": mode, "mode": mode, "allowance": {"of": of, "value": value}} | changes
    return limits_parse({"drawdown": [rule]}).drawdown[0]


def limits(**sections: Any) -> Limits:
    """Limits with a trailing drawdown of 5 % and the defaults, unless a section says otherwise."""
    document: dict[str, Any] = {
        "drawdown": [
            {
                "name": "max_drawdown",
                "mode": "trailing_intraday",
                "allowance": {"of": "reference", "value": "0.05"},
            }
        ]
    }
    return limits_parse(document | sections)


def ask(**changes: Any) -> Ask:
    """Buy one ES, decided now."""
    calm = Ask(
        trade_id="T1",
        decision="buy",
        instrument="ES",
        side=Side.BUY,
        quantity=Decimal(1),
        price=Decimal("5600.25"),
        decided_at=NOW,
        signal_score=0.75,
    )
    return replace(calm, **changes)


def exit_one(**changes: Any) -> Ask:
    """Sell one ES, which reduces the long position of two of the calm day."""
    return ask(**{"decision": "sell", "side": Side.SELL} | changes)


def hold() -> Ask:
    return ask(decision="hold", side=None, quantity=None, price=None)


def equity_of(amount: str | int, judged_by: Limits) -> dict[str, Any]:
    """The facts of an account that started with INITIAL a day ago and now stands at `amount`."""
    views = []
    for rule in judged_by.drawdown:
        point = Point(at=ago(seconds=10), equity=Decimal(amount))
        mark = mark_advance(rule, mark_start(rule, INITIAL, ago(days=1)), point, CHICAGO)
        views.append(mark_view(rule, mark))
    seen = EquityView(equity=Decimal(amount), at=ago(seconds=10), initial=INITIAL)
    return {"equity": seen, "drawdowns": tuple(views)}


def facts(**changes: Any) -> Facts:
    """Everything known and well: active, at 100,000, long two, FOMC in three hours."""
    under = changes.get("limits", limits())
    calm: dict[str, Any] = {
        "state": StateView(state=TradingState.ACTIVE, since=ago(days=1)),
        "desk_state": StateView(state=TradingState.ACTIVE, since=ago(days=1)),
        "limits": under,
        "limits_version": None if under is None else 1,
        "position": PositionView(quantity=Decimal(2), at=ago(seconds=10)),
        "doubts": (),
        "held": None,
        "losses": LossView(),
        "pace": PaceView(openings_last_hour=0),
        "calendar": CalendarView(refreshed_at=ago(hours=1), events=(fomc(),)),
        "memory": MemoryView(cluster_ids=("c1",), at=ago(hours=1), vix_es_correlation=0.4),
        "features": FeatureView(set_version="1", coverage=Decimal(1), present=150, count=150),
        "zone": CHICAGO,
        "checks_at": ago(seconds=30),
    }
    if under is not None:
        calm |= equity_of(100_000, under)
    else:
        calm |= {"equity": None, "drawdowns": ()}
    return Facts(**calm | changes)


def fomc(**changes: Any) -> EventView:
    calm = EventView(event_id="fomc", event_type="FOMC", start_at=FOMC_AT, impact=Decimal("1.0"), currency="USD")
    return replace(calm, **changes)


def stopped(state: TradingState, **changes: Any) -> StateView:
    calm = StateView(state=state, since=ago(minutes=5), reason="daily loss")
    return replace(calm, **changes)


def doubt(**changes: Any) -> DoubtView:
    """One point at 94,000, below a floor of 95,000, ten seconds ago."""
    calm = DoubtView(
        rule="max_drawdown", equity=Decimal(94_000), floor=Decimal(95_000), since=ago(seconds=10), points=1
    )
    return replace(calm, **changes)


def penalty(**changes: Any) -> PenaltyView:
    """A penalty of full weight for three losses in a row, a minute old, for an hour."""
    calm = PenaltyView(
        kind="losses", value=Decimal(1), since=ago(minutes=1), until=ago(minutes=-59), reason="3 losses in a row"
    )
    return replace(calm, **changes)


def codes(reasons: Sequence[Reason]) -> list[ReasonCode]:
    return [item.code for item in reasons]


def opening(**changes: Any) -> OpeningView:
    """One ES bought ten seconds before NOW, the same as `ask()`."""
    asked = ask()
    told = OpeningView(
        id="first", at=ago(seconds=10), instrument=asked.instrument, side=asked.side, quantity=asked.quantity
    )
    return replace(told, **changes)
