"""create_account, create_client, halt, resume, doctor: what they say and how they end."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Web
from knox.models import get_token_model

from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.models import Account, Client, Desk, StateChange
from tests.factories import AccountFactory, FeatureSetFactory
from tests.risk.accounts import CODE, account_under, report, state_now

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


def run(*arguments: str) -> str:
    """What the command prints; a `CommandError` leaves."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, no_color=True)
    return out.getvalue()


def refused(*arguments: str) -> str:
    """The sentence with which the command refuses."""
    with pytest.raises(CommandError) as error:
        run(*arguments)
    return str(error.value)


# --- accounts and clients -----------------------------------------------------------------------------------


def test_an_account_is_opened_and_the_next_step_is_named() -> None:
    told = run("create_account", CODE, "--initial-balance", "50000", "--timezone", "America/New_York")
    assert told == f"Account {CODE} is open. Next: manage.py doctor --account {CODE}\n"
    account = Account.objects.get()
    assert (account.initial_balance, account.currency, account.timezone) == (50_000, "USD", "America/New_York")
    assert Entry.objects.get(account=CODE).actor.startswith("command:create_account:uid")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("es", "--initial-balance", "1"), "code: expected"),
        ((CODE, "--initial-balance", "much"), "initial_balance: expected an amount above 0"),
        ((CODE, "--initial-balance", "1", "--timezone", "Mars"), "timezone: expected an IANA time zone"),
        ((CODE,), "--initial-balance"),
    ],
)
def test_a_bad_account_is_refused_in_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused("create_account", *arguments)
    assert not Account.objects.exists()


def test_a_clients_token_stands_alone_on_the_last_line_and_works() -> None:
    AccountFactory(code=CODE)
    lines = run("create_client", "mia-es", "--account", CODE).splitlines()
    token = lines[-1]
    assert token.isalnum() and len(token) == 64 and all(token not in line for line in lines[:-1])
    assert get_token_model().objects.get().digest != token
    web = Web(headers={"authorization": f"Token {token}"})
    assert web.get(f"/api/v1/accounts/{CODE}/state").status_code == 200


def test_a_client_needs_an_account_and_a_name_of_its_own() -> None:
    assert "'ES-NONE' does not exist" in refused("create_client", "mia-es", "--account", "ES-NONE")
    AccountFactory(code=CODE)
    run("create_client", "mia-es", "--account", CODE)
    assert "no client has yet" in refused("create_client", "mia-es", "--account", CODE)
    assert Client.objects.count() == 1


# --- the kill switch ----------------------------------------------------------------------------------------


def test_halt_and_resume_of_one_account() -> None:
    account_under()
    assert run("halt", "--account", CODE, "--reason", "positions differ") == f"{CODE}: ACTIVE -> HALTED\n"
    assert "a stop stricter than HALTED" in refused("halt", "--account", CODE, "--reason", "x", "--reduce-only")
    assert run("resume", "--account", CODE, "--reason", "ok", "--reduce-only") == f"{CODE}: HALTED -> REDUCE_ONLY\n"
    assert run("resume", "--account", CODE, "--reason", "ok") == f"{CODE}: REDUCE_ONLY -> ACTIVE\n"
    assert {change.actor.split(":")[1] for change in StateChange.objects.all()} == {"halt", "resume"}


def test_halt_and_resume_of_the_desk() -> None:
    assert run("halt", "--desk", "--reason", "exchange down", "--reduce-only") == "desk: ACTIVE -> REDUCE_ONLY\n"
    assert run("resume", "--desk", "--reason", "exchange up") == "desk: REDUCE_ONLY -> ACTIVE\n"
    assert "a state milder than ACTIVE" in refused("resume", "--desk", "--reason", "again")


def test_halt_and_resume_of_one_client_algorithm_or_instrument() -> None:
    account_under()
    run("create_client", "mia-es", "--account", CODE)
    assert run("halt", "--client", "mia-es", "--reason", "x") == f"client mia-es ({CODE}): ACTIVE -> HALTED\n"
    assert run("halt", "--instrument", "es", "--reason", "x") == "instrument ES (desk): ACTIVE -> HALTED\n"
    told = run("halt", "--algorithm", "Trend", "--account", CODE, "--reason", "x", "--reduce-only")
    assert told == f"algorithm trend ({CODE}): ACTIVE -> REDUCE_ONLY\n"
    assert run("resume", "--client", "mia-es", "--reason", "y") == f"client mia-es ({CODE}): HALTED -> ACTIVE\n"
    assert "a state milder than ACTIVE" in refused("resume", "--algorithm", "trend", "--reason", "not of the desk")


def test_a_halt_may_have_an_end() -> None:
    account_under()
    until = (database_now() + timedelta(hours=1)).replace(microsecond=0)
    run("halt", "--account", CODE, "--reason", "lunch", "--until", until.isoformat())
    assert state_now().state_until == until


@pytest.mark.parametrize(
    ("command", "arguments", "sentence"),
    [
        ("halt", ("--account", "ES-NONE", "--reason", "x"), "'ES-NONE' does not exist"),
        ("halt", ("--account", CODE, "--reason", " "), "reason: expected a reason in words"),
        ("halt", ("--account", CODE), "--reason"),
        ("halt", ("--reason", "x"), "say what: --desk"),
        ("halt", ("--account", CODE, "--desk", "--reason", "x"), "say what: --desk"),
        ("halt", ("--client", "x", "--instrument", "ES", "--reason", "x"), "not allowed with"),
        ("halt", ("--client", "nobody", "--reason", "x"), "the name of an API client"),
        ("halt", ("--instrument", "E S", "--reason", "x"), "as bots send it"),
        ("halt", ("--account", CODE, "--reason", "x", "--until", "noon"), "not a time such as"),
        ("halt", ("--account", CODE, "--reason", "x", "--until", "2030-01-01T00:00:00"), "no time zone: write"),
        ("halt", ("--account", CODE, "--reason", "x", "--until", "2020-01-01T00:00:00Z"), "a time in the future"),
        ("resume", ("--account", "ES-NONE", "--reason", "x"), "'ES-NONE' does not exist"),
        ("resume", ("--account", CODE, "--reason", ""), "reason: expected a reason in words"),
        ("resume", ("--account", CODE, "--reason", "x"), "a state milder than ACTIVE"),
    ],
)
def test_a_switch_that_is_not_understood_moves_nothing(command: str, arguments: tuple[str, ...], sentence: str) -> None:
    account_under()
    assert sentence in refused(command, *arguments)
    assert state_now().state == "ACTIVE" and not StateChange.objects.exists()


def test_in_breach_the_command_says_which_equity_would_do() -> None:
    account_under()
    report(47_000)
    assert "equity of at least 47500" in refused("resume", "--account", CODE, "--reason", "go on")


# --- doctor -------------------------------------------------------------------------------------------------


def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's own checks speak of worker, disk and Redis: here they are all well."""
    monkeypatch.setattr("risk.management.commands.doctor.health_run", list)


def test_doctor_lists_what_is_missing_with_its_fix_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    healthy(monkeypatch)
    AccountFactory(code=CODE)
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("doctor", "--account", CODE, stdout=out, no_color=True)
    assert error.value.returncode == 1 and "inputs are missing or too old" in str(error.value)
    told = out.getvalue()
    assert f"NO  limits: no limits are set  ->  manage.py limits set {CODE} max_drawdown=0.05" in told
    assert f"NO  client: API clients: 0  ->  manage.py create_client NAME --account {CODE}" in told
    assert f"NO  equity: never reported  ->  POST /api/v1/accounts/{CODE}/equity" in told
    assert "ok  trading state: ACTIVE" in told


def test_doctor_is_content_with_an_account_that_can_trade(monkeypatch: pytest.MonkeyPatch) -> None:
    healthy(monkeypatch)
    account_under()
    run("create_client", "mia-es", "--account", CODE)
    now = database_now()
    report(50_000, now, held={})
    Desk.objects.update_or_create(
        id=1, defaults={"calendar_at": now, "checks_at": now, "feature_set": FeatureSetFactory()}
    )
    assert run("doctor").endswith("Ready to trade.\n")


def test_doctor_tells_of_the_site_too(monkeypatch: pytest.MonkeyPatch) -> None:
    AccountFactory(code=CODE)
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", stdout=out, no_color=True)
    assert out.getvalue().startswith("site\n") and f"\n{CODE}\n" in out.getvalue()


@pytest.mark.parametrize("arguments", [(), ("--account", "ES-NONE")])
def test_doctor_without_an_account_says_how_to_open_one(arguments: Any) -> None:
    assert "manage.py create_account" in refused("doctor", *arguments)
