"""The rule against the same opening twice, judged on plain values."""

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.rules import duplicates
from risk.rules.ask import Ask, Side
from risk.rules.codes import ReasonCode
from risk.rules.facts import OpeningView
from risk.rules.gate import judge
from risk.rules.limits import tightens
from tests.risk.rules.given import NOW, ago, ask, facts, limits

GUARDED = limits(pace={"duplicate_seconds": 30})
TWO_ES = replace(ask(), side=Side.BUY, quantity=Decimal(2))
EARLIER = OpeningView(id="first", at=ago(seconds=10), instrument="ES", side=Side.BUY, quantity=Decimal("2.0000"))


def found(asked: Ask, earlier: OpeningView, known: object = GUARDED) -> list[str]:
    judged = duplicates.judge(asked, facts(openings=(earlier,)), known, NOW)  # type: ignore[arg-type]
    return [finding.reason.code.value for finding in judged]


def test_the_same_opening_again_names_the_first_and_when_to_ask() -> None:
    (finding,) = duplicates.judge(replace(TWO_ES, trade_id="another"), facts(openings=(EARLIER,)), GUARDED, NOW)
    assert finding.reason.code is ReasonCode.DUPLICATE_ORDER
    assert finding.reason.evidence["earlier_id"] == "first"
    assert finding.reason.retry_at == ago(seconds=-20)


@pytest.mark.parametrize(
    "change",
    [{"instrument": "NQ"}, {"side": Side.SELL}, {"quantity": Decimal(3)}, {"decision": "rebalance", "side": None}],
)
def test_another_instrument_side_or_size_is_another_order(change: dict[str, object]) -> None:
    assert found(replace(TWO_ES, **change), EARLIER) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "blocked"), [(0, True), (29, True), (30, False)])
def test_the_window_ends_exactly_at_retry_at(seconds: int, blocked: bool) -> None:
    assert found(TWO_ES, replace(EARLIER, at=ago(seconds=seconds))) == (["duplicate_order"] if blocked else [])


def test_what_the_cap_made_of_an_order_is_compared_with_what_it_makes_of_the_next() -> None:
    capped = limits(pace={"duplicate_seconds": 30}, order={"max_quantity": "2"})
    assert found(replace(TWO_ES, quantity=Decimal(5)), EARLIER, capped) == ["duplicate_order"]


def test_nobody_asks_for_it_unless_the_limits_do() -> None:
    assert found(TWO_ES, EARLIER, limits()) == []


def test_openings_that_could_not_be_read_block() -> None:
    verdict = judge(TWO_ES, facts(limits=GUARDED, openings=None), NOW)
    assert [reason.code for reason in verdict.reasons][:1] == [ReasonCode.ENGINE_UNAVAILABLE]


def test_a_longer_window_tightens_and_none_loosens() -> None:
    longer = limits(pace={"duplicate_seconds": 60})
    assert tightens(limits(), GUARDED) and tightens(GUARDED, longer)
    assert not tightens(longer, GUARDED) and not tightens(GUARDED, limits())
