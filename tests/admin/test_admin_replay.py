"""Other limits tried at the keyboard: asked for, made a step at a time, looked at, taken away as CSV."""

import json
from datetime import timedelta

import pytest
from django.test import Client as Browser

from decisions.admin.replay_page import replay_context
from decisions.models import LimitsReplay
from decisions.replay.expiry import replays_expire
from decisions.replay.job import LEASE, replay_advance
from mia_site.audit.models import Entry
from risk.admin.account_page import limits_yaml
from risk.roles import COMPLIANCE_VIEWER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.decisions.bots import NO_FEATURES, Bot, trading_bot
from tests.decisions.test_replay import trading_day
from tests.factories import LIMITS, UserFactory
from tests.risk.accounts import drawdown_rule
from tests.stillness import StillClock

pytestmark = pytest.mark.django_db
URL = "/admin/decisions/limitsreplay/"
TIGHTER = LIMITS | NO_FEATURES | {"drawdown": [drawdown_rule("0.03")]}


@pytest.fixture
def bot(gate_clock: StillClock) -> Bot:
    bot = trading_bot(now=gate_clock.now)
    trading_day(bot, gate_clock)
    return bot


def asked(browser: Browser, bot: Bot, **given: str) -> LimitsReplay:
    fields = {"account": str(bot.account.pk), "document": limits_yaml(TIGHTER), **given}
    answer = browser.post(f"{URL}ask/", fields)
    assert answer.status_code == 302, answer.content.decode()
    return LimitsReplay.objects.latest("id")


def done(run: LimitsReplay, clock: StillClock) -> LimitsReplay:
    while replay_advance(clock.now, seconds=4):
        pass
    run.refresh_from_db()
    assert run.finished_at is not None
    return run


def test_the_empty_list_says_what_it_is_for(as_role: Login) -> None:
    browser = as_role(COMPLIANCE_VIEWER)
    assert "Nobody has tried other limits yet." in html_of(browser, URL)
    assert "there is no account yet" in html_of(browser, f"{URL}ask/")


def test_a_replay_is_asked_for_made_and_looked_at(as_role: Login, bot: Bot, gate_clock: StillClock) -> None:
    browser = as_role(COMPLIANCE_VIEWER)
    assert "max_drawdown" in html_of(browser, f"{URL}ask/?account={bot.account.code}")
    run = asked(browser, bot)
    page = f"{URL}{run.pk}/change/"
    waiting = browser.get(page)
    assert (waiting["Refresh"], "0 of 7 rows" in waiting.content.decode()) == ("2", True)
    html = html_of(browser, f"{URL}{done(run, gate_clock).pk}/change/")
    assert "Trading states: 0 stops by a limit, 1 there would have been" in html
    assert "account_reduce_only" in html and "T50200" in html
    assert html.count("<canvas") == 2
    assert "Refresh" not in browser.get(page).headers
    assert Entry.objects.filter(kind_name="exported", body__contains="limits_replay").count() == 1


def test_the_curves_tell_what_trades_made_on_both_sides(as_role: Login, bot: Bot, gate_clock: StillClock) -> None:
    context = replay_context(done(asked(as_role(COMPLIANCE_VIEWER), bot), gate_clock))
    was, would = (line["data"] for line in json.loads(context["profit_chart"])["datasets"])
    assert (was[-1], would[-1]) == (1_100, 400)
    assert json.loads(context["equity_chart"])["datasets"][0]["data"][-1] == 51_000
    assert len(context["otherwise"]) == 2


def test_the_table_goes_out_as_csv_and_the_journal_knows(as_role: Login, bot: Bot, gate_clock: StillClock) -> None:
    browser = as_role(COMPLIANCE_VIEWER)
    run = done(asked(browser, bot), gate_clock)
    lines = browser.get(f"{URL}{run.pk}/table/").content.decode().splitlines()
    assert lines[0].startswith("kind,at,happened,would_have,change")
    assert [line.split(",")[0] for line in lines[1:]] == ["decision", "decision", "state"]
    assert Entry.objects.filter(kind_name="exported", body__contains="limits_replay").count() == 2
    assert browser.get(f"{URL}{run.pk + 1}/table/").status_code == 404


def test_limits_that_are_none_and_a_period_that_ends_before_it_begins_are_refused(as_role: Login, bot: Bot) -> None:
    browser, fields = as_role(COMPLIANCE_VIEWER), {"account": str(bot.account.pk)}
    wrong = browser.post(f"{URL}ask/", fields | {"document": "drawdown: 5"}).content.decode()
    assert "a list of drawdown rules" in wrong
    backwards = {"since": "2026-01-02 00:00", "until": "2026-01-01 00:00", "document": limits_yaml(TIGHTER)}
    assert "The end must be after the beginning." in browser.post(f"{URL}ask/", fields | backwards).content.decode()
    assert not LimitsReplay.objects.exists()


def test_who_may_not_export_may_not_ask(db: None) -> None:
    browser = Browser()
    browser.force_login(UserFactory(is_staff=True))
    assert {browser.get(f"{URL}ask/").status_code, browser.get(f"{URL}1/table/").status_code} == {403}


def test_a_step_that_another_worker_is_at_is_left_to_it(as_role: Login, bot: Bot, gate_clock: StillClock) -> None:
    run = asked(as_role(COMPLIANCE_VIEWER), bot)
    LimitsReplay.objects.update(leased_until=gate_clock.now + LEASE)
    assert not replay_advance(gate_clock.now, seconds=4)
    run.refresh_from_db()
    assert run.checked == 0
    assert not replay_advance(gate_clock.now + 2 * LEASE, seconds=4)
    assert done(run, gate_clock).checked == run.total == 7


def test_one_that_cannot_go_on_says_why_and_those_behind_it_have_their_turn(
    as_role: Login, bot: Bot, gate_clock: StillClock
) -> None:
    browser = as_role(COMPLIANCE_VIEWER)
    older, newer = asked(browser, bot), asked(browser, bot)
    LimitsReplay.objects.filter(pk=older.pk).update(progress='{"of": "another release"}')
    assert not done(newer, gate_clock).error
    older.refresh_from_db()
    assert older.error.startswith("ValidationError") and older.finished_at is not None
    html = html_of(browser, f"{URL}{older.pk}/change/")
    assert "The replay has failed: ValidationError" in html and "failed" in html_of(browser, URL)


def test_old_replays_expire(as_role: Login, bot: Bot, gate_clock: StillClock) -> None:
    run = asked(as_role(COMPLIANCE_VIEWER), bot)
    assert replays_expire(run.created_at + timedelta(days=1)) == 0
    assert replays_expire(run.created_at + timedelta(days=4000)) == 1
