"""The rule on messages a minute, judged on plain values."""

from datetime import datetime

import pytest

from risk.rules import message_pace
from risk.rules.gate import judge
from risk.rules.limits import tightens
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ago, ask, exit_one, facts, limits

THREE = limits(pace={"max_messages_per_minute": 3})


def sent(*seconds: int) -> tuple[datetime, ...]:
    return tuple(ago(seconds=each) for each in seconds)


@pytest.mark.parametrize(("messages", "blocked"), [((), False), ((1, 50), False), ((1, 20, 50), True)])
def test_the_fourth_message_of_a_minute_opens_nothing(messages: tuple[int, ...], blocked: bool) -> None:
    found = list(message_pace.judge(ask(), facts(messages=sent(*messages)), THREE, NOW))
    assert [finding.reason.code.value for finding in found] == (["messages_exceeded"] if blocked else [])


def test_it_may_be_asked_again_when_the_third_newest_is_a_minute_old() -> None:
    """Whatever came before it: of four messages two must pass before there is room for one."""
    (finding,) = message_pace.judge(ask(), facts(messages=sent(1, 20, 40, 50)), THREE, NOW)
    assert finding.reason.retry_at == ago(seconds=-20)


def test_an_exit_passes_however_much_is_sent() -> None:
    assert judge(exit_one(), facts(limits=THREE, messages=sent(*range(9))), NOW).verdict is VerdictKind.ALLOW


def test_nobody_counts_unless_the_limits_do_and_what_could_not_be_counted_blocks() -> None:
    assert list(message_pace.judge(ask(), facts(), limits(), NOW)) == []
    verdict = judge(ask(), facts(limits=THREE), NOW)
    assert [reason.code.value for reason in verdict.reasons] == ["engine_unavailable"]


def test_fewer_messages_tighten_and_any_number_loosens() -> None:
    two = limits(pace={"max_messages_per_minute": 2})
    assert tightens(limits(), THREE) and tightens(THREE, two)
    assert not tightens(two, THREE) and not tightens(THREE, limits())
