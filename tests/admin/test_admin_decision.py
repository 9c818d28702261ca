"""The page of a decision: the verdict, why, on what it was judged, with which features."""

import math
from datetime import UTC, datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from decisions.models import Decision
from risk.admin.shared import reason_sentence
from risk.risk_controller import limits_submit
from risk.rules.codes import ReasonCode
from risk.rules.messages import MESSAGES
from tests.admin.pages import html_of
from tests.factories import (
    DRAWDOWN_REASON,
    FACTORY,
    LIMITS,
    AccountFactory,
    DecisionFactory,
    FeatureSetFactory,
    OutcomeFactory,
)

pytestmark = pytest.mark.django_db


def page_of(browser: Browser, decision: Decision) -> str:
    return html_of(browser, reverse("admin:decisions_decision_change", args=[decision.pk]))


def test_a_blocked_decision_says_why_with_its_numbers_and_when_to_ask_again(as_superuser: Browser) -> None:
    html = page_of(as_superuser, DecisionFactory(blocked=True))

    assert "desk-bad" in html
    assert "blocked" in html
    assert "Blackout until 2025-05-07T18:30:00Z: FOMC statement" in html
    assert "Ask again from 2025-05-07 18:30:00 UTC." in html


def test_every_reason_is_listed_in_its_order(as_superuser: Browser) -> None:
    decision = DecisionFactory(
        verdict="block", reason_code="drawdown_breached",
        reasons=[DRAWDOWN_REASON, {"code": "limits_missing", "message": "", "evidence": {}}],
    )  # fmt: skip

    html = page_of(as_superuser, decision)

    first = html.index("equity 47000 is below the floor 47500")
    assert first < html.index("No limits are set for the account.")


def test_what_did_not_count_is_told_apart(as_superuser: Browser) -> None:
    shadow = [{"code": "pace_exceeded", "message": "", "evidence": {"openings": 11, "limit": 10}}]

    html = page_of(as_superuser, DecisionFactory(shadow_reasons=shadow))

    assert "No rule stood against it." in html
    assert html.index("Did not count") < html.index("11 openings were allowed within the last hour")


def test_a_decision_that_nobody_asked_for_says_so(as_superuser: Browser) -> None:
    html = page_of(as_superuser, DecisionFactory(verdict="", mode="record", judged_on=None, trading_state=""))

    assert "It was recorded only" in html
    assert "Nothing was judged." in html


def test_a_sentence_that_does_not_fit_its_numbers_is_shown_as_it_was_recorded() -> None:
    assert reason_sentence({"code": "blackout", "message": "as told", "evidence": {}}) == "as told"
    assert reason_sentence({"code": "of_tomorrow", "message": "as told"}) == "as told"
    assert reason_sentence({"code": "limits_missing", "evidence": {}}) == MESSAGES[ReasonCode.LIMITS_MISSING]


def test_the_ten_most_important_features_come_with_their_values(as_superuser: Browser) -> None:
    features = FeatureSetFactory()
    vector = [float(place) + 0.125 for place in range(features.count)]
    vector[2] = math.nan
    decision = DecisionFactory(feature_set=features, feature_coverage=0.934, vector=vector)

    html = page_of(as_superuser, decision)

    assert "93.4 %" in html
    assert "feature_001" in html
    assert "0.125" in html
    assert "9.125" in html
    assert html.count('<span class="desk-badge desk-warn">missing</span>') == 1
    assert "feature_011" not in html


def test_how_far_each_feature_lies_off_is_a_bar_that_outlives_its_values(as_superuser: Browser) -> None:
    top = [
        {"name": "feature_001", "share": 0.0213, "deviation": 2.5, "missing": False},
        {"name": "feature_002", "share": 0.01, "deviation": None, "missing": True},
    ]
    judged_on = {"features": {"set": "1", "coverage": 0.99, "reference": "2", "drift": 0.155, "top": top}}
    decision = DecisionFactory(feature_coverage=0.99, judged_on=judged_on)

    html = page_of(as_superuser, decision)

    assert "Drift: 0.155 of 1." in html
    assert 'aria-label="2.50"><span class="desk-warn" style="width: 50%">' in html
    assert html.count('<span class="desk-badge desk-warn">missing</span>') == 1
    assert "features.top" not in html, "no second time among the figures"


def test_the_rest_of_the_trade_is_one_click_away(as_superuser: Browser) -> None:
    account = AccountFactory()
    entry = DecisionFactory(account=account, trade_id="es-1")
    leave = DecisionFactory(account=account, trade_id="es-1", decision="exit", side="sell")
    outcome = OutcomeFactory(account=account, decision_id=entry.pk, pnl="312.5")
    stranger = DecisionFactory(trade_id="es-1")

    html = page_of(as_superuser, entry)

    assert reverse("admin:decisions_decision_change", args=[leave.pk]) in html
    assert reverse("admin:decisions_outcome_change", args=[outcome.pk]) in html
    assert reverse("admin:decisions_decision_change", args=[stranger.pk]) not in html


def test_the_limits_it_was_judged_by_are_linked(as_superuser: Browser) -> None:
    account = AccountFactory()
    version = limits_submit(account.code, LIMITS, actor=FACTORY, reason="first").version
    decision = DecisionFactory(account=account, limits=version, limits_version=version.version)

    assert reverse("admin:risk_limitsversion_change", args=[version.pk]) in page_of(as_superuser, decision)


def test_a_trade_is_found_by_its_beginning_and_a_decision_by_its_id(as_superuser: Browser) -> None:
    DecisionFactory(trade_id="es-fomc-1")
    wanted = DecisionFactory(trade_id="es-cpi-7")
    url = "/admin/decisions/decision/?q="

    by_trade, by_id, by_other = (html_of(as_superuser, url + term) for term in ("es-cpi", str(wanted.pk), "ES-CPI"))

    for html in (by_trade, by_id):
        assert "es-cpi-7" in html
        assert "es-fomc-1" not in html
    assert "es-cpi-7" not in by_other


def test_filters_narrow_the_list(as_superuser: Browser) -> None:
    account = AccountFactory()
    early = datetime(2025, 5, 1, 23, 59, 59, tzinfo=UTC)
    DecisionFactory(account=account, trade_id="es-early", at=early)
    DecisionFactory(account=account, trade_id="es-blocked", blocked=True)
    DecisionFactory(trade_id="es-other", origin="imported")
    url = "/admin/decisions/decision/"

    def shown(query: str) -> set[str]:
        html = html_of(as_superuser, f"{url}?{query}")
        return {name for name in ("es-early", "es-blocked", "es-other") if name in html}

    assert shown("verdict__exact=block") == {"es-blocked"}
    assert shown("reason_code__exact=blackout") == {"es-blocked"}
    assert shown("origin__exact=imported") == {"es-other"}
    assert shown(f"account__exact={account.pk}") == {"es-early", "es-blocked"}
    assert shown("at_to=2025-05-01") == {"es-early"}
    assert shown("at_from=2025-05-02") == {"es-blocked", "es-other"}
    assert shown("at_from=2025-05-01&at_to=2025-05-01&verdict__exact=allow") == {"es-early"}
