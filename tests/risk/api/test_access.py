"""Every address of the risk API: one client, one account, bounded bodies, and errors that say what is wrong."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Web
from knox.models import get_token_model

from mia_site.ops.clock import database_now
from risk.accounts import client_issue, tokens_revoke
from risk.models import Client
from tests.factories import UserFactory
from tests.faults import failing_database
from tests.risk.accounts import CODE, MANAGER, account_under
from tests.risk.api.conftest import Bot

pytestmark = pytest.mark.usefixtures("quiet_background")
AT = "2025-05-13T17:00:00Z"
POSTS: dict[str, dict[str, Any]] = {
    f"accounts/{CODE}/equity": {"at": AT, "equity": 50000},
    f"accounts/{CODE}/positions": {"at": AT, "positions": []},
    "risk/stop-trading": {"account": CODE, "drawdown": 0.01},
    "risk/block-trade": {"account": CODE, "instrument": "ES"},
}
GETS = [
    f"accounts/{CODE}/state", f"accounts/{CODE}/readiness", "snapshots/", "penalties/", "events/", "limits/",
]  # fmt: skip
ALL = [("POST", path) for path in POSTS] + [("GET", path) for path in GETS]
every_address = pytest.mark.parametrize(("method", "path"), ALL)
every_post = pytest.mark.parametrize("path", POSTS)


def ask(bot: Bot, method: str, path: str) -> Any:
    return bot.get(path) if method == "GET" else bot.post(path, POSTS[path])


@every_address
def test_with_its_token_a_bot_is_answered(bot: Bot, method: str, path: str) -> None:
    answer = ask(bot, method, path)
    assert answer.status == (200 if method == "GET" or path.endswith("block-trade") else 201)
    assert answer.kind == "application/json" and "X-Request-Id" in answer.headers


@every_address
def test_without_a_token_nobody_is_answered(token: str, method: str, path: str) -> None:
    wrong = (None, "x" * 64, token[:-1] + "!", "é", f"{token} {token}")
    for stranger in (*map(Bot, wrong), Bot(token, "Bearer")):
        answer = ask(stranger, method, path)
        assert answer.problem == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == "Token"


@every_address
def test_an_expired_token_is_none(bot: Bot, method: str, path: str) -> None:
    get_token_model().objects.update(expiry=database_now() - timedelta(seconds=1))
    assert ask(bot, method, path).problem == (401, "not_authenticated")


def test_a_revoked_token_is_none(bot: Bot) -> None:
    tokens_revoke(Client.objects.get(), actor=MANAGER)
    assert bot.get("snapshots/").problem == (401, "not_authenticated")


@every_address
def test_a_person_is_no_client(token: str, method: str, path: str) -> None:
    person = UserFactory(is_superuser=True)
    secret = get_token_model().objects.create(user=person)[1]
    assert ask(Bot(str(secret)), method, path).problem == (403, "permission_denied")
    web = Web()
    web.force_login(person)
    assert web.get("/api/v1/snapshots/").status_code == 401, "a session of the admin is no token"


@pytest.mark.parametrize(("method", "path"), [pair for pair in ALL if CODE in pair[1] or pair[0] == "POST"])
@pytest.mark.parametrize("other", ["ES-OTHER", "ES-NONE"])
def test_another_accounts_token_reaches_nothing_whether_it_exists_or_not(
    bot: Bot, method: str, path: str, other: str
) -> None:
    account_under(code="ES-OTHER")
    body = {**POSTS.get(path, {}), **({"account": other} if "account" in POSTS.get(path, {}) else {})}
    path = path.replace(CODE, other)
    answer = bot.get(path) if method == "GET" else bot.post(path, body)
    assert answer.problem == (403, "other_account")
    assert other in answer.body["detail"]


def test_lists_show_the_clients_own_account_only(bot: Bot) -> None:
    account_under(code="ES-OTHER")
    other = Bot(client_issue("mia-other", account="ES-OTHER", actor=MANAGER).token)
    bot.post("risk/stop-trading", {"account": CODE, "drawdown": 0.06})
    for path, count in (("snapshots/", 1), ("penalties/", 1), ("limits/", 1)):
        assert len(bot.get(path).body["results"]) == count
    assert other.get("snapshots/").body["results"] == other.get("penalties/").body["results"] == []
    assert len(other.get("limits/").body["results"]) == 1


# --- bodies -------------------------------------------------------------------------------------------------


@every_post
def test_a_body_of_50_mb_is_refused(bot: Bot, path: str) -> None:
    answer = bot.post(path, b" " * (50 * 1024 * 1024))
    assert answer.problem == (413, "body_too_large")


@every_post
@pytest.mark.parametrize(
    "body", [b"", b"{", b"nul", b'{"account": "ES-MAIN"', b"\xff\xfe", b"[" * 100_000, b'"text"', b"42", b"null"]
)
def test_a_malformed_body_is_refused(bot: Bot, path: str, body: bytes) -> None:
    assert bot.post(path, body).problem == (400, "invalid_request")


@every_post
def test_an_unknown_field_is_refused_by_name(bot: Bot, path: str) -> None:
    error = bot.post(path, {**POSTS[path], "drwadown": 1}).error
    assert error["field"] == "drwadown" and error["expected"] == "no such field"


@pytest.mark.parametrize(("path", "field"), [(path, field) for path, body in POSTS.items() for field in body])
def test_a_missing_field_is_named(bot: Bot, path: str, field: str) -> None:
    body = {name: value for name, value in POSTS[path].items() if name != field}
    assert bot.post(path, body).error["field"] == field


@every_address
def test_another_method_is_refused(bot: Bot, method: str, path: str) -> None:
    other = {"GET": "POST", "POST": "GET"}[method]
    for wrong in (other, "PUT", "PATCH", "DELETE"):
        assert bot.send(wrong, path).problem == (405, "method_not_allowed")


# --- faults -------------------------------------------------------------------------------------------------


@every_address
def test_without_its_database_the_desk_blocks_and_says_that_nothing_was_recorded(
    bot: Bot, method: str, path: str
) -> None:
    with failing_database(OperationalError("server closed the connection")):
        answer = ask(bot, method, path)
    assert answer.problem == (503, "engine_unavailable")
    assert (answer.body["verdict"], answer.body["recorded"]) == ("block", False)
    assert answer.headers["Retry-After"] == "1"


def test_what_can_be_answered_without_a_table_is(bot: Bot) -> None:
    away = OperationalError("server closed the connection")
    with failing_database(away, table="risk_macroevent"):
        answer = bot.post("risk/block-trade", POSTS["risk/block-trade"] | {"at": AT})
    assert (answer.status, answer.body["blocked"]) == (200, True)
    assert [reason["code"] for reason in answer.body["reasons"]] == ["engine_unavailable"]
    with failing_database(away, table="risk_accountstate"):
        answer = bot.get(f"accounts/{CODE}/readiness")
    assert (answer.status, answer.body["ready"]) == (200, False)


@pytest.mark.parametrize(
    ("path", "work", "said"),
    [("risk/stop-trading", "stop_within", {"stop": True}), ("risk/block-trade", "trade_window", {"blocked": True})],
)
def test_a_fault_of_the_desk_itself_says_stop(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, path: str, work: str, said: dict[str, bool]
) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(f"risk.api.controls.{work}", broken)
    answer = bot.post(path, POSTS[path])
    assert answer.status == 500
    assert answer.body.items() >= {"verdict": "block", "recorded": False, **said}.items()


def test_an_error_of_stop_trading_says_stop(bot: Bot) -> None:
    for body in (b"{", json.dumps({"account": CODE, "drawdown": "x"}).encode()):
        assert bot.post("risk/stop-trading", body).body["stop"] is True
    with failing_database(OperationalError("disk is full"), table="risk_snapshot"):
        assert bot.post("risk/stop-trading", POSTS["risk/stop-trading"]).body["stop"] is True
    assert Bot(None).post("risk/stop-trading", {}).body["stop"] is True
    assert Bot(None).post("risk/block-trade", {}).body["blocked"] is True
