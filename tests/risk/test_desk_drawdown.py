"""The desk's own drawdown: the sum of the accounts' equity, judged under the desk's lock as each account reports."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.urls import reverse

from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from risk.desk_limits import desk_limits_decide, desk_limits_submit
from risk.equity import equity_record
from risk.inputs import EquityInput, InputError
from risk.limits_law import limits_submit
from risk.models import Account, Desk, DeskPoint, StateChange
from risk.projections import desk_check
from risk.risk_controller import desk_resume, drawdown_check
from risk.roles import RISK_APPROVER
from risk.rules.limits import LimitsError
from risk.trading_states import StateRefused
from tests.factories import FACTORY, AccountFactory, UserFactory, state_of
from tests.risk.accounts import APPROVER, MANAGER, drawdown_rule
from tests.threads import at_once

TEN_PER_CENT: dict[str, Any] = {"drawdown": [drawdown_rule("0.10")]}


def reports(account: Account, equity: int, flow: int = 0) -> None:
    point = EquityInput(at=database_now(), equity=Decimal(equity), cash_flow=Decimal(flow))
    equity_record(account=account.code, points=[point], actor=FACTORY)


def two_accounts() -> tuple[Account, Account]:
    """50,000 each, and the desk may lose a tenth of the two together."""
    first, second = AccountFactory(), AccountFactory()
    for account in (first, second):
        reports(account, 50_000)
    desk_limits_submit(TEN_PER_CENT, actor=MANAGER, reason="the desk as a whole")
    return first, second


def desk_now() -> Desk:
    return Desk.objects.select_related("limits").get()


@pytest.mark.django_db
@pytest.mark.parametrize(("equity", "state"), [(40_000, "ACTIVE"), (39_999, "REDUCE_ONLY")])
def test_a_tenth_of_both_accounts_together_may_be_lost_in_one(equity: int, state: str) -> None:
    first, _ = two_accounts()
    reports(first, equity)
    desk = desk_now()
    assert (desk.equity, desk.state) == (50_000 + equity, state)
    assert state_of(first).state == "ACTIVE"
    assert desk_check() == []


@pytest.mark.django_db
def test_the_stop_of_the_desk_is_a_fact_with_its_figures_and_an_alert() -> None:
    first, _ = two_accounts()
    reports(first, 39_000)
    change = StateChange.objects.get(scope="desk")
    assert (change.cause, change.evidence["equity"], change.evidence["floor"]) == ("drawdown", "89000", "90000")
    assert Alert.objects.filter(code="desk_stopped").count() == 1
    reports(first, 38_000)
    assert StateChange.objects.filter(scope="desk").count() == 1


@pytest.mark.django_db
def test_a_profit_in_one_account_pays_for_a_loss_in_the_other() -> None:
    first, second = two_accounts()
    reports(second, 60_000)
    reports(first, 40_000)
    assert (desk_now().state, desk_now().drawdown) == ("ACTIVE", round(Decimal(10_000) / 110_000, 10))


@pytest.mark.django_db
def test_a_deposit_and_a_new_account_change_no_drawdown_of_the_desk() -> None:
    first, _ = two_accounts()
    reports(first, 45_000)
    before = desk_now().drawdown
    reports(first, 145_000, flow=100_000)
    reports(AccountFactory(), 70_000)
    assert (before, desk_now().drawdown) == (Decimal("0.05"), Decimal("0.05"))
    assert desk_now().equity == 265_000
    assert desk_check() == []


@pytest.mark.django_db
def test_money_of_a_point_that_is_held_did_not_come_to_the_desk() -> None:
    first, _ = two_accounts()
    limits = {**TEN_PER_CENT, "plausibility": {"max_move": "0.2"}}
    limits_submit(first.code, limits, actor=MANAGER, reason="bad ticks are held")
    now = database_now()
    wild = EquityInput(at=now - timedelta(seconds=1), equity=Decimal(500_000), cash_flow=Decimal(10_000))
    equity_record(account=first.code, points=[wild, EquityInput(at=now, equity=Decimal(50_500))], actor=FACTORY)
    point = DeskPoint.objects.order_by("seq").last()
    assert point is not None and (point.equity, point.cash_flow) == (100_500, 0)


@pytest.mark.django_db
def test_an_account_in_another_currency_is_not_added_up() -> None:
    two_accounts()
    reports(AccountFactory(currency="EUR"), 1_000)
    assert (desk_now().equity, DeskPoint.objects.count()) == (100_000, 1)


@pytest.mark.django_db
def test_without_rules_of_its_own_the_desk_adds_nothing_up() -> None:
    reports(AccountFactory(), 50_000)
    assert not DeskPoint.objects.exists()


@pytest.mark.django_db
def test_the_desk_is_not_resumed_while_it_is_below_its_floor() -> None:
    first, _ = two_accounts()
    reports(first, 39_000)
    with pytest.raises(StateRefused, match="the desk is below the floor of max_drawdown"):
        desk_resume(reason="on", actor=APPROVER)
    reports(first, 45_000)
    desk_resume(reason="on", actor=APPROVER)
    assert desk_now().state == "ACTIVE"


@pytest.mark.django_db
def test_a_bad_tick_of_one_account_does_not_stop_the_desk_where_it_asks_for_confirmation() -> None:
    first, _ = two_accounts()
    desk_limits_decide(
        desk_limits_submit(TEN_PER_CENT | {"confirmation": {"points": 2}}, actor=MANAGER, reason="ticks").version,
        approve=True,
        actor=APPROVER,
        reason="agreed",
    )
    reports(first, 50)
    assert desk_now().state == "ACTIVE"
    reports(first, 49_000)
    assert desk_now().drawdown == Decimal("0.01")
    for equity in (39_000, 38_000):
        reports(first, equity)
    assert desk_now().state == "REDUCE_ONLY"
    assert desk_check() == []


@pytest.mark.django_db
def test_the_periodic_check_stops_a_desk_whose_breach_lasted() -> None:
    first, _ = two_accounts()
    looser = TEN_PER_CENT | {"confirmation": {"seconds": 1}}
    proposed = desk_limits_submit(looser, actor=MANAGER, reason="ticks")
    desk_limits_decide(proposed.version, approve=True, actor=APPROVER, reason="agreed")
    reports(first, 39_000)
    Desk.objects.update(marks=_older(desk_now().marks))
    drawdown_check()
    assert desk_now().state == "REDUCE_ONLY"


def _older(marks: dict[str, Any]) -> dict[str, Any]:
    """As if the doubt had begun long ago."""
    doubt = marks["max_drawdown"]["doubt"] | {"since": "2020-01-01T00:00:00+00:00"}
    return {"max_drawdown": marks["max_drawdown"] | {"doubt": doubt}}


@pytest.mark.django_db
def test_tightening_is_in_force_at_once_and_loosening_waits_for_a_second_person() -> None:
    two_accounts()
    tighter = desk_limits_submit({"drawdown": [drawdown_rule("0.08")]}, actor=MANAGER, reason="less room")
    looser = desk_limits_submit(TEN_PER_CENT, actor=MANAGER, reason="room")
    assert (tighter.applied, looser.applied) == (True, False)
    with pytest.raises(InputError, match="a second person"):
        desk_limits_decide(looser.version, approve=True, actor=MANAGER, reason="mine")
    desk_limits_decide(looser.version, approve=True, actor=APPROVER, reason="agreed")
    assert desk_now().limits_id == looser.version.id
    assert not desk_limits_submit(TEN_PER_CENT, actor=MANAGER, reason="again").changed
    assert desk_check() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"drawdown": [drawdown_rule()], "currency": "usd"}, "currency"),
        ({"drawdown": [drawdown_rule()], "timezone": "Chicago"}, "timezone"),
        ({"drawdown": [drawdown_rule()], "pace": {}}, "pace"),
        ({"drawdown": [drawdown_rule()], "rules": {"pace": {"mode": "shadow"}}}, "rules.pace"),
        ({"drawdown": []}, "drawdown"),
    ],
)
def test_the_desk_has_drawdown_rules_and_nothing_else(document: dict[str, Any], field: str) -> None:
    with pytest.raises(LimitsError) as refused:
        desk_limits_submit(document, actor=MANAGER, reason="why")
    assert refused.value.field == field


@pytest.mark.django_db
def test_the_command_reads_and_prints_the_desk_s_rules(tmp_path: Path) -> None:
    file, out = tmp_path / "desk.yaml", StringIO()
    with pytest.raises(CommandError, match="no limits of its own"):
        call_command("desk_limits", "export")
    file.write_text("drawdown: [{name: desk, mode: static, allowance: {of: initial, value: '0.1'}}]")
    call_command("desk_limits", "import", str(file), "--reason", "the desk as a whole", stdout=out)
    call_command("desk_limits", "export", stdout=out)
    assert "version 1 of the desk's limits is in force" in out.getvalue()
    assert "mode: static" in out.getvalue()
    file.write_text("drawdown: nonsense")
    with pytest.raises(CommandError, match="a list of drawdown rules"):
        call_command("desk_limits", "import", str(file), "--reason", "why")
    file.write_text(f"currency: EUR\n{'#' * 256 * 1024}\ndrawdown: nonsense")
    with pytest.raises(CommandError, match="larger than"):  # half of a document is another document
        call_command("desk_limits", "import", str(file), "--reason", "why")


@pytest.mark.django_db
def test_an_approver_decides_on_the_desk_s_limits_and_sees_its_drawdown() -> None:
    client = Browser(headers={"accept-language": "en"})
    first, _ = two_accounts()
    reports(first, 45_000)
    proposed = desk_limits_submit({"drawdown": [drawdown_rule("0.2")]}, actor=FACTORY, reason="room").version
    client.force_login(UserFactory(role=RISK_APPROVER))
    page = reverse("admin:risk_desklimitsversion_decide", args=[proposed.pk])
    assert "drawdown.max_drawdown.allowance.value" in client.get(page).text
    client.post(page, {"approve": "1", "reason": "agreed"})
    assert desk_now().limits_id == proposed.pk
    page = client.get(reverse("admin:risk_desk_change", args=[1])).text
    assert "Equity of all accounts" in page and "drawdown 5.00 % from" in page


def test_accounts_that_report_at_once_are_added_up_one_after_the_other(cloned_database: str) -> None:
    accounts = [AccountFactory(code=f"ES-{number}") for number in range(6)]
    for account in accounts:
        reports(account, 50_000)
    desk_limits_submit(TEN_PER_CENT, actor=Actor("user", "1"), reason="the desk as a whole")
    answers = at_once([partial(reports, account, 46_000) for account in accounts])
    assert answers == [None] * 6
    desk = desk_now()
    assert (desk.equity, desk.drawdown, desk.state) == (276_000, Decimal("0.08"), "ACTIVE")
    assert list(DeskPoint.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, 8))
    assert desk_check() == []
