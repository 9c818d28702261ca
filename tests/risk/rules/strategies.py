"""Hypothesis strategies for limits, equity curves and asks; each is made once, since making one costs as much as
many examples of it."""

from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from risk.rules.ask import Ask, Side
from risk.rules.drawdown import Point
from risk.rules.exposure_types import ExposureView, Holding, OpposingView, PriceView
from risk.rules.facts import PositionView
from risk.rules.limits import AllowanceOf, DrawdownMode, RuleMode, RuleName, WindowPreset
from tests.risk.rules.given import NOW, ask

MODES = tuple(DrawdownMode)
ALLOWANCES = tuple(AllowanceOf)
NAMES = ["a", "b", "c"]
RULE_NAMES = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)


@cache
def decimals(low: str, high: str, places: int = 4) -> st.SearchStrategy[Decimal]:
    return st.decimals(low, high, allow_nan=False, allow_infinity=False, places=places)


@cache
def allowances(of: AllowanceOf) -> st.SearchStrategy[dict[str, str]]:
    value = decimals("1", "50000", 2) if of is AllowanceOf.AMOUNT else decimals("0.01", "0.99", 2)
    return st.fixed_dictionaries({"of": st.just(of.value), "value": value.map(str)})


@cache
def drawdown_documents(
    name: str, modes: tuple[DrawdownMode, ...] = MODES, of: tuple[AllowanceOf, ...] = ALLOWANCES
) -> st.SearchStrategy[dict[str, Any]]:
    """Rules of these modes, whose allowance is a share or amount of one of these."""
    return st.fixed_dictionaries(
        {
            "name": st.just(name),
            "mode": st.sampled_from([mode.value for mode in modes]),
            "allowance": st.one_of([allowances(each) for each in of]),
        },
        optional={
            "action": st.sampled_from(["REDUCE_ONLY", "HALTED"]),
            "stops_rising_at_initial": st.booleans(),
            "alert_at": st.none() | decimals("0.01", "1", 2).map(str),
            "reset_at": st.sampled_from(["00:00", "17:00"]),
        },
    )


@cache
def window_documents() -> st.SearchStrategy[dict[str, Any]]:
    """Windows around named or all events, which block or leave a quantity."""
    quantities = decimals("1", "5", 0).map(str)
    actions = st.just({"action": "block"}) | quantities.map(lambda most: {"action": "reduce", "max_quantity": most})
    shapes = st.fixed_dictionaries(
        {
            "name": st.sampled_from(NAMES),
            "event_types": st.lists(st.sampled_from(["FOMC", "CPI"]), max_size=2, unique=True),
            "instruments": st.lists(st.sampled_from(["ES", "NQ"]), max_size=2, unique=True),
            "impact_above": decimals("0", "1", 2).map(str),
            "minutes_before": st.integers(0, 1440),
            "minutes_after": st.integers(0, 1440),
        }
    )
    return st.builds(lambda shape, action: shape | action, shapes, actions)


@cache
def instrument_caps() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"instrument": st.sampled_from(["ES", "ESZ6", "NQ"])},
        optional={
            "max_position": st.none() | decimals("1", "10", 0).map(str),
            "max_notional": st.none() | decimals("1000", "2000000", 0).map(str),
        },
    )


@cache
def holdings() -> st.SearchStrategy[Holding]:
    sizes = decimals("0", "5", 0)
    return st.builds(
        lambda instrument, position, buying, selling: Holding(
            instrument=instrument, position=position, buying=buying, selling=selling
        ),
        st.sampled_from(["ES", "NQ", "CL"]),
        decimals("-5", "5", 0),
        sizes,
        sizes,
    )


@cache
def exposures() -> st.SearchStrategy[ExposureView]:
    """Some holdings, a price that may be old or missing, an opening of the owner's that may be against it."""
    prices = st.none() | st.builds(
        lambda price, age: PriceView(price=price, at=NOW - timedelta(seconds=age)),
        decimals("5000", "6000", 2),
        st.integers(0, 300_000),
    )
    opposing = OpposingView(account="OTHER", instrument="ES", side="sell", at=NOW)
    return st.builds(
        lambda held, price, against: ExposureView(
            holdings=tuple(held),
            reference=price,
            prices={} if price is None else {"ES": price, "NQ": price},
            opposing=(opposing,) if against else (),
        ),
        st.lists(holdings(), max_size=3, unique_by=lambda held: held.instrument),
        prices,
        st.booleans(),
    )


@cache
def sections() -> st.SearchStrategy[dict[str, Any]]:
    """Any of a limits document's sections but the drawdown rules."""
    switchable = [name.value for name in RuleName if name not in {RuleName.STATE, RuleName.LIMITS}]
    modes = st.sampled_from([mode.value for mode in RuleMode])
    setting = st.fixed_dictionaries({"mode": modes, "reason": st.just("because")})
    several = {
        "pace": st.fixed_dictionaries(
            {"max_openings_per_hour": st.integers(1, 50), "min_interval_seconds": st.integers(0, 600)},
            optional={"max_messages_per_minute": st.none() | st.integers(1, 99)},
        ),
        "order": st.fixed_dictionaries(
            {"max_quantity": st.none() | decimals("0.5", "20", 1).map(str)},
            optional={"max_value": st.none() | decimals("1", "2000000", 0).map(str)},
        ),
        "exposure": st.fixed_dictionaries(
            {"max_position": st.none() | decimals("1", "20", 0).map(str)},
            optional={
                "max_notional": st.none() | decimals("1000", "5000000", 0).map(str),
                "instruments": st.lists(instrument_caps(), max_size=2, unique_by=lambda cap: cap["instrument"]),
                "price_hours": st.integers(1, 72),
            },
        ),
        "contracts": st.fixed_dictionaries(
            {"allowed": st.lists(st.sampled_from(["ES", "ESZ6", "N*"]), max_size=2, unique=True)}
        ),
        "price": st.fixed_dictionaries(
            {"max_deviation": st.none() | decimals("0.001", "0.5", 3).map(str)},
            optional={"reference_seconds": st.integers(1, 600)},
        ),
        "self_match": st.fixed_dictionaries({"action": st.sampled_from(["off", "alert", "block"])}),
        "freshness": st.fixed_dictionaries(
            {"equity_seconds": st.integers(1, 600)},
            optional={
                "positions_required": st.booleans(),
                "memory_hours": st.none() | st.integers(1, 48),
                "features_days": st.none() | st.integers(1, 400),
                "checks_seconds": st.integers(1, 600),
            },
        ),
        "losses": st.fixed_dictionaries(
            {
                "cooldown_after_stop_minutes": st.integers(0, 60),
                "cooldown_after_loss_minutes": st.integers(0, 60),
            }
        ),
        "confirmation": st.fixed_dictionaries(
            {}, optional={"points": st.none() | st.integers(2, 5), "seconds": st.none() | st.integers(1, 600)}
        ),
        "plausibility": st.fixed_dictionaries({"max_move": st.none() | decimals("0.01", "1", 2).map(str)}),
        "algorithms": st.fixed_dictionaries(
            {}, optional={"max_unreviewed": st.none() | st.integers(1, 50), "required": st.booleans()}
        ),
        "flat": st.fixed_dictionaries({"by": st.none() | st.sampled_from(["09:30", "15:55", "23:00"])}),
        "blackout": st.fixed_dictionaries(
            {
                "minutes_before": st.integers(0, 1440),
                "minutes_after": st.integers(0, 1440),
                "impact_above": decimals("0", "1", 2).map(str),
            }
        ),
        "windows": st.fixed_dictionaries(
            {"presets": st.lists(st.sampled_from([preset.value for preset in WindowPreset]), max_size=2, unique=True)},
            optional={"rules": st.lists(window_documents(), max_size=2, unique_by=lambda window: window["name"])},
        ),
        "calendar": st.fixed_dictionaries({"horizon_hours": st.integers(0, 200)}),
        "features": st.fixed_dictionaries(
            {"min_coverage": decimals("0", "1", 2).map(str)},
            optional={"required_top": st.integers(0, 20), "max_drift": st.none() | decimals("0", "1", 2).map(str)},
        ),
        "memory": st.fixed_dictionaries(
            {"required": st.booleans()},
            optional={
                "tightening_floor": st.none() | decimals("0.01", "1", 2).map(str),
                "volatile_above": decimals("0", "1", 2).map(str),
                "recall_days": st.integers(1, 3650),
                "half_life_days": st.integers(1, 3650),
            },
        ),
        "clock": st.fixed_dictionaries({"max_skew_seconds": st.integers(1, 60)}),
        "answer": st.fixed_dictionaries({"valid_seconds": st.integers(1, 60)}),
        "rules": st.dictionaries(st.sampled_from(switchable), setting, max_size=4),
    }
    return st.fixed_dictionaries({}, optional=several)


@st.composite
def limits_documents(draw: st.DrawFn) -> dict[str, Any]:
    """A valid limits document with one to three drawdown rules and any of the other sections."""
    names = draw(RULE_NAMES)
    return draw(sections()) | {"drawdown": [draw(drawdown_documents(name)) for name in names]}


@st.composite
def equity_curves(draw: st.DrawFn, *, flows: bool = False) -> list[Point]:
    """Equity from 1,000 to 200,000 in rising time, optionally with deposits and withdrawals."""
    at, points = NOW, []
    for equity in draw(st.lists(decimals("1000", "200000", 2), min_size=1, max_size=12)):
        at += timedelta(minutes=draw(st.integers(1, 2000)))
        flow = draw(decimals("-900", "900", 2)) if flows else Decimal(0)
        points.append(Point(at=at, equity=equity, cash_flow=flow))
    return points


@cache
def asks() -> st.SearchStrategy[Ask]:
    words = ["buy", "sell", "hold", "enter_long", "exit_long", "close_short", "open_short", "rebalance"]
    quantities = st.none() | decimals("-1", "5", 1)
    return st.builds(
        lambda word, side, quantity: ask(decision=word, side=side, quantity=quantity),
        st.sampled_from(words),
        st.sampled_from([None, *Side]),
        quantities,
    )


@cache
def positions() -> st.SearchStrategy[PositionView | None]:
    known = st.builds(
        lambda quantity, age, pending: PositionView(
            quantity=quantity, at=NOW - timedelta(seconds=age), pending_reductions=pending
        ),
        decimals("-5", "5", 1),
        st.integers(0, 200),
        decimals("0", "3", 1),
    )
    return st.none() | known
