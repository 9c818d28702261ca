"""What other limits would have done: worked days replayed, and that the limits in force change nothing."""

import csv
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.decision_log import outcome_record
from decisions.inputs import OutcomeInput
from decisions.models import Decision
from decisions.replay.compared import Compared, Turn
from decisions.replay.run import Course, Replay, course_open
from decisions.replay.table import states_recorded
from decisions.replay.words import remarks
from mia_site.audit.models import Entry
from mia_site.ops.retry import Deadline
from risk.export import Period
from risk.models import Account, StateChange
from risk.risk_controller import drawdown_check, trading_halt, trading_resume
from risk.rules.limits import Limits, limits_parse
from risk.rules.order_life import OrderStatus
from risk.rules.replay_gate import rules_carried
from tests.decisions.bots import Bot, desk_refresh, trading_bot
from tests.decisions.test_projections import DAILY, account_under, eventful_day, happen, holds
from tests.decisions.test_projections import LIMITS as EVENTFUL
from tests.factories import LIMITS, DecisionFactory, state_of
from tests.risk.accounts import APPROVER, MANAGER, drawdown_rule
from tests.stillness import StillClock

pytestmark = pytest.mark.django_db
WHOLE = Period()
FIVE_MINUTES = timedelta(minutes=5)


def under(value: str = "0.05", **sections: Any) -> Limits:
    """The bot's limits with another drawdown, or other sections."""
    document = {**LIMITS, "rules": {"features": {"mode": "off", "reason": "this bot sends none"}}, **sections}
    return limits_parse(document | {"drawdown": [drawdown_rule(value)]})


def replayed(account: Account, limits: Limits, period: Period = WHOLE) -> tuple[Course, list[Compared]]:
    account = Account.objects.get(pk=account.pk)
    found: list[Compared] = []
    course = course_open(account, period)
    Replay(account, limits, course, sink=found.append).run()
    assert course.finished and course.checked == course.total
    return course, found


def happened(account: Account, course: Course) -> list[tuple[int, str]]:
    return [(change.seq, change.to_state) for change in states_recorded(account, course)]


def would_have(course: Course) -> list[tuple[int, str]]:
    return [(change.seq, change.state.value) for change in course.changes]


def later(clock: StillClock, bot: Bot, equity: int, minutes: int = 5) -> None:
    """Minutes pass, and the bot reports its equity."""
    clock.now += timedelta(minutes=minutes)
    desk_refresh(clock.now)
    bot.reports(equity=equity)


def closes(decision: Decision, pnl: int, bot: Bot, clock: StillClock) -> None:
    told = OutcomeInput(pnl=Decimal(pnl), closed_at=clock.now, final=True)
    outcome_record(decision, told, actor=bot.actor)


def trading_day(bot: Bot, clock: StillClock) -> list[Decision]:
    """Equity 52,000, 50,200, 51,000; a trade after each: +400, -300, +1,000."""
    made = []
    for equity, pnl in ((52_000, 400), (50_200, -300), (51_000, 1_000)):
        later(clock, bot, equity)
        made.append(bot.asks(trade_id=f"T{equity}").decision)
        closes(made[-1], pnl, bot, clock)
    assert [decision.verdict for decision in made] == ["allow"] * 3
    return made


def test_a_tighter_drawdown_would_have_stopped_at_the_point_that_broke_it(bot: Bot, gate_clock: StillClock) -> None:
    trading_day(bot, gate_clock)
    course, found = replayed(bot.account, under("0.03"))
    stop = course.changes[0]
    assert [stop.state, stop.rule, stop.drawdown, stop.equity] == [
        "REDUCE_ONLY", "max_drawdown", Decimal("0.0346153846"), Decimal(50_200),
    ]  # fmt: skip
    assert stop.at == gate_clock.now - FIVE_MINUTES
    assert [compared.turn for compared in found] == [Turn.SAME, Turn.BLOCKED, Turn.BLOCKED]
    assert found[1].would is not None and found[1].would.codes[0] == "account_reduce_only"
    totals = course.totals
    assert (totals.profit, totals.would_profit) == (Decimal(1_100), Decimal(400))
    assert (totals.avoided, totals.missed, totals.gained) == (Decimal(300), Decimal(1_000), Decimal(0))


def test_the_limits_that_were_in_force_change_nothing(bot: Bot, gate_clock: StillClock) -> None:
    trading_day(bot, gate_clock)
    later(gate_clock, bot, 49_000)
    assert bot.asks(trade_id="T9").decision.verdict == "block"
    course, found = replayed(bot.account, under())
    assert [compared.turn for compared in found] == [Turn.SAME] * 4
    assert happened(bot.account, course) == would_have(course) != []
    assert course.totals.profit == course.totals.would_profit == Decimal(1_100)
    assert list(remarks(course, [])) == []


def test_a_looser_pace_frees_what_was_blocked_and_a_trade_without_an_outcome_is_said(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, pace={"max_openings_per_hour": 1})
    answers = [bot.asks(trade_id=f"T{number}").decision for number in range(3)]
    closes(answers[0], 100, bot, gate_clock)
    closes(answers[1], 250, bot, gate_clock)
    assert [decision.verdict for decision in answers] == ["allow", "block", "block"]
    course, found = replayed(bot.account, under(pace={"max_openings_per_hour": 3}))
    assert [compared.turn for compared in found] == [Turn.SAME, Turn.FREED, Turn.FREED]
    totals = course.totals
    assert [totals.profit, totals.would_profit, totals.gained] == [100, 350, 250]
    assert course.totals.unreported == 1
    course, found = replayed(bot.account, under(pace={"max_openings_per_hour": 2}))
    assert [compared.turn for compared in found] == [Turn.SAME, Turn.FREED, Turn.SAME]


def test_a_smaller_order_makes_its_share_of_the_profit(bot: Bot, gate_clock: StillClock) -> None:
    closes(bot.asks(quantity="4").decision, 800, bot, gate_clock)
    course, found = replayed(bot.account, under(order={"max_quantity": "1"}))
    assert found[0].turn is Turn.RESIZED
    assert (course.totals.profit, course.totals.would_profit) == (Decimal(800), Decimal(200))


def test_losses_of_trades_that_would_not_have_been_made_bring_no_penalty(bot: Bot, gate_clock: StillClock) -> None:
    for number in range(3):
        later(gate_clock, bot, 50_000)
        closes(bot.asks(trade_id=f"T{number}").decision, -100, bot, gate_clock)
    counting = {"max_consecutive": 2, "penalty_minutes": 60}
    course, found = replayed(bot.account, under(losses=counting))
    assert [compared.turn for compared in found] == [Turn.SAME, Turn.SAME, Turn.BLOCKED]
    assert course.other.losses == 2 and course.totals.avoided == Decimal(100)


def test_other_limits_begin_where_asked_and_forget_no_peak(bot: Bot, gate_clock: StillClock) -> None:
    trading_day(bot, gate_clock)
    since = gate_clock.now - timedelta(minutes=1)
    course, found = replayed(bot.account, under("0.015"), Period(since, None))
    assert [compared.turn for compared in found] == [Turn.BLOCKED]
    assert (course.changes[0].at, course.changes[0].drawdown) == (since, Decimal("0.0346153846"))
    course, found = replayed(bot.account, under("0.015"), Period(None, since))
    assert len(found) == 2


def test_a_resume_below_the_other_floor_is_refused(bot: Bot, gate_clock: StillClock) -> None:
    trading_halt(account=bot.account.code, reason="lunch", actor=MANAGER)
    later(gate_clock, bot, 48_000)
    trading_resume(account=bot.account.code, reason="back", actor=APPROVER)
    later(gate_clock, bot, 49_900)
    assert bot.asks().decision.verdict == "allow"
    course, found = replayed(bot.account, under("0.03"))
    assert would_have(course)[-1][1] == "HALTED" and found[0].turn is Turn.BLOCKED
    assert any("resumes" in remark for remark in remarks(course, []))


def test_a_timed_stop_ends_and_what_a_limit_stopped_meanwhile_holds(bot: Bot, gate_clock: StillClock) -> None:
    until = gate_clock.now + timedelta(minutes=8)
    trading_halt(account=bot.account.code, reason="news", actor=MANAGER, until=until)
    later(gate_clock, bot, 48_000)
    gate_clock.now = until + timedelta(seconds=20)
    drawdown_check()
    assert state_of(bot.account).state == "ACTIVE"
    course, _ = replayed(bot.account, under())
    assert would_have(course) == happened(bot.account, course)
    course, _ = replayed(bot.account, under("0.03"))
    assert [state for _, state in would_have(course)] == ["HALTED", "REDUCE_ONLY"]


def test_after_an_eventful_day_the_replay_comes_to_every_recorded_answer() -> None:
    account = eventful_day()
    course, found = replayed(account, limits_parse(EVENTFUL))
    assert Turn.UNKNOWN not in {compared.turn for compared in found} and len(found) == 5
    assert [(change.seq, change.state) for change in course.control_changes] == happened(account, course) != []


@settings(max_examples=7)
@given(
    st.lists(
        st.one_of(
            st.lists(st.integers(30_000, 70_000), min_size=1, max_size=3),
            st.sampled_from(["check", "resume", "halt", "accept", "reject", "ask", "lose", "win"]),
            st.tuples(st.sampled_from([*OrderStatus]), st.integers(1, 3), st.integers(0, 3)),
        ),
        min_size=1,
        max_size=14,
    )
)
def test_whatever_happens_a_replay_of_the_limits_in_force_gives_no_difference(happenings: list[Any]) -> None:
    more: dict[str, Any] = {
        "plausibility": {"max_move": "0.4"}, "confirmation": {"points": 3},
        "pace": {"max_messages_per_minute": 12},
        "drawdown": [drawdown_rule(), DAILY | {"resume": "after_minutes", "resume_minutes": 60}],
        "exposure": {"max_position": "4", "instruments": [{"instrument": "ES", "max_position": "3"}]},
    }  # fmt: skip
    account = account_under(**more)
    holds(account, ES=1)
    for happening in happenings:
        happen(account, happening)
    course, found = replayed(account, limits_parse(EVENTFUL | more))
    assert {compared.turn for compared in found} <= {Turn.SAME}
    assert [list(compared.would.codes) for compared in found if compared.would] == [
        list(compared.judged.asked.codes) for compared in found
    ]
    assert would_have(course) == happened(account, course)
    assert course.other == course.control


def test_a_replay_that_is_left_and_taken_up_again_comes_to_the_same(bot: Bot, gate_clock: StillClock) -> None:
    trading_day(bot, gate_clock)
    whole, found = replayed(bot.account, under("0.03"))
    course, parts, steps = course_open(bot.account, Period()), list[Compared](), 0
    while not course.finished:
        course, steps = msgspec.json.decode(msgspec.json.encode(course), type=Course), steps + 1
        Replay(bot.account, under("0.03"), course, sink=parts.append).run(_OneStep())
    assert steps > 5 and course == whole
    assert [part.turn for part in parts] == [compared.turn for compared in found]


class _OneStep(Deadline):
    """Over after one look."""

    def __init__(self) -> None:
        super().__init__(60.0)
        self.looks = 0

    def remaining(self) -> float:
        self.looks += 1
        return 60.0 if self.looks == 1 else 0.0


def test_what_was_recorded_without_its_facts_is_counted_not_guessed(bot: Bot, gate_clock: StillClock) -> None:
    later(gate_clock, bot, 50_000)
    DecisionFactory(account=bot.account, seq=state_of(bot.account).seq, recorded_at=gate_clock.now, at=gate_clock.now)
    course, found = replayed(bot.account, under("0.03"))
    assert (found[0].turn, found[0].would, course.totals.why) == (Turn.UNKNOWN, None, {"checks": 1})
    assert "what the rule checks needs was not recorded" in next(remarks(course, []))


def test_decisions_that_were_never_judged_here_are_counted_and_left_out(bot: Bot, gate_clock: StillClock) -> None:
    bot.asks(mode="record")
    DecisionFactory(account=bot.account, seq=0, origin="imported", at=gate_clock.now - FIVE_MINUTES)
    course, found = replayed(bot.account, under("0.03"))
    assert (found, course.unjudged) == ([], 2)
    assert any("2 decisions not replayed" in remark for remark in remarks(course, []))
    course, _ = replayed(bot.account, under("0.03"), Period(gate_clock.now, None))
    assert course.unjudged == 1


def test_a_reason_that_cannot_be_judged_anew_counts_as_it_did(bot: Bot, gate_clock: StillClock) -> None:
    told = bot.asks().decision
    fields = {"verdict": "block", "reasons": [{"code": "engine_unavailable", "message": "", "evidence": {}}]}
    DecisionFactory(
        account=bot.account, seq=told.seq, recorded_at=told.recorded_at, at=told.at, judged_on=told.judged_on,
        **fields,
    )  # fmt: skip
    course, found = replayed(bot.account, under("0.5"))
    assert [compared.turn for compared in found] == [Turn.SAME, Turn.SAME]
    assert course.totals.carried == {"engine_unavailable": 1}
    assert rules_carried(under()) == ["self_match"]
    assert "self_match" in next(remarks(course, rules_carried(under())))


def file_of(folder: Path, limits: Mapping[str, Any]) -> str:
    path = folder / "limits.yaml"
    path.write_text(yaml.safe_dump(dict(limits)), encoding="utf-8")
    return str(path)


def test_the_command_says_what_would_have_been_and_writes_each_side(
    bot: Bot, gate_clock: StillClock, tmp_path: Path
) -> None:
    trading_day(bot, gate_clock)
    out, table = StringIO(), tmp_path / "sides.csv"
    tighter = file_of(tmp_path, {"drawdown": [drawdown_rule("0.03")]} | {"rules": LIMITS.get("rules", {})})
    before = StateChange.objects.count()
    call_command("replay_limits", tighter, "--account", bot.account.code, "-o", str(table), stdout=out)
    assert "would have been blocked: " in out.getvalue() and "REDUCE_ONLY max_drawdown 0.0346153846" in out.getvalue()
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["happened"]) for row in rows] == [("decision", "allow")] * 3 + [("state", "")]
    assert rows[-1]["would_have"] == "REDUCE_ONLY"
    assert StateChange.objects.count() == before
    assert Entry.objects.filter(kind_name="exported", body__contains='"what":"limits_replay"').count() == 1


def test_the_command_refuses_what_it_cannot_replay(bot: Bot, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"drawdown\[0\].allowance.value"):
        call_command("replay_limits", file_of(tmp_path, {"drawdown": [drawdown_rule("2")]}))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("replay_limits", str(tmp_path / "absent.yaml"))
    with pytest.raises(CommandError, match="could not be written"):
        call_command("replay_limits", file_of(tmp_path, LIMITS), "-o", str(tmp_path / "limits.yaml" / "a.csv"))


def test_a_collar_and_named_contracts_are_judged_anew_on_the_recorded_reference(bot: Bot) -> None:
    """Asked at 5,051 with the market at 5,000: one per cent is 5,050."""
    market = {"bid": "4999.75", "ask": "5000.25"}
    bot.asks(trade_id="T1", price="5051", market=market)
    bot.asks(trade_id="T2", price="5050", market=market, instrument="NQ")
    _, found = replayed(bot.account, under(price={"max_deviation": "0.01"}))
    assert [item.judged.asked.ask.trade_id for item in found if item.turn is not Turn.SAME] == ["T1"]
    _, found = replayed(bot.account, under(contracts={"allowed": ["ES"]}))
    assert [item.judged.asked.ask.trade_id for item in found if item.turn is not Turn.SAME] == ["T2"]
