"""Rules in shadow: what they would have stopped is counted, with how those trades ended; nothing else changes."""

import csv
import json
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.decision_log import outcome_record
from decisions.inputs import OutcomeInput
from decisions.models import Decision, ShadowRow
from decisions.projections import projections_check
from decisions.shadow_report import ShadowLine, Span, shadow_lines, shadow_of, span_of
from mia_site.audit.models import Entry
from tests.decisions.bots import Bot, trading_bot
from tests.factories import FACTORY, AccountFactory, ShadowRowFactory
from tests.stillness import StillClock

pytestmark = pytest.mark.django_db
OFF = {"mode": "off", "reason": "this bot sends none"}
SHADOW = {"mode": "shadow"}


def watched_bot(clock: StillClock, **rules: Any) -> Bot:
    """A cap of 1 contract and of 2 openings an hour, both in shadow unless `rules` say otherwise."""
    return trading_bot(
        now=clock.now, order={"max_quantity": "1"}, pace={"max_openings_per_hour": 2},
        rules={"features": OFF, "order_size": SHADOW, "pace": SHADOW} | rules,
    )  # fmt: skip


def closes(decision: Decision, pnl: int, *, final: bool = True) -> None:
    told = OutcomeInput(pnl=Decimal(pnl), closed_at=decision.at, final=final)
    outcome_record(decision, told, actor=FACTORY)


def rows() -> list[tuple[str, str, Decimal | None, Decimal | None]]:
    return list(ShadowRow.objects.order_by("seq", "rule").values_list("rule", "outcome", "share", "pnl"))


def differences() -> list[str]:
    return [str(found) for found in projections_check()]


def shadow_command(*arguments: object) -> str:
    out = StringIO()
    call_command("shadow_report", *(str(argument) for argument in arguments), stdout=out)
    return out.getvalue()


def test_what_a_rule_would_have_cut_off_is_kept_with_its_rule_and_outcome(gate_clock: StillClock) -> None:
    bot = watched_bot(gate_clock)
    decision = bot.asks(quantity="4").decision
    assert (decision.verdict, decision.reasons) == ("allow", [])
    [told] = decision.shadow_reasons
    assert (told["code"], told["rule"], told["outcome"], told["max_quantity"]) == (
        "order_too_large", "order_size", "reduce", "1",
    )  # fmt: skip
    assert rows() == [("order_size", "reduce", Decimal("0.75"), None)]


def test_the_third_opening_would_have_been_blocked_and_its_loss_spared(gate_clock: StillClock) -> None:
    bot = watched_bot(gate_clock)
    for pnl in (50, 20, -400):
        closes(bot.asks().decision, pnl)
    assert rows() == [("pace", "block", Decimal(1), Decimal(-400))]
    [line] = shadow_lines(shadow_of(rule="pace"))
    assert (line.account, line.decisions, line.blocked, line.reduced) == (bot.account.code, 1, 1, 0)
    assert (line.closed, line.won, line.lost, line.pnl) == (1, 0, 1, Decimal(-400))
    assert differences() == []


def test_of_a_trade_that_would_have_been_reduced_the_part_cut_off_counts(gate_clock: StillClock) -> None:
    closes(watched_bot(gate_clock).asks(quantity="4").decision, 200)
    [line] = shadow_lines(shadow_of())
    assert (line.reduced, line.won, line.pnl) == (1, 1, Decimal(150))


def test_what_was_blocked_anyway_would_not_have_gone_otherwise(gate_clock: StillClock) -> None:
    bot = watched_bot(gate_clock, features={"mode": "enforce"})
    assert bot.asks(quantity="4").decision.verdict == "block"
    assert rows() == [("order_size", "reduce", Decimal(0), None)]
    [line] = shadow_lines(shadow_of())
    assert (line.decisions, line.blocked, line.reduced, line.pnl) == (1, 0, 0, Decimal(0))


def test_an_enforced_rule_and_an_exit_leave_no_row(gate_clock: StillClock) -> None:
    bot = watched_bot(gate_clock, order_size={"mode": "enforce"})
    bot.reports(quantity=3)
    assert bot.asks(quantity="4").decision.verdict == "reduce"
    leaving = bot.asks(decision="exit", side="sell", quantity="3").decision
    assert (leaving.effect, leaving.verdict, leaving.shadow_reasons) == ("reduces", "allow", [])
    assert rows() == []


def test_only_final_outcomes_count_and_the_newest_of_them(gate_clock: StillClock) -> None:
    decision = watched_bot(gate_clock).asks(quantity="2").decision
    closes(decision, 10, final=False)
    assert rows()[0][3] is None
    closes(decision, 100)
    closes(decision, -30)
    assert rows()[0][3] == Decimal(-30)
    assert differences() == []


def test_false_rows_are_named_and_mended(gate_clock: StillClock) -> None:
    bot = watched_bot(gate_clock)
    decisions = [bot.asks(quantity="2").decision for _ in range(3)]
    closes(decisions[0], 75)
    before = rows()
    assert (len(before), differences()) == (4, [])
    ShadowRow.objects.filter(decision_id=decisions[0].id).update(pnl=None)
    ShadowRow.objects.filter(decision_id=decisions[1].id).delete()
    ShadowRowFactory(account=bot.account)
    assert sum(line.startswith(f"{bot.account.code} shadow") for line in differences()) == 3
    list(projections_check(rebuild=True))
    assert (differences(), rows()) == ([], before)


def test_a_batch_costs_one_insert_for_all_its_rows(gate_clock: StillClock) -> None:
    bot = watched_bot(gate_clock)

    def cost(count: int) -> int:
        with CaptureQueriesContext(connection) as spent:
            bot.submits([bot.sent(quantity="2", trade_id=f"{count}-{place}") for place in range(count)])
        return sum("decisions_shadowrow" in query["sql"] for query in spent)

    assert (cost(1), cost(6)) == (1, 1)


def test_the_report_is_by_account_rule_and_period() -> None:
    first, second = AccountFactory(code="A"), AccountFactory(code="B")
    row = ShadowRowFactory(account=first, pnl=Decimal(-100))
    monday = row.at + timedelta(days=6)  # from a Tuesday to the Monday after
    ShadowRowFactory(account=first, at=monday, pnl=Decimal(40))
    ShadowRowFactory(account=first, at=monday, rule="losses")
    ShadowRowFactory(account=second, at=monday, outcome="reduce", share=None, pnl=Decimal(7))

    def told(lines: list[ShadowLine]) -> list[tuple[str, str, str, int, int, int]]:
        return [(_day(line), line.account, line.rule, line.blocked, line.reduced, int(line.pnl)) for line in lines]

    assert told(shadow_lines(shadow_of())) == [
        ("", "A", "losses", 1, 0, 0), ("", "A", "pace", 2, 0, -60), ("", "B", "pace", 0, 1, 0),
    ]  # fmt: skip
    assert told(shadow_lines(shadow_of(account="A", rule="pace"), Span.DAY)) == [
        ("13", "A", "pace", 1, 0, -100), ("19", "A", "pace", 1, 0, 40),
    ]  # fmt: skip
    assert [line[0] for line in told(shadow_lines(shadow_of(account="A", rule="pace"), Span.WEEK))] == ["12", "19"]
    assert span_of(shadow_of()) is Span.DAY
    ShadowRowFactory(account=first, at=monday - timedelta(days=200))
    assert span_of(shadow_of()) is Span.WEEK


def _day(line: ShadowLine) -> str:
    return f"{line.period:%d}" if line.period else ""


def test_the_command_prints_what_it_found_and_says_where_there_is_nothing() -> None:
    assert shadow_command() == "No rule in shadow found fault with a decision.\n"
    ShadowRowFactory(account=AccountFactory(code="ES-MAIN"), pnl=Decimal("-12.5"))
    header, line = shadow_command("--account", "ES-MAIN", "--since", "2025-05-13", "--by", "day").splitlines()
    assert header.split()[:4] == ["period", "account", "rule", "decisions"]
    assert line.split() == ["2025-05-13", "ES-MAIN", "pace", "1", "1", "0", "1", "-12.50", "0", "1"]
    with pytest.raises(CommandError, match="NOBODY"):
        shadow_command("--account", "NOBODY")


def test_the_report_as_a_file_is_journalled(tmp_path: Path) -> None:
    ShadowRowFactory(account=AccountFactory(code="ES-MAIN"), pnl=Decimal(80))
    file = tmp_path / "shadow.csv"
    shadow_command("--account", "ES-MAIN", "--rule", "pace", "-o", file)
    [row] = csv.DictReader(StringIO(file.read_text()))
    assert (row["account"], row["rule"], row["blocked"], row["pnl"]) == ("ES-MAIN", "pace", "1", "80.00")
    entry = Entry.objects.get(kind_name="exported")
    assert (entry.account, entry.object_type) == ("ES-MAIN", "risk.account")
    filters = {"account": "ES-MAIN", "rule": "pace"}
    assert json.loads(entry.body)["fact"]["after"] == {"what": "shadow_report", "filters": filters}
    with pytest.raises(CommandError, match="could not be written"):
        shadow_command("-o", file / "below")
