"""After a storm on one account, and after the demo's week, every projection is what its facts say."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from decisions.decision_log import decisions_write, outcome_record
from decisions.demo.load import demo_load
from decisions.inputs import DecisionInput, OutcomeInput, RegimeInput
from decisions.models import Decision
from decisions.projections import projections_check
from mia_site.ops.clock import database_now
from risk.desk_limits import desk_limits_submit
from risk.equity import equity_record
from risk.inputs import EquityInput
from risk.limits_law import limits_submit
from risk.risk_controller import drawdown_check
from tests.factories import FACTORY, AccountFactory, state_of
from tests.risk.accounts import MANAGER, drawdown_rule
from tests.threads import at_once

CODE = "ES-STORM"
OFF = {"mode": "off", "reason": "not under test"}


def reports(equity: int) -> None:
    point = EquityInput(at=database_now() - timedelta(seconds=1), equity=Decimal(equity))
    equity_record(account=CODE, points=[point], actor=FACTORY)


def trades(pnl: int) -> None:
    sent = DecisionInput(
        account=CODE, trade_id=f"T{pnl}", decision="buy", signal_score=0.8, regime_probs=RegimeInput(),
        instrument="ES", quantity=Decimal(1),
    )  # fmt: skip
    with transaction.atomic():
        answer = decisions_write([sent], account=CODE, client=None, actor=FACTORY)
    told = OutcomeInput(pnl=Decimal(pnl), closed_at=database_now(), final=True)
    outcome_record(Decision.objects.get(id=answer.answers[0].decision.id), told, actor=FACTORY)


def test_after_a_storm_of_reports_trades_and_checks_nothing_differs(cloned_database: str) -> None:
    account = AccountFactory(code=CODE)
    rules = dict.fromkeys(("features", "calendar", "checks"), OFF)
    document = {"drawdown": [drawdown_rule("0.10")], "losses": {"max_consecutive": 3}, "rules": rules}
    limits_submit(CODE, document, actor=MANAGER, reason="a test")
    reports(50_000)
    desk_limits_submit({"drawdown": [drawdown_rule("0.20")]}, actor=MANAGER, reason="a test")
    storm: list[Callable[[], object]] = [partial(reports, equity) for equity in (51_000, 49_000, 44_000, 52_000)]
    storm += [partial(trades, pnl) for pnl in (-10, 20, -30, -40)]
    answers = at_once([*storm, drawdown_check])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert state_of(account).seq >= 12
    assert [str(found) for found in projections_check()] == []


@pytest.mark.django_db
@pytest.mark.usefixtures("quiet_background")
def test_after_the_demo_s_week_nothing_differs(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    list(demo_load())
    assert [str(found) for found in projections_check()] == []
