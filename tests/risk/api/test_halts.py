"""The kill switch of bots: only with the right, only within the account, and never a resume."""

from datetime import timedelta
from typing import Any

import pytest

from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.accounts import client_halt_right, client_issue
from risk.models import Client, Desk, ScopedStop, StateChange
from risk.risk_controller import scope_halt, stop_place
from risk.rules.facts import StopScope
from tests.factories import AccountFactory
from tests.risk.accounts import CODE, MANAGER, account_under, state_now
from tests.risk.api.conftest import Bot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


@pytest.fixture
def guard(db: None) -> Bot:
    """A bot of ES-MAIN that may stop trading."""
    account_under()
    return Bot(client_issue("guard", account=CODE, actor=MANAGER, can_halt=True).token)


def halt(bot: Bot, **asked: Any) -> Any:
    return bot.post("risk/halt", {"account": CODE, "reason": "prices make no sense", **asked})


def test_a_bot_without_the_right_stops_nothing(bot: Bot) -> None:
    assert halt(bot).problem == (403, "halt_not_permitted")
    assert state_now().state == "ACTIVE" and not StateChange.objects.exists()


def test_a_bot_with_the_right_stops_its_account_as_a_fact_under_its_name(guard: Bot) -> None:
    answer = halt(guard)
    change = StateChange.objects.get()
    assert (answer.status, answer.body["id"], answer.body["state"]) == (201, str(change.pk), "HALTED")
    assert change.actor == f"client:{Client.objects.get().pk}" and change.reason == "prices make no sense"
    assert Entry.objects.filter(id=change.pk).exists() and state_now().state == "HALTED"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"scope": "client"}, ("client", "guard")),
        ({"scope": "algorithm", "key": "Trend"}, ("algorithm", "trend")),
        ({"scope": "instrument", "key": "NQ", "state": "REDUCE_ONLY"}, ("instrument", "NQ")),
    ],
)
def test_a_finer_stop_stays_within_the_account(guard: Bot, asked: dict[str, str], told: tuple[str, str]) -> None:
    until = database_now() + timedelta(hours=1)
    assert halt(guard, **asked, until=until.isoformat()).status == 201
    stop = ScopedStop.objects.get()
    assert (stop.scope, stop.key) == told and stop.account is not None and stop.state_until == until
    (shown,) = guard.get(f"accounts/{CODE}/state").body["stops"]
    assert (shown["scope"], shown["key"], shown["account"], shown["state"]) == (*told, CODE, stop.state)


def test_a_key_beside_the_client_scope_names_nobody_else(guard: Bot) -> None:
    client_issue("other", account=CODE, actor=MANAGER)
    halt(guard, scope="client", key="other")
    assert ScopedStop.objects.get().key == "guard"


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"scope": "desk"}, "scope"), ({"state": "ACTIVE"}, "state"), ({"reason": ""}, "reason"),
        ({"reason": "  "}, "reason"), ({"scope": "instrument"}, "key"),
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
    ],
)  # fmt: skip
def test_no_bot_stops_the_desk_or_resumes_or_leaves_out_why(guard: Bot, asked: dict[str, str], field: str) -> None:
    assert halt(guard, **asked).error["field"] == field
    assert not StateChange.objects.exists() and not Desk.objects.exclude(state="ACTIVE").exists()


def test_a_bot_stops_no_other_account_and_makes_no_stop_milder(guard: Bot) -> None:
    AccountFactory(code="ES-OTHER")
    assert halt(guard, account="ES-OTHER").problem == (403, "other_account")
    halt(guard)
    assert "resuming is another right" in halt(guard, state="REDUCE_ONLY").error["expected"]


def test_the_right_is_given_and_taken_with_a_reason_in_the_journal(bot: Bot) -> None:
    client = Client.objects.get()
    client_halt_right(client, can_halt=True, actor=MANAGER, reason="watchdog")
    assert halt(bot, scope="client").status == 201
    client_halt_right(client, can_halt=False, actor=MANAGER, reason="retired")
    assert halt(bot).problem == (403, "halt_not_permitted")
    entries = Entry.objects.filter(kind_name="halt_right_changed").order_by("id")
    assert [entry.why for entry in entries] == ["watchdog", "retired"]


def test_readiness_names_the_stop_and_its_fix(bot: Bot) -> None:
    scope_halt(stop_place(StopScope.INSTRUMENT, "ES", CODE), reason="rollover", actor=MANAGER)
    lines = {line["name"]: line for line in bot.get(f"accounts/{CODE}/readiness").body["inputs"]}
    assert lines["stops"]["detail"] == "instrument ES HALTED: rollover"
    assert lines["stops"]["fix"] == f"manage.py resume --instrument ES --account {CODE} --reason …"
