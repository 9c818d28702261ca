"""What a decision does: it opens unless it provably reduces; the bot's own words only make it stricter."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.ask import Ask, Effect, Side
from risk.rules.codes import ReasonCode
from risk.rules.effect import (
    NEUTRAL_WORDS,
    OPENING_WORDS,
    SIDE_WORDS,
    effect_of,
    effect_remarks,
    reducible,
    side_of,
)
from risk.rules.facts import PositionView
from tests.risk.rules.given import NOW, ago, ask, codes, exit_one, hold
from tests.risk.rules.strategies import asks, decimals, positions

MAX_AGE = timedelta(seconds=120)


def held(quantity: str | int, *, seconds: int = 10, pending: str | int = 0) -> PositionView:
    return PositionView(quantity=Decimal(quantity), at=ago(seconds=seconds), pending_reductions=Decimal(pending))


def effect(question: Ask, position: PositionView | None) -> Effect:
    return effect_of(question, position, NOW, MAX_AGE)


def remarks(question: Ask, position: PositionView | None) -> list[ReasonCode]:
    return codes(list(effect_remarks(question, position, NOW, MAX_AGE)))


@pytest.mark.parametrize(
    ("side", "quantity", "position", "expected"),
    [
        (Side.SELL, 1, 2, Effect.REDUCES),
        (Side.SELL, 2, 2, Effect.REDUCES),
        (Side.SELL, 3, 2, Effect.OPENS),
        (Side.BUY, 1, 2, Effect.OPENS),
        (Side.BUY, 1, -2, Effect.REDUCES),
        (Side.BUY, 3, -2, Effect.OPENS),
        (Side.SELL, 1, -2, Effect.OPENS),
        (Side.BUY, 1, 0, Effect.OPENS),
        (Side.SELL, 1, 0, Effect.OPENS),
    ],
)
def test_side_and_quantity_against_the_position(side: Side, quantity: int, position: int, expected: Effect) -> None:
    word = "buy" if side is Side.BUY else "sell"
    assert effect(ask(decision=word, side=side, quantity=Decimal(quantity)), held(position)) is expected


def test_what_is_already_being_closed_cannot_be_closed_twice() -> None:
    assert effect(exit_one(), held(2, pending=1)) is Effect.REDUCES
    assert effect(exit_one(), held(2, pending=2)) is Effect.OPENS
    assert remarks(exit_one(), held(2, pending=2)) == [ReasonCode.POSITION_FLIP]
    assert reducible(held(2, pending=3)) == 0


def test_a_position_nobody_reported_makes_every_trade_an_opening() -> None:
    assert effect(exit_one(), None) is Effect.OPENS
    assert remarks(exit_one(), None) == [ReasonCode.POSITION_UNKNOWN]


@pytest.mark.parametrize(("seconds", "expected"), [(120, Effect.REDUCES), (121, Effect.OPENS), (-121, Effect.OPENS)])
def test_a_position_counts_as_long_as_it_is_fresh(seconds: int, expected: Effect) -> None:
    assert effect(exit_one(), held(2, seconds=seconds)) is expected
    stale = [ReasonCode.POSITION_STALE] if expected is Effect.OPENS else []
    assert remarks(exit_one(), held(2, seconds=seconds)) == stale


@pytest.mark.parametrize("quantity", [None, Decimal(0), Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_an_unknown_quantity_opens(quantity: Decimal | None) -> None:
    assert effect(exit_one(quantity=quantity), held(2)) is Effect.OPENS
    assert remarks(exit_one(quantity=quantity), held(2)) == [ReasonCode.QUANTITY_UNKNOWN]


@pytest.mark.parametrize("word", ["exit", "flat", "rebalance", "close"])
def test_a_word_that_names_no_side_opens_unless_the_side_is_sent(word: str) -> None:
    assert effect(exit_one(decision=word, side=None), held(2)) is Effect.OPENS
    assert remarks(exit_one(decision=word, side=None), held(2)) == [ReasonCode.SIDE_UNKNOWN]
    assert effect(exit_one(decision=word), held(2)) is Effect.REDUCES


def test_a_word_and_a_side_that_disagree_are_no_side() -> None:
    torn = exit_one(decision="buy")
    assert side_of(torn) is None
    assert effect(torn, held(2)) is Effect.OPENS
    assert remarks(torn, held(2)) == [ReasonCode.SIDE_UNKNOWN]


@pytest.mark.parametrize(
    ("word", "side"),
    [
        ("buy", Side.BUY),
        ("long", Side.BUY),
        ("enter_long", Side.BUY),
        ("close_short", Side.BUY),
        ("exit_short", Side.BUY),
        ("cover", Side.BUY),
        ("sell", Side.SELL),
        ("short", Side.SELL),
        ("enter_short", Side.SELL),
        ("close_long", Side.SELL),
        ("exit_long", Side.SELL),
        ("Exit-Long", Side.SELL),
        ("  exit long ", Side.SELL),
    ],
)
def test_the_decision_word_gives_the_side(word: str, side: Side) -> None:
    assert side_of(ask(decision=word, side=None)) is side


def test_an_exit_by_word_alone_reduces() -> None:
    assert effect(exit_one(decision="exit_long", side=None), held(2)) is Effect.REDUCES
    assert effect(ask(decision="close_short", side=None), held(-1)) is Effect.REDUCES


@pytest.mark.parametrize("word", sorted(OPENING_WORDS))
def test_a_bot_that_says_it_opens_opens_whatever_it_holds(word: str) -> None:
    side = OPENING_WORDS[word]
    against = held(-2 if side is Side.BUY else 2)
    assert effect(ask(decision=word, side=side), against) is Effect.OPENS


@pytest.mark.parametrize("word", sorted(NEUTRAL_WORDS))
def test_waiting_is_neutral_whatever_is_known(word: str) -> None:
    for position in (None, held(2), held(2, seconds=9999)):
        assert effect(ask(decision=word, side=None, quantity=None), position) is Effect.NEUTRAL
    assert effect(ask(decision=word, side=None, quantity=Decimal(0)), held(2)) is Effect.NEUTRAL


def test_a_hold_with_side_and_quantity_is_judged_by_them() -> None:
    assert effect(ask(decision="hold"), held(2)) is Effect.OPENS
    assert effect(exit_one(decision="hold"), held(2)) is Effect.REDUCES
    assert effect(ask(decision="hold", side=None, quantity=Decimal(1)), held(2)) is Effect.OPENS


def test_a_plain_opening_needs_no_remark() -> None:
    assert remarks(ask(), held(2)) == []
    assert remarks(ask(), held(0)) == []


def test_a_flip_says_what_may_still_be_closed() -> None:
    (remark,) = effect_remarks(exit_one(quantity=Decimal(3)), held(2, pending="0.5"), NOW, MAX_AGE)
    assert remark.evidence == {
        "quantity": "3",
        "position": "2",
        "pending_reductions": "0.5",
        "reducible": "1.5",
    }


def test_no_word_means_two_things() -> None:
    assert not NEUTRAL_WORDS & SIDE_WORDS.keys()


@given(asks(), positions())
def test_only_an_opposite_order_within_a_fresh_position_reduces(question: Ask, position: PositionView | None) -> None:
    if effect(question, position) is Effect.REDUCES:
        assert position is not None and question.quantity is not None
        signed = question.quantity if side_of(question) is Side.BUY else -question.quantity
        left = position.quantity + signed
        assert abs(left) < abs(position.quantity)
        assert left == 0 or (left > 0) == (position.quantity > 0)
        assert NOW - position.at <= MAX_AGE


@given(asks(), positions(), st.sampled_from(sorted(OPENING_WORDS)), decimals("0.1", "5", 1))
def test_knowing_less_never_turns_an_opening_into_something_milder(
    question: Ask, position: PositionView | None, word: str, more: Decimal
) -> None:
    assert hold().decision in NEUTRAL_WORDS
    if effect(question, position) is not Effect.OPENS or position is None:
        return
    older = PositionView(quantity=position.quantity, at=ago(days=1), pending_reductions=position.pending_reductions)
    busier = PositionView(
        quantity=position.quantity, at=position.at, pending_reductions=position.pending_reductions + more
    )
    for worse in (None, older, busier):
        assert effect(question, worse) is Effect.OPENS
