"""The shadow report at the keyboard: what the filters leave adds up above the rows, and goes out as a file."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client as Browser

from decisions.admin.shadow import report_context
from decisions.models import ShadowRow
from mia_site.audit.models import Entry
from risk.roles import COMPLIANCE_VIEWER
from tests.admin.conftest import Login
from tests.admin.pages import html_of
from tests.factories import NOON, AccountFactory, DecisionFactory, ShadowRowFactory

pytestmark = pytest.mark.django_db
URL = "/admin/decisions/shadowrow/"


def test_without_a_rule_in_shadow_the_page_says_how_to_put_one_there(as_role: Login) -> None:
    html = html_of(as_role(COMPLIANCE_VIEWER), URL)

    assert "No rule in shadow found fault with a decision." in html
    assert 'id="shadow-report"' not in html


def test_the_totals_are_those_of_the_filters(as_role: Login) -> None:
    account, other = AccountFactory(), AccountFactory()
    decision = DecisionFactory(account=account, trade_id="es-shadowed")
    ShadowRowFactory(account=account, decision_id=decision.pk, pnl=Decimal(-250))
    ShadowRowFactory(account=other, rule="losses", pnl=Decimal(1111))

    html = html_of(as_role(COMPLIANCE_VIEWER), f"{URL}?account__exact={account.pk}&at_from=2025-05-13")

    assert "es-shadowed" in html
    assert "-250.00" in html
    assert "1,111" not in html
    assert html.count("<canvas") == 2


def test_the_charts_tell_losses_spared_from_profits_missed() -> None:
    for days, pnl in ((0, -100), (0, 30), (1, 50)):
        ShadowRowFactory(at=NOON + timedelta(days=days), pnl=Decimal(pnl), account=AccountFactory())
    context = report_context(ShadowRow.objects.all())

    spared, missed = (bar["data"] for bar in json.loads(context["pnl_chart"])["datasets"])
    assert (spared, missed) == ([100, 0], [-30, -50])
    blocked, reduced = (bar["data"] for bar in json.loads(context["stopped_chart"])["datasets"])
    assert (blocked, reduced) == ([2, 1], [0, 0])


def test_the_totals_by_day_go_out_as_csv_and_the_journal_knows(as_role: Login) -> None:
    account = AccountFactory(code="ES-MAIN")
    for days in (0, 1):
        ShadowRowFactory(account=account, at=NOON + timedelta(days=days))
    ShadowRowFactory(account=account, rule="losses")
    browser: Browser = as_role(COMPLIANCE_VIEWER)

    answer = browser.get(f"{URL}export/totals/?rule__exact=pace")

    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(row["period"], row["rule"], row["blocked"]) for row in rows] == [
        ("2025-05-13", "pace", "1"), ("2025-05-14", "pace", "1"),
    ]  # fmt: skip
    told = json.loads(Entry.objects.get(kind_name="exported").body)["fact"]["after"]
    assert told == {"list": "decisions.shadowrow", "format": "totals", "filters": {"rule__exact": "pace"}}


def test_a_decision_s_page_names_the_rule_in_shadow(as_superuser: Browser) -> None:
    shadow = [{"code": "pace_exceeded", "message": "too fast", "evidence": {}, "rule": "pace", "outcome": "block"}]

    html = html_of(as_superuser, f"/admin/decisions/decision/{DecisionFactory(shadow_reasons=shadow).pk}/change/")

    assert "rule pace in shadow, would have been" in html
