"""Limits in force that this release cannot read: nothing opens, nothing is measured, and staff can replace them."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.urls import reverse

from risk.equity import equity_record
from risk.inputs import EquityInput
from risk.limits_law import limits_decide, limits_submit
from risk.models import AccountState
from risk.risk_controller import trading_halt, trading_resume
from risk.rules.facts import TradingState
from risk.trading_states import StateRefused
from tests.decisions.bots import Bot, trading_bot
from tests.factories import FACTORY, LIMITS, LimitsVersionFactory
from tests.risk.accounts import APPROVER
from tests.risk.api.conftest import Bot as Web
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


@pytest.fixture
def bot(gate_clock: StillClock) -> Bot:
    """A bot whose account rose to 52,000; then limits of another release came into force."""
    bot = trading_bot()
    reports(bot, 52_000)
    body = {**LIMITS, "leverage": {"max": 3}}
    version = LimitsVersionFactory(account=bot.account, version=2, seq=99, body=body, applied=True)
    AccountState.objects.filter(account=bot.account).update(limits=version, seq=99)
    return bot


def reports(bot: Bot, equity: int) -> None:
    point = EquityInput(at=NOON + timedelta(seconds=1), equity=Decimal(equity))
    equity_record(account=bot.account.code, points=[point], actor=FACTORY)


def test_pages_and_state_can_be_read_and_reports_are_refused_with_the_reason(bot: Bot, admin_client: Browser) -> None:
    code = bot.account.code
    web = Web(bot.token)
    assert web.get(f"accounts/{code}/state").body["drawdowns"] == {}
    pages = [reverse("admin:risk_account_change", args=[bot.account.pk]), reverse("admin:decisions_decision_week")]
    assert [admin_client.get(page).status_code for page in pages] == [200, 200]
    for path, sent in _reports(code):
        answer = web.post(path, sent)
        assert (answer.status, answer.body["code"], answer.body["recorded"]) == (503, "engine_unavailable", False)
        assert answer.body["detail"].startswith("limits version 2: leverage: expected only known fields")


def _reports(code: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"accounts/{code}/equity", {"at": NOON.isoformat(), "equity": 50_000}),
        ("risk/stop-trading", {"account": code, "drawdown": 0.01}),
    ]


def test_the_account_can_be_stopped_and_is_not_resumed(bot: Bot) -> None:
    stopped = trading_halt(account=bot.account.code, state=TradingState.HALTED, reason="unread limits", actor=FACTORY)
    assert stopped.to_state == "HALTED"
    with pytest.raises(StateRefused, match="limits that this release can read"):
        trading_resume(account=bot.account.code, reason="all is well", actor=APPROVER)


def test_limits_that_replace_them_are_a_loosening_and_forget_no_peak(bot: Bot) -> None:
    proposed = limits_submit(bot.account.code, LIMITS, actor=FACTORY, reason="as this release reads them")
    assert not proposed.applied, "what cannot be read may have been tighter"
    limits_decide(proposed.version, approve=True, actor=APPROVER, reason="read and compared")
    assert AccountState.objects.get(account=bot.account).marks["max_drawdown"]["reference"] == "52000"
    told = StringIO()
    call_command("rebuild_projections", "--check", stdout=told)
