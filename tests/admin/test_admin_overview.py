"""The first page and the pages of accounts: how everything stands, also where there is nothing yet."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from decisions.admin.figures import verdict_counts
from mia_site.audit.admin.rendering import age
from mia_site.ops.clock import database_now
from mia_site.ops.registry import readiness_run
from risk.admin.account_page import INPUT_WORDS, bar_of
from risk.equity import equity_record
from risk.held import held_rule
from risk.inputs import EquityInput
from risk.risk_controller import limits_submit, scope_halt, stop_place
from risk.roles import COMPLIANCE_VIEWER
from risk.rules.facts import DrawdownView, StopScope
from risk.rules.limits import Allowance, AllowanceOf, DrawdownLimit, DrawdownMode
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import FACTORY, LIMITS, AccountFactory, AlertFactory, DecisionFactory, MacroEventFactory
from tests.stories import Story

pytestmark = pytest.mark.django_db


def charts(html: str) -> list[dict[str, Any]]:
    return [json.loads(unescape(text)) for text in re.findall(r'data-value="([^"]+)"', html)]


def test_the_first_page_of_an_empty_desk_says_what_is_missing(as_role: Login) -> None:
    html = html_of(as_role(COMPLIANCE_VIEWER), "/admin/")

    assert "No account yet" in html
    assert "No bot asked in the last 24 hours." in html
    assert "No decision was blocked." in html
    assert "None is known." in html
    assert "nothing waits for a person" in html
    assert charts(html) == []


def test_the_first_page_shows_states_blocks_events_and_alerts(as_role: Login, story: Story) -> None:
    html = html_of(as_role(COMPLIANCE_VIEWER), "/admin/")

    assert reverse("admin:risk_account_change", args=[story.trading.pk]) in html
    assert "halted" in html
    assert reverse("admin:decisions_decision_change", args=[story.blocked.pk]) in html
    assert "Blackout until" in html
    assert "FOMC statement USD" in html
    assert "Beige Book" not in html, "only high-impact events"
    assert "The calendar source fed could not be read whole" in html


def test_missed_deadlines_of_the_last_day_are_counted(as_role: Login) -> None:
    now = database_now()
    AlertFactory(code="deadline_missed", repeats=2, last_at=now - timedelta(hours=1))
    AlertFactory(code="deadline_missed", repeats=5, last_at=now - timedelta(hours=25))

    html = html_of(as_role(COMPLIANCE_VIEWER), "/admin/")

    assert "3 answers in the last 24 hours came too late or were not recorded" in html


def test_the_charts_count_what_was_judged(as_role: Login) -> None:
    now = database_now()
    DecisionFactory.create_batch(2, at=now)
    DecisionFactory(at=now, blocked=True)
    DecisionFactory(at=now - timedelta(days=2), blocked=True)
    DecisionFactory(at=now, verdict="", mode="record")
    DecisionFactory(at=now - timedelta(days=30))

    day, week = charts(html_of(as_role(COMPLIANCE_VIEWER), "/admin/"))

    assert {line["label"]: sum(line["data"]) for line in day["datasets"]} == {"allowed": 2, "reduced": 0, "blocked": 1}
    assert {line["label"]: sum(line["data"]) for line in week["datasets"]} == {"allowed": 2, "reduced": 0, "blocked": 2}
    assert (len(day["labels"]), len(week["labels"])) == (24, 7)


def test_counting_verdicts_is_one_query(db: None) -> None:
    DecisionFactory.create_batch(3)
    now = database_now()

    with CaptureQueriesContext(connection) as spent:
        verdict_counts(now)

    assert len(spent) == 1


def test_the_first_page_costs_the_same_with_many_accounts(as_superuser: Browser) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as spent:
            html_of(as_superuser, "/admin/")
        return len(spent)

    AccountFactory()
    html_of(as_superuser, "/admin/")
    one = cost()
    AccountFactory.create_batch(8)
    DecisionFactory.create_batch(5, blocked=True)

    assert cost() <= one


def test_an_account_shows_how_much_of_its_allowance_is_used(as_superuser: Browser) -> None:
    account = AccountFactory(initial_balance=Decimal(50_000))
    limits_submit(account.code, LIMITS, actor=FACTORY, reason="first")
    point = EquityInput(at=database_now(), equity=Decimal(49_000))
    equity_record(account=account.code, points=[point], actor=FACTORY)

    html = html_of(as_superuser, reverse("admin:risk_account_change", args=[account.pk]))

    assert "drawdown 2.00 % from 50,000.00; floor 47,500.00; 1,500.00 left" in html
    assert "width: 40%" in html
    assert "width: 50%" in html
    [chart] = charts(html)
    assert chart["datasets"][0]["data"] == [49000.0]


@pytest.mark.parametrize(("accept", "drawn"), [(None, [50000.0]), (False, [50000.0]), (True, [50000.0, 70000.0])])
def test_equity_that_nobody_believes_is_not_drawn(
    as_superuser: Browser, accept: bool | None, drawn: list[float]
) -> None:
    account = AccountFactory(initial_balance=Decimal(50_000))
    limits_submit(account.code, {**LIMITS, "plausibility": {"max_move": "0.2"}}, actor=FACTORY, reason="first")
    now = database_now()
    for second, equity in enumerate((50_000, 70_000)):
        point = EquityInput(at=now + timedelta(seconds=second - 2), equity=Decimal(equity))
        equity_record(account=account.code, points=[point], actor=FACTORY)
    if accept is not None:
        held_rule(account=account.code, accept=accept, reason="the broker was asked", actor=FACTORY)

    [chart] = charts(html_of(as_superuser, reverse("admin:risk_account_change", args=[account.pk])))

    assert chart["datasets"][0]["data"] == drawn


def test_every_input_of_an_account_has_a_name_in_the_readers_language() -> None:
    account = AccountFactory()
    asked: dict[str, Any] = {
        "session": {"hours": "regular"},
        "calendar": {"horizon_hours": 48},
        "algorithms": {"max_unreviewed": 10, "required": True},
        "features": {"max_drift": "0.5"},
    }
    limits_submit(account.code, {**LIMITS, **asked}, actor=FACTORY, reason="first")
    scope_halt(stop_place(StopScope.INSTRUMENT, "ES"), reason="rollover", actor=FACTORY)

    assert {line.name for line in readiness_run(account.code)} == set(INPUT_WORDS)


def test_an_account_without_anything_says_what_is_missing(as_superuser: Browser) -> None:
    account = AccountFactory()

    html = html_of(as_superuser, reverse("admin:risk_account_change", args=[account.pk]))

    assert "No limits are set for this account." in html
    assert "No equity was ever reported for this account." in html
    assert "every opening is blocked" in html
    assert "missing" in html


def test_the_story_of_an_account_reads_well(as_superuser: Browser, story: Story) -> None:
    html = html_of(as_superuser, reverse("admin:risk_account_change", args=[story.trading.pk]))

    assert "ES <span>2</span>" in html
    assert "a busier bot" in html
    assert "max_drawdown" in html
    assert len(charts(html)[0]["labels"]) == 121


@pytest.mark.parametrize(
    ("equity", "used", "tone"),
    [("50000", 0, "good"), ("51000", 0, "good"), ("48250", 70, "warn"), ("47500", 100, "bad"), ("40000", 100, "bad")],
)
def test_a_bar_never_leaves_its_frame(equity: str, used: int, tone: str) -> None:
    rule = DrawdownLimit(
        name="max_drawdown",
        mode=DrawdownMode.STATIC,
        allowance=Allowance(of=AllowanceOf.INITIAL, value=Decimal("0.05")),
    )
    view = DrawdownView(
        rule=rule, reference=Decimal(50_000), floor=Decimal(47_500), equity=Decimal(equity), drawdown=Decimal(0)
    )

    bar = bar_of(view)

    assert (bar.width, bar.tone) == (used, tone)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (3 * 86_400, "3 d"), (-5, "0 s")]
)
def test_ages_are_told_in_the_unit_that_fits(seconds: int, words: str) -> None:
    now = database_now()

    assert age(now - timedelta(seconds=seconds), now) == words


def test_an_event_that_began_is_shown_for_half_an_hour(as_superuser: Browser) -> None:
    now = database_now()
    MacroEventFactory(event_type="just now", start_at=now - timedelta(minutes=29))
    MacroEventFactory(event_type="long ago", start_at=now - timedelta(minutes=31))

    html = html_of(as_superuser, "/admin/")

    assert "just now" in html
    assert "long ago" not in html
