"""Caps on what is held and under way, told with round numbers: ES at 5000, so that one contract is 250,000 dollars."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.rules.ask import Ask, Effect, Side
from risk.rules.codes import ReasonCode
from risk.rules.exposure_types import DeskExposureView, ExposureView, Holding, PriceView
from risk.rules.facts import Facts, PositionView
from risk.rules.gate import judge
from risk.rules.holdings import OrderView, holdings_of
from risk.rules.instruments import covers, multiplier_of
from risk.rules.limit_exposure import ExposureLimits, Multiplier
from risk.rules.limits import limits_diff
from risk.rules.limits_diff import Direction
from risk.rules.reference import KEPT, Quote, quotes_take, reference_of
from risk.rules.verdict import Verdict, VerdictKind
from tests.risk.rules.given import NOW, ago, ask, codes, exit_one, facts, limits
from tests.risk.rules.strategies import asks, exposures, limits_documents, positions

ES = Decimal(5000)
SEEN = PriceView(price=ES, at=ago(seconds=10))
FLAT = PositionView(quantity=Decimal(0), at=ago(seconds=10))


def holding(
    position: int = 0, *, buying: int = 0, selling: int = 0, instrument: str = "ES", unknown: int = 0
) -> Holding:
    return Holding(
        instrument=instrument, position=Decimal(position), buying=Decimal(buying), selling=Decimal(selling),
        unknown=unknown,
    )  # fmt: skip


def day(
    *held: Holding, desk: DeskExposureView | None = None, reference: PriceView | None = SEEN, **sections: Any
) -> Facts:
    prices = {name: SEEN for name in ("ES", "NQ", "MES") if reference is not None}
    view = ExposureView(holdings=held, reference=reference, prices=prices, desk=desk)
    return facts(limits=limits(**sections), exposure=view, position=FLAT)


def asked(given_day: Facts, quantity: int = 1, **changes: Any) -> Verdict:
    return judge(ask(price=ES, quantity=Decimal(quantity), **changes), given_day, NOW)


def cap(position: int) -> dict[str, Any]:
    return {"max_position": str(position)}


def test_a_cap_of_three_lets_three_open_and_counts_what_is_under_way() -> None:
    assert asked(day(exposure=cap(3)), 3).verdict is VerdictKind.ALLOW
    full = asked(day(holding(1, buying=2), exposure=cap(3)))
    assert (full.verdict, codes(full.reasons)) == (VerdictKind.BLOCK, [ReasonCode.POSITION_CAP])
    assert full.reasons[0].evidence["held"] == "3"


def test_where_less_fits_it_is_reduced_to_that() -> None:
    verdict = asked(day(holding(1), exposure=cap(3)), 5)
    assert (verdict.verdict, verdict.max_quantity) == (VerdictKind.REDUCE, Decimal(2))


def test_an_opening_that_turns_a_short_position_counts_what_it_leaves() -> None:
    short = day(holding(-2), exposure=cap(3))
    assert asked(short, 5).verdict is VerdictKind.ALLOW
    assert asked(short, 6).max_quantity == 5


def test_buying_and_selling_under_way_do_not_cancel_each_other() -> None:
    both = day(holding(0, buying=3, selling=3), exposure=cap(3))
    assert asked(both).verdict is VerdictKind.BLOCK
    assert asked(both, decision="sell", side=Side.SELL).verdict is VerdictKind.BLOCK


def test_the_cap_of_a_root_counts_all_its_months_and_no_other_contract() -> None:
    capped = {"instruments": [{"instrument": "ES", "max_position": "3"}]}
    held = (holding(2, instrument="ESZ6"), holding(9, instrument="NQ"))
    verdict = asked(day(*held, exposure=capped), 2, instrument="ESH7")
    assert (verdict.max_quantity, verdict.reasons[0].evidence["scope"]) == (Decimal(1), "account ES")


def test_a_micro_weighs_a_tenth_of_its_big_brother() -> None:
    """One ES is 50 x 5000 = 250,000; of a cap of 300,000 two MES (25,000 each) are left."""
    capped = {"max_notional": "300000"}
    verdict = asked(day(holding(1), exposure=capped), 3, instrument="MES")
    assert (verdict.verdict, verdict.max_quantity) == (VerdictKind.REDUCE, Decimal(2))
    assert codes(verdict.reasons) == [ReasonCode.NOTIONAL_CAP]


def test_the_higher_of_the_price_sent_and_the_last_known_one_counts() -> None:
    capped = {"max_notional": "250000"}
    assert asked(day(exposure=capped)).verdict is VerdictKind.ALLOW
    dearer = replace(SEEN, price=Decimal(5001))
    assert asked(day(exposure=capped, reference=dearer)).verdict is VerdictKind.BLOCK
    cheap = judge(ask(price=Decimal(1)), day(exposure={"max_notional": "249999"}), NOW)
    assert cheap.verdict is VerdictKind.BLOCK, "a price of 1 would slip under any cap"


@pytest.mark.parametrize(
    ("changes", "given_day", "code"),
    [
        ({"quantity": None}, day(exposure=cap(3)), ReasonCode.QUANTITY_UNKNOWN),
        ({}, replace(day(exposure=cap(3)), position=None), ReasonCode.POSITIONS_MISSING),
        ({}, replace(day(exposure=cap(3)), position=replace(FLAT, at=ago(hours=1))), ReasonCode.POSITIONS_STALE),
        ({}, day(holding(unknown=1), exposure=cap(3)), ReasonCode.EXPOSURE_UNKNOWN),
        ({}, replace(day(exposure=cap(3)), exposure=None), ReasonCode.ENGINE_UNAVAILABLE),
        ({"instrument": "YM"}, day(exposure={"max_notional": "300000"}), ReasonCode.MULTIPLIER_UNKNOWN),
        ({"price": None}, day(exposure={"max_notional": "1000000"}, reference=None), ReasonCode.PRICE_UNKNOWN),
        ({"price": None}, day(order={"max_value": "1000000"}, reference=None), ReasonCode.PRICE_UNKNOWN),
        ({"price": None}, day(price={"max_deviation": "0.01"}), ReasonCode.PRICE_UNKNOWN),
        ({}, day(price={"max_deviation": "0.01"}, reference=None), ReasonCode.REFERENCE_MISSING),
    ],
)
def test_what_a_cap_needs_and_nobody_knows_blocks(changes: dict[str, Any], given_day: Facts, code: ReasonCode) -> None:
    """NautilusTrader forwards an order whose price or account is unknown, past its notional cap."""
    verdict = judge(ask(**{"price": ES} | changes), given_day, NOW)
    assert verdict.verdict is VerdictKind.BLOCK
    assert code in codes(verdict.reasons)


def test_the_value_of_one_order_is_capped_by_itself() -> None:
    verdict = asked(day(holding(9), order={"max_value": "500000"}), 3)
    assert (verdict.verdict, verdict.max_quantity) == (VerdictKind.REDUCE, Decimal(2))


def test_the_desk_counts_what_other_accounts_hold_without_netting() -> None:
    others = (holding(2), holding(-2))
    desk = DeskExposureView(limits=ExposureLimits(max_position=Decimal(5)), holdings=others)
    verdict = asked(day(desk=desk), 2)
    assert (verdict.max_quantity, verdict.reasons[0].evidence["scope"]) == (Decimal(1), "desk")
    unread = asked(day(desk=replace(desk, holdings=None)))
    assert codes(unread.reasons) == [ReasonCode.ENGINE_UNAVAILABLE]


def test_only_the_contracts_named_are_opened() -> None:
    named = day(contracts={"allowed": ["ESZ6", "NQ", "M*"]})
    for instrument, verdict in (("ESZ6", "allow"), ("ESZ26", "allow"), ("NQH7", "allow"), ("MES", "allow")):
        assert asked(named, instrument=instrument).verdict == verdict, instrument
    for instrument in ("ES", "ESH7", "YM"):
        assert codes(asked(named, instrument=instrument).reasons) == [ReasonCode.CONTRACT_NOT_ALLOWED], instrument


def test_a_price_outside_the_collar_is_blocked_on_either_side() -> None:
    """One per cent around 5000: from 4950 to 5050."""
    collar = day(price={"max_deviation": "0.01"})
    for price, verdict in ((4950, "allow"), (5050, "allow"), (4949, "block"), (5051, "block")):
        assert judge(ask(price=Decimal(price)), collar, NOW).verdict == verdict, price


def test_a_reference_grows_too_old() -> None:
    collar = {"max_deviation": "0.01", "reference_seconds": 30}
    old = replace(SEEN, at=ago(seconds=31))
    assert codes(asked(day(price=collar, reference=old)).reasons) == [ReasonCode.REFERENCE_STALE]


def test_orders_add_to_the_positions_they_will_make() -> None:
    one = Decimal(1)
    orders = [
        OrderView(instrument="ES", effect=Effect.OPENS, side=Side.BUY, working=one, unshown=one),
        OrderView(instrument="ES", effect=Effect.OPENS, side=Side.SELL, working=one),
        OrderView(instrument="ES", effect=Effect.REDUCES, side=Side.SELL, working=one, unshown=one),
        OrderView(instrument="NQ", effect=Effect.OPENS, side=None, working=one),
        OrderView(instrument="YM", effect=Effect.OPENS, side=Side.BUY, working=None),
    ]
    assert holdings_of({"ES": Decimal(5), "CL": Decimal(0)}, orders) == (
        holding(5, buying=1, selling=1),
        holding(buying=1, selling=1, instrument="NQ"),
        holding(instrument="YM", unknown=1),
    )


def test_names_of_contracts() -> None:
    for name, instrument in (("ES", "ESZ6"), ("ESZ6", "ESZ2026"), ("E*", "ESZ6")):
        assert covers(name, instrument), (name, instrument)
    for name, instrument in (("ES", "MES"), ("MES", "ES"), ("ESZ6", "ES"), ("ESZ6", "ESH6"), ("ESZ26", "ESZ36")):
        assert not covers(name, instrument), (name, instrument)
    assert [multiplier_of(name, ()) for name in ("ES", "MESZ6", "NQ", "MNQH7", "YM")] == [50, 5, 20, 2, None]
    assert multiplier_of("ESZ6", (Multiplier(instrument="ES", value=Decimal(10)),)) == 10


def test_a_crossed_or_empty_market_is_no_reference() -> None:
    bid, offer = Decimal("4999.75"), Decimal("5000.25")
    assert reference_of(bid, offer, None) == 5000
    assert reference_of(bid, offer, Decimal(4998)) == 4998
    assert (
        reference_of(offer, bid, None)
        is reference_of(Decimal(0), offer, None)
        is reference_of(None, None, None)
        is None
    )


def test_the_newest_prices_are_kept_and_an_older_one_changes_nothing() -> None:
    prices: dict[str, dict[str, str]] = {}
    for number in range(KEPT + 1):
        quote = Quote(instrument=f"I{number:03d}", price=ES, at=NOW + timedelta(seconds=number))
        prices = quotes_take(prices, quote)
    assert len(prices) == KEPT and "I000" not in prices
    assert quotes_take(prices, Quote(instrument="I100", price=Decimal(1), at=NOW)) == prices


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ({}, {"exposure": cap(3)}, "tightens"),
        ({"exposure": cap(3)}, {"exposure": cap(4)}, "loosens"),
        ({}, {"contracts": {"allowed": ["ES"]}}, "tightens"),
        ({"contracts": {"allowed": ["ES"]}}, {"contracts": {"allowed": ["NQ"]}}, "loosens"),
        ({}, {"exposure": {"multipliers": [{"instrument": "ES", "value": "5"}]}}, "loosens"),
        ({}, {"price": {"max_deviation": "0.01"}}, "tightens"),
        ({}, {"self_match": {"action": "off"}}, "loosens"),
        ({}, {"self_match": {"action": "block"}}, "tightens"),
        ({}, {"exposure": {"reservation_minutes": 10}}, "loosens"),
        ({"exposure": {"instruments": [{"instrument": "ES", "max_position": "3"}]}}, {}, "loosens"),
    ],
)
def test_which_way_a_change_moves_the_risk(before: dict[str, Any], after: dict[str, Any], direction: str) -> None:
    assert [change.direction for change in limits_diff(limits(**before), limits(**after))] == [Direction(direction)]


@settings(max_examples=60)
@given(limits_documents(), asks(), positions(), st.none() | exposures())
def test_nothing_that_is_held_or_priced_blocks_an_exit(
    document: dict[str, Any], question: Ask, position: PositionView | None, view: ExposureView | None
) -> None:
    document["rules"] = {}
    rules = limits(**document)
    verdict = judge(question, facts(limits=rules, position=position, exposure=view), NOW)
    assert verdict.effect is not Effect.REDUCES or verdict.verdict is VerdictKind.ALLOW


def test_an_exit_under_every_cap_passes() -> None:
    caps = limits(
        exposure={"max_position": "1", "max_notional": "1"}, order={"max_value": "1"}, contracts={"allowed": ["NQ"]},
        price={"max_deviation": "0.001"}, self_match={"action": "block"},
    )  # fmt: skip
    assert judge(exit_one(price=None), facts(limits=caps, exposure=None), NOW).verdict is VerdictKind.ALLOW
