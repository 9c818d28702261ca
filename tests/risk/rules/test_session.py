"""The trading session: openings inside, nothing outside, exits always."""

from datetime import timedelta

import pytest

from risk.rules.facts import SessionView
from risk.rules.gate import judge
from risk.rules.limits import SessionHours
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ask, codes, exit_one, facts, limits

SECOND = timedelta(seconds=1)
GLOBEX = limits(session={"hours": "globex"})
OPEN = SessionView(hours=SessionHours.GLOBEX, opens_at=NOW - timedelta(hours=3), closes_at=NOW + timedelta(hours=6))
NEXT = SessionView(hours=SessionHours.GLOBEX, opens_at=NOW + timedelta(hours=1), closes_at=NOW + timedelta(hours=24))


def test_inside_the_session_an_opening_is_allowed() -> None:
    assert judge(ask(), facts(limits=GLOBEX, session=OPEN), NOW).verdict is VerdictKind.ALLOW


def test_outside_it_is_blocked_until_the_next_one_opens() -> None:
    verdict = judge(ask(), facts(limits=GLOBEX, session=NEXT), NOW)
    assert codes(verdict.reasons) == ["session_closed"]
    assert verdict.retry_at == NEXT.opens_at
    assert verdict.reasons[0].message == ("The session (globex) is closed; the next one opens at 2025-05-07T16:00:00Z.")


@pytest.mark.parametrize(
    ("offset", "is_open"), [(timedelta(0), True), (-SECOND, False), (timedelta(hours=9), False), (SECOND, True)]
)
def test_it_opens_with_its_first_instant_and_ends_before_its_last(offset: timedelta, *, is_open: bool) -> None:
    assert OPEN.is_open(OPEN.opens_at + offset) is is_open


@pytest.mark.parametrize(
    "session",
    [
        None,
        SessionView(hours=SessionHours.REGULAR, opens_at=OPEN.opens_at, closes_at=OPEN.closes_at),
        SessionView(hours=SessionHours.GLOBEX, opens_at=OPEN.opens_at, closes_at=NOW),
    ],
)
def test_a_session_that_nobody_knows_blocks(session: SessionView | None) -> None:
    assert codes(judge(ask(), facts(limits=GLOBEX, session=session), NOW).reasons) == ["session_unknown"]


def test_exits_pass_outside_the_session() -> None:
    assert judge(exit_one(), facts(limits=GLOBEX, session=NEXT), NOW).verdict is VerdictKind.ALLOW


def test_an_account_that_asks_for_no_session_trades_at_any_time() -> None:
    assert judge(ask(), facts(session=NEXT), NOW).verdict is VerdictKind.ALLOW


def test_an_answer_is_never_good_past_the_close() -> None:
    closing = SessionView(hours=SessionHours.GLOBEX, opens_at=OPEN.opens_at, closes_at=NOW + 2 * SECOND)
    assert judge(ask(), facts(limits=GLOBEX, session=closing), NOW).valid_until == NOW + 2 * SECOND
