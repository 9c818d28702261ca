"""What an order still reserves as its bot tells of it: a day of ten contracts, and reports that come late or twice."""

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from risk.rules.order_life import OrderLife, OrderStatus, OrderTold, fills_shown, order_end, order_start, order_tell
from tests.risk.rules.given import NOW

DAY = timedelta(days=1)
TEN = order_start(at=NOW, quantity=Decimal(10), lasts=DAY)


def minutes(count: int) -> datetime:
    return NOW + timedelta(minutes=count)


def told(status: str, filled: int | None = None, *, after: int = 1) -> OrderTold:
    return OrderTold(status=OrderStatus(status), at=minutes(after), filled=None if filled is None else Decimal(filled))


def counted(life: OrderLife, positions_at: datetime | None = NOW) -> tuple[int, int]:
    """What may still be filled, and what was filled without being shown."""
    assert life.working is not None
    return int(life.working), 0 if fills_shown(life, positions_at) else int(life.filled - life.settled)


def test_until_something_is_told_all_of_it_is_under_way_for_a_day() -> None:
    assert counted(TEN) == (10, 0)
    assert TEN.until == NOW + DAY


def test_a_fill_moves_from_under_way_to_held_and_counts_until_a_report_shows_it() -> None:
    life = order_tell(TEN, told("partially_filled", 4), NOW)
    assert counted(life) == (6, 4)
    assert counted(life, minutes(1)) == (6, 0)


def test_a_second_fill_counts_alone_once_a_report_has_shown_the_first() -> None:
    life = order_tell(TEN, told("partially_filled", 4), NOW)
    life = order_tell(life, told("partially_filled", 7, after=3), minutes(2))
    assert counted(life, minutes(2)) == (3, 3)
    unseen = order_tell(life, told("filled", after=4), minutes(2))
    assert counted(unseen, minutes(2)) == (0, 6)


def test_a_cancel_keeps_what_was_filled_and_frees_the_rest() -> None:
    life = order_tell(order_tell(TEN, told("partially_filled", 4), NOW), told("cancelled", after=2), NOW)
    assert counted(life) == (0, 4)
    assert life.until == minutes(1)


def test_a_rejected_order_frees_everything() -> None:
    assert counted(order_tell(TEN, told("rejected"), NOW)) == (0, 0)


def test_an_older_report_that_comes_late_changes_nothing() -> None:
    life = order_tell(TEN, told("filled", after=5), NOW)
    assert order_tell(life, told("partially_filled", 4), NOW) == life


def test_a_newer_report_corrects_a_false_fill() -> None:
    life = order_tell(TEN, told("filled"), NOW)
    assert counted(order_tell(life, told("cancelled", 3, after=2), NOW)) == (0, 3)


def test_a_fill_is_never_earlier_than_its_leave_whatever_the_bots_clock_says() -> None:
    life = order_tell(TEN, told("filled", after=-60), NOW - timedelta(minutes=1))
    assert counted(life, NOW - timedelta(minutes=1)) == (0, 10)


def test_the_end_of_the_trade_ends_the_order() -> None:
    life = order_end(order_tell(TEN, told("partially_filled", 4), NOW), minutes(9))
    assert counted(life) == (0, 0)
    assert order_tell(life, told("partially_filled", 5, after=2), NOW) == life


def test_more_than_was_allowed_counts_whole() -> None:
    assert counted(order_tell(TEN, told("filled", 12), NOW)) == (0, 12)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from([*OrderStatus]), st.integers(0, 10), st.integers(-5, 30), st.integers(0, 30)),
        max_size=6,
    )
)
def test_nothing_filled_is_lost_and_a_later_report_answers_for_all(
    steps: list[tuple[OrderStatus, int, int, int]],
) -> None:
    life = TEN
    for status, filled, at, positions in steps:
        life = order_tell(life, OrderTold(status=status, at=minutes(at), filled=Decimal(filled)), minutes(positions))
        working, unshown = counted(life, NOW - DAY)
        assert 0 <= working <= 10 and 0 <= unshown <= life.filled
        assert life.until is not None and (life.filled_at is None or life.until >= life.filled_at)
        assert counted(life, life.until)[1] == 0
