"""What went wrong elsewhere, each as a day of this desk: one test for one fault, named after whose it is.

The figures that peers have published are in tests/risk/rules/test_published_answers.py.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test import Client as Browser
from django.urls import reverse

from decisions.models import Decision, Outcome
from mia_site.audit.canonical import leaf_hash
from mia_site.audit.models import Entry
from mia_site.audit.sealing import seal_pending
from mia_site.ops.clock import database_now
from mia_site.ops.facts import FactIsImmutable
from risk.equity import equity_record
from risk.models import Desk, StateChange
from risk.risk_controller import drawdown_check, limits_submit, stop_trading, trading_halt, trading_resume
from risk.rules.facts import DrawdownView
from risk.selectors.drawdown import drawdown_views
from risk.selectors.limits import limits_of
from risk.tasks import check_drawdown
from tests.audit.ledgers import found, run_sql, triggers_drop
from tests.decisions.bots import Bot, codes, desk_refresh, trading_bot
from tests.factories import FACTORY, AccountFactory, DecisionFactory, UserFactory
from tests.faults import failing_database
from tests.risk.accounts import APPROVER, MANAGER, account_under, drawdown_rule, point, state_now
from tests.risk.api.conftest import Bot as Web
from tests.risk.calendars import event, load
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EXIT: dict[str, Any] = {"decision": "exit_long", "side": "sell"}


@pytest.fixture
def bot(gate_clock: StillClock) -> Bot:
    """At noon, with 50,000 and a trailing drawdown of 5 %."""
    return trading_bot(now=gate_clock.now, drawdown=[drawdown_rule()])


def earns(bot: Bot, equity: int, at: datetime, *, flow: int = 0) -> None:
    equity_record(account=bot.account.code, points=[point(equity, at, cash_flow=flow)], actor=bot.actor)


def measured(bot: Bot, at: datetime) -> DrawdownView:
    """The account's only rule, measured at `at`."""
    state = state_now(bot.account.code)
    limits = limits_of(state)
    assert limits is not None
    (view,) = drawdown_views(state, limits, at)
    return view


# --- freqtrade ------------------------------------------------------------------------------------------------


def test_freqtrade_looks_at_closed_trades_only(bot: Bot) -> None:
    """Two contracts fall by 3,000 and nobody closes them: the account stops now, not when the trade is over."""
    assert bot.asks().decision.verdict == "allow"
    bot.reports(quantity=2, equity=47_000)
    assert not Outcome.objects.exists()
    assert state_now(bot.account.code).state == "REDUCE_ONLY"
    assert codes(bot.asks().decision) == ["account_reduce_only", "drawdown_breached"]
    assert bot.asks(**EXIT).decision.verdict == "allow"


def test_freqtrade_forgets_what_happened_before_its_lookback(bot: Bot, gate_clock: StillClock) -> None:
    """60,000 on Tuesday, 57,000 a month later: 5 % below the peak, at the floor, and a dollar less is a breach."""
    earns(bot, 60_000, gate_clock.now)
    gate_clock.now += 30 * DAY
    earns(bot, 57_000, gate_clock.now)
    view = measured(bot, gate_clock.now)
    assert (view.reference, view.drawdown) == (Decimal(60_000), Decimal("0.05"))
    assert state_now(bot.account.code).state == "ACTIVE"
    earns(bot, 56_999, gate_clock.now + timedelta(seconds=1))
    assert state_now(bot.account.code).state == "REDUCE_ONLY"


def test_freqtrade_lets_deposits_and_withdrawals_rewrite_history(bot: Bot, gate_clock: StillClock) -> None:
    """4 % down; 48,000 come in, 72,000 go out: 4 % down, and the worst was 4 % at the same time as before."""
    earns(bot, 48_000, gate_clock.now)
    worst = state_now(bot.account.code)
    for hours, flow in ((1, 48_000), (2, -72_000)):
        at = gate_clock.now = NOON + hours * HOUR
        equity = state_now(bot.account.code).equity
        assert equity is not None
        earns(bot, int(equity) + flow, at, flow=flow)
        assert measured(bot, at).drawdown == Decimal("0.04")
    state = state_now(bot.account.code)
    assert (state.equity, state.state, state.worst_drawdown) == (24_000, "ACTIVE", Decimal("0.04"))
    assert state.worst_trough_at == worst.worst_trough_at


def test_freqtrade_locks_have_no_actor_and_lose_their_expiry_when_they_end(bot: Bot, gate_clock: StillClock) -> None:
    until = gate_clock.now + HOUR
    trading_halt(account=bot.account.code, reason="feed is odd", actor=MANAGER, until=until)
    gate_clock.now += MINUTE
    trading_resume(account=bot.account.code, reason="feed is mended", actor=APPROVER)
    halt, resume = StateChange.objects.order_by("recorded_at")
    assert (halt.actor, halt.reason, halt.until) == ("user:1", "feed is odd", until)
    assert (resume.actor, resume.reason, resume.recorded_at) == ("user:2", "feed is mended", NOON + MINUTE)


# --- LEAN, hummingbot, NautilusTrader, MetaTrader 5, MIA ------------------------------------------------------


def test_lean_forgets_its_peak_after_a_breach_and_resumes_by_itself(bot: Bot, gate_clock: StillClock) -> None:
    """6 % down and stopped; the next day at 49,000: still stopped. A person resumes: 2 % below the same 50,000."""
    earns(bot, 47_000, gate_clock.now)
    gate_clock.now += DAY
    earns(bot, 49_000, gate_clock.now)
    drawdown_check()
    assert state_now(bot.account.code).state == "REDUCE_ONLY"
    trading_resume(account=bot.account.code, reason="looked at", actor=APPROVER)
    view = measured(bot, gate_clock.now)
    assert (view.reference, view.drawdown) == (Decimal(50_000), Decimal("0.02"))
    assert state_now(bot.account.code).worst_drawdown == Decimal("0.06")


def test_hummingbot_s_kill_switch_logs_its_exception_and_trades_on(bot: Bot, gate_clock: StillClock) -> None:
    """The check raises from now on: it is no heartbeat, and after three of its periods nothing opens."""
    drawdown_check()
    for _ in range(4):
        gate_clock.now += MINUTE
        with failing_database(OperationalError("no route to host")), pytest.raises(OperationalError):
            drawdown_check()
    bot.reports(quantity=2)
    assert codes(bot.asks().decision) == ["checks_stalled"]
    assert bot.asks(**EXIT).decision.verdict == "allow"


def test_nautilus_forwards_an_order_of_an_account_that_it_does_not_know(bot: Bot) -> None:
    answer = Web(bot.token).post("decisions/", bot.body(account="ES-NONE"))
    assert (answer.status, answer.body["verdict"], answer.body["recorded"]) == (403, "block", False)
    assert not Decision.objects.exists()


def test_nautilus_forwards_an_order_without_a_price_past_its_notional_cap(gate_clock: StillClock) -> None:
    """At most 1,000,000: a market order is worth nobody knows what, and 280,000 once a quote says 5600."""
    bot = trading_bot(now=gate_clock.now, exposure={"max_notional": "1000000"})
    market: dict[str, Any] = {"order_type": "market", "price": None}
    assert codes(bot.asks(**market).decision) == ["price_unknown"]
    assert bot.asks(**market, market={"bid": "5600", "ask": "5600"}).decision.verdict == "allow"
    priced = {"price": "5600", "quantity": "3"}
    answer = bot.asks(**priced).decision
    assert (answer.verdict, answer.max_quantity, codes(answer)) == ("reduce", 2, ["notional_cap"])


@pytest.mark.parametrize("rows", [(), ("no calendar at all",)], ids=["empty", "failed"])
def test_mt5_news_filters_read_an_empty_or_failed_calendar_as_no_news(
    bot: Bot, gate_clock: StillClock, rows: tuple[str, ...]
) -> None:
    """Read at noon, then only files without an event: the next day's noon is the last that it answers for."""
    load(event(gate_clock.now + 3 * DAY))
    gate_clock.now += DAY
    assert not load(*rows).ok
    Desk.objects.update(checks_at=gate_clock.now)
    bot.reports()
    assert bot.asks().decision.verdict == "allow"
    gate_clock.now += timedelta(seconds=1)
    assert codes(bot.asks().decision) == ["calendar_stale"]


def test_the_first_mia_controller_answers_go_on_when_its_own_check_raises() -> None:
    account_under()
    with failing_database(DatabaseError("disk image is malformed")):
        assert stop_trading(0.01) is True
    assert stop_trading(0.01) is False


# --- audit packages -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("outside")
def test_auditlog_and_simple_history_keep_no_record_of_a_bulk_write() -> None:
    """A hundred decisions in one write are a hundred entries; what was written around the door is named."""
    bot = trading_bot()
    told = bot.submits([bot.sent(mode="record", trade_id=f"T{number}") for number in range(100)])
    written = {answer.decision.id for answer in told.answers}
    assert set(Entry.objects.filter(kind_name="decision").values_list("id", flat=True)) == written
    around = DecisionFactory.build(account=bot.account, seq=999, recorded_at=database_now())
    Decision.objects.bulk_create([around])
    seal_pending()
    assert [(finding.code, str(around.id) in finding.where) for finding in found()] == [("entry_missing", True)]


def test_auditlog_s_actor_is_missing_in_celery(bot: Bot) -> None:
    """Nobody judged the point that broke the floor; the worker's check does, and signs with its name."""
    state = state_now(bot.account.code)
    state.marks["max_drawdown"]["last_equity"] = "47000"
    state.save()
    check_drawdown.apply()
    change = StateChange.objects.get()
    assert change.actor == Entry.objects.get(id=change.id).actor == "worker:risk.tasks.check_drawdown"


def test_staff_can_edit_the_history_rows_of_simple_history(bot: Bot) -> None:
    decision = bot.asks().decision
    browser = Browser()
    browser.force_login(UserFactory(is_superuser=True))
    page = reverse("admin:decisions_decision_change", args=[decision.pk])
    assert browser.post(page, {"verdict": "block", "quantity": "7"}).status_code == 403
    decision.verdict = "block"
    with pytest.raises(FactIsImmutable):
        decision.save()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run_sql("UPDATE audit_entry SET actor = 'user:9'")
    assert Decision.objects.get().verdict == "allow"


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["decisions_decision", "audit_entry", "audit_ledgerleaf"])
def test_pgtrigger_s_protect_does_not_stop_a_truncate(bot: Bot, table: str) -> None:
    bot.asks()
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")  # else PostgreSQL refuses for the foreign keys still to be checked
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run_sql(f"TRUNCATE {table} CASCADE")
    assert Decision.objects.count() == 1


@pytest.mark.usefixtures("outside")
def test_immudb_s_audit_said_consistent_over_values_that_were_tampered_with() -> None:
    """The owner of the tables drops the triggers and turns a block into an allow, proofs and hashes left alone."""
    bot = trading_bot()
    earns(bot, 47_000, database_now())
    decision = bot.asks().decision
    seal_pending()
    assert found() == []
    triggers_drop()
    entry = Entry.objects.get(id=decision.id)
    body, leaf = entry.body.replace('"block"', '"allow"'), bytes(entry.leaf_hash)
    key = str(decision.id) if connection.vendor == "postgresql" else decision.id.hex
    assert run_sql("UPDATE audit_entry SET body = %s WHERE id = %s", body, key) == 1
    assert leaf_hash(body.encode()) != leaf
    assert "text_changed" in {finding.code for finding in found(deep=False)}


# --- prop desks -----------------------------------------------------------------------------------------------


def test_tradovate_s_trailing_floor_stops_at_the_initial_balance(gate_clock: StillClock) -> None:
    """2,000 below the best of 50,000, then of 51,500; from 52,000 on the floor is 50,000 and rises no more."""
    rule = drawdown_rule("2000", of="amount", stops_rising_at_initial=True)
    bot = trading_bot(now=gate_clock.now, drawdown=[rule])
    for equity, floor in ((51_500, 49_500), (52_000, 50_000), (60_000, 50_000), (50_000, 50_000)):
        gate_clock.now += MINUTE
        earns(bot, equity, gate_clock.now)
        assert measured(bot, gate_clock.now).floor == floor
    assert state_now(bot.account.code).state == "ACTIVE"
    earns(bot, 49_999, gate_clock.now + timedelta(seconds=1))
    assert state_now(bot.account.code).state == "REDUCE_ONLY"


def test_ftmo_s_day_begins_at_midnight_in_prague(gate_clock: StillClock) -> None:
    """52,000 at midnight and 5 % of the initial 50,000: the floor is 49,500 until the next midnight."""
    gate_clock.now = datetime(2025, 5, 13, 21, 30, tzinfo=UTC)  # 23:30 in Prague
    account = AccountFactory(code="ES-PRAGUE", timezone="Europe/Prague")
    rule = drawdown_rule("0.05", of="initial", name="daily_loss", mode="daily", reset_at="00:00")
    limits_submit(account.code, {"drawdown": [rule]}, actor=MANAGER, reason="a prop desk's")
    for hours, equity, state in ((0, 52_000, "ACTIVE"), (8, 49_500, "ACTIVE"), (1, 49_499, "REDUCE_ONLY")):
        gate_clock.now += hours * HOUR
        equity_record(account="ES-PRAGUE", points=[point(equity, gate_clock.now)], actor=FACTORY)
        assert state_now("ES-PRAGUE").state == state


def test_ftmo_forbids_trades_two_minutes_around_news_on_the_targeted_instruments(gate_clock: StillClock) -> None:
    narrow = {"minutes_before": 0, "minutes_after": 0}
    bot = trading_bot(now=gate_clock.now, blackout=narrow, windows={"presets": ["prop_desk"]})
    news = gate_clock.now + 10 * MINUTE
    load(f"{event(news, 'ECB rate decision')},EUR", header="start_time,type,impact,currency")
    verdicts = {}
    for seconds in (-121, -120, 0, 120, 121):
        gate_clock.now = news + timedelta(seconds=seconds)
        desk_refresh(gate_clock.now)
        bot.reports()
        verdicts[seconds] = [bot.asks(instrument=name).decision.verdict for name in ("FESX", "ES")]
    inside, outside = ["block", "allow"], ["allow", "allow"]
    assert verdicts == {-121: outside, -120: inside, 0: inside, 120: inside, 121: outside}
