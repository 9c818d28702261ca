"""POST decisions/ and what follows from it: the answer, every refusal, and no error that reads as "allowed"."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from knox.models import get_token_model

from decisions.models import Decision, Outcome
from mia_site.audit.key_facts import keys_declare
from mia_site.audit.keys import receipt_signer
from mia_site.audit.models import Entry
from mia_site.audit.note import open_note
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7
from risk.risk_controller import trading_halt
from risk.rules.facts import TradingState
from tests.decisions.bots import FEATURES, Bot, feature_desk, trading_bot
from tests.factories import FACTORY, UserFactory
from tests.faults import failing_database
from tests.risk.api.conftest import Answer
from tests.risk.api.conftest import Bot as Web
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
FIELDS = {
    "id", "verdict", "effect", "reasons", "shadow_reasons", "trading_state", "limits_version", "judged_at",
    "valid_until", "max_quantity", "retry_at", "receipt", "replayed",
}  # fmt: skip


def blocks(answer: Answer) -> bool:
    """Whether an error says by itself that nothing may be traded and nothing was recorded."""
    return (answer.body["verdict"], answer.body["recorded"]) == ("block", False)


# --- the answer ---------------------------------------------------------------------------------------------


def test_an_allowed_decision_is_answered_with_everything_a_bot_needs(web: Web, bot: Bot) -> None:
    answer = web.post("decisions/", bot.body())
    assert answer.status == 201 and set(answer.body) == FIELDS
    assert (answer.body["verdict"], answer.body["effect"], answer.body["reasons"]) == ("allow", "opens", [])
    assert (answer.body["trading_state"], answer.body["limits_version"]) == ("ACTIVE", 1)
    assert answer.body["judged_at"] == "2025-05-13T17:00:00Z"
    assert answer.body["valid_until"] == "2025-05-13T17:00:05Z"
    assert answer.body["replayed"] is False


def test_the_receipt_is_checked_with_nothing_but_the_published_key(web: Web, bot: Bot) -> None:
    receipt = web.post("decisions/", bot.body()).body["receipt"]
    keys_declare()
    keys = web.text("audit/key").split()
    text = open_note(receipt["note"], next(key for key in keys if "/receipts+" in key))
    assert text.splitlines()[-1] == f"{receipt['entry_id']} {receipt['leaf_hash']}"
    record = web.text(f"audit/entries/{receipt['entry_id']}/record").encode()
    assert base64.b64decode(receipt["leaf_hash"]) == hashlib.sha256(b"\x00" + record).digest()
    assert json.loads(record)["fact"]["trade_id"] == "T123"


def test_a_blocked_decision_is_recorded_too(web: Web, bot: Bot) -> None:
    trading_halt(account=bot.account.code, state=TradingState.HALTED, reason="a fault", actor=FACTORY)
    answer = web.post("decisions/", bot.body())
    assert (answer.status, answer.body["verdict"]) == (201, "block")
    (reason,) = answer.body["reasons"]
    assert reason["code"] == "account_halted" and reason["message"] and "a fault" in json.dumps(reason["evidence"])
    assert Decision.objects.get(id=answer.body["id"]).verdict == "block"


def test_a_reduced_decision_says_how_much(gate_clock: StillClock) -> None:
    bot = trading_bot("ES-SMALL", now=gate_clock.now, order={"max_quantity": "3"})
    answer = Web(bot.token).post("decisions/", bot.body(quantity="5"))
    assert (answer.body["verdict"], answer.body["max_quantity"]) == ("reduce", "3")


def test_a_decision_that_is_only_recorded_has_no_verdict(web: Web, bot: Bot) -> None:
    answer = web.post("decisions/", bot.body(mode="record"))
    assert (answer.status, answer.body["verdict"], answer.body["valid_until"]) == (201, None, None)


def test_a_repeated_key_is_answered_from_the_record(web: Web, bot: Bot, gate_clock: StillClock) -> None:
    first = web.post("decisions/", bot.body(), idempotency_key="k1").body
    gate_clock.now += timedelta(seconds=4)
    again = web.post("decisions/", bot.body(), idempotency_key="k1")
    assert again.status == 201
    assert again.body == {**first, "replayed": True}
    gate_clock.now += timedelta(seconds=2)
    late = web.post("decisions/", bot.body(), idempotency_key="k1").body
    assert (late["id"], late["verdict"], late["reasons"][0]["code"]) == (first["id"], "block", "verdict_expired")
    assert Decision.objects.get().verdict == "allow", "the record says what was answered then"


def test_a_repeated_key_with_another_body_is_a_conflict(web: Web, bot: Bot) -> None:
    web.post("decisions/", bot.body(), idempotency_key="k1")
    answer = web.post("decisions/", bot.body(quantity="2"), idempotency_key="k1")
    assert answer.problem == (409, "key_reused") and blocks(answer)


# --- refusals -----------------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"signal_score": 1.2}, "signal_score"),
    ({"signal_score": "high"}, "signal_score"),
    ({"signal_score": None}, "signal_score"),
    ({"regime_probs": {"range": 1.5}}, "regime_probs.range"),
    ({"regime_probs": {"range": 0.7, "trend": 0.7}}, "regime_probs"),
    ({"regime_probs": {"bear": 0.1}}, "regime_probs.bear"),
    ({"decision": "BUY"}, "decision"),
    ({"side": "long"}, "side"),
    ({"quantity": -1}, "quantity"),
    ({"quantity": 1e300}, "quantity"),
    ({"instrument": "es"}, "instrument"),
    ({"instrument": "ES\n"}, "instrument"),
    ({"trade_id": ""}, "trade_id"),
    ({"trade_id": "T\ud8001"}, ""),
    ({"decided_at": "yesterday"}, "decided_at"),
    ({"decided_at": "9999-12-31T23:59:59-12:00"}, "decided_at"),
    ({"features": {"vix": "17"}}, "features"),
    ({"features": {"vix": [1]}}, "features"),
    ({"reason": "x" * 2001}, "reason"),
    ({"mode": "shadow"}, "mode"),
    ({"positions": [{"instrument": "ES", "quantity": 1}] * 2}, "positions"),
    ({"equity": {"at": "2025-05-13T17:00:00Z"}}, "equity.equity"),
    ({"market": {"bid": 1}}, "market.ask"),
    ({"veridct": "allow"}, "veridct"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_wrong_field_is_named_and_blocks(web: Web, bot: Bot, changes: dict[str, Any], field: str) -> None:
    answer = web.post("decisions/", {**bot.body(), **changes})
    assert answer.error["field"].startswith(field) and answer.error["expected"]
    assert blocks(answer)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_feature_that_is_no_finite_number_is_refused(web: Web, bot: Bot, number: bytes) -> None:
    feature_desk()
    body = json.dumps(bot.body(features={"vix": 7.125})).encode().replace(b"7.125", number)
    answer = web.post("decisions/", body)
    assert answer.problem == (400, "invalid_request") and blocks(answer)
    assert not Decision.objects.exists()


def test_an_unknown_feature_is_named(web: Web, bot: Bot) -> None:
    feature_desk()
    answer = web.post("decisions/", bot.body(features={**FEATURES, "obs_t": 1.0}))
    assert (answer.error["field"], answer.error["value"]) == ("features", "obs_t") and blocks(answer)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b'"allow"', b"\xff\xfe", b"[" * 100_000, b'{"account": "ES-DEMO"}']
)
def test_a_malformed_body_blocks(web: Web, body: bytes) -> None:
    answer = web.post("decisions/", body)
    assert answer.problem == (400, "invalid_request") and blocks(answer)


@pytest.mark.parametrize("path", ["decisions/", "decisions/batch"])
def test_a_body_of_50_mb_blocks(web: Web, path: str) -> None:
    answer = web.post(path, b" " * (50 * 1024 * 1024))
    assert answer.problem == (413, "body_too_large") and blocks(answer)


@pytest.mark.parametrize("key", ["k" * 129, "k\x7f"])
def test_a_key_that_is_none_blocks(web: Web, bot: Bot, key: str) -> None:
    answer = web.post("decisions/", bot.body(), idempotency_key=key)
    assert answer.error["field"] == "Idempotency-Key" and blocks(answer)


def test_another_accounts_token_blocks_whether_the_account_exists_or_not(
    web: Web, bot: Bot, gate_clock: StillClock
) -> None:
    trading_bot("ES-OTHER", now=gate_clock.now)
    for account in ("ES-OTHER", "ES-NONE"):
        answer = web.post("decisions/", bot.body(account=account))
        assert answer.problem == (403, "other_account") and blocks(answer)
    assert not Decision.objects.exists()


def test_without_a_token_or_with_an_expired_one_it_blocks(web: Web, bot: Bot) -> None:
    for stranger in (Web(None), Web("x" * 64), Web(bot.token, "Bearer")):
        answer = stranger.post("decisions/", bot.body())
        assert answer.problem == (401, "not_authenticated") and blocks(answer)
    get_token_model().objects.update(expiry=database_now() - timedelta(seconds=1))
    answer = web.post("decisions/", bot.body())
    assert answer.problem == (401, "not_authenticated") and blocks(answer)


def test_a_person_is_no_bot(bot: Bot) -> None:
    secret = get_token_model().objects.create(user=UserFactory(is_superuser=True))[1]
    answer = Web(str(secret)).post("decisions/", bot.body())
    assert answer.problem == (403, "permission_denied") and blocks(answer)


# --- faults -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [OperationalError("database or disk is full"), InterfaceError("connection already closed"), OSError(5)]
)
@pytest.mark.parametrize("path", ["decisions/", "decisions/batch"])
def test_what_cannot_be_recorded_is_answered_with_block(
    web: Web, bot: Bot, path: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mia_site.ops.retry.time.sleep", lambda seconds: None)
    body = bot.body() if path == "decisions/" else [bot.body(), bot.body()]
    with failing_database(error, table='INSERT INTO "audit_entry"'):
        answer = web.post(path, body)
    assert answer.problem == (503, "engine_unavailable") and blocks(answer)
    assert answer.headers["Retry-After"] == "1" and [told["code"] for told in answer.body["reasons"]] == [
        "not_recordable"
    ]
    assert not Decision.objects.exists()


def test_a_database_that_is_gone_is_answered_with_block(web: Web, bot: Bot) -> None:
    with failing_database(OperationalError("server closed the connection unexpectedly")):
        answer = web.post("decisions/", bot.body())
    assert answer.problem == (503, "engine_unavailable") and blocks(answer)


def test_a_fault_of_the_desk_itself_is_answered_with_block(web: Web, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("decisions.judging.features_commit", broken)
    feature_desk()
    answer = web.post("decisions/", bot.body(features=FEATURES))
    assert answer.problem == (500, "engine_unavailable") and blocks(answer)
    assert not Decision.objects.exists()


# --- outcomes -----------------------------------------------------------------------------------------------

CLOSED = {"pnl": "312.5", "closed_at": NOON.isoformat(), "final": True}


def test_an_outcome_is_answered_with_a_receipt(web: Web, bot: Bot) -> None:
    decision = web.post("decisions/", bot.body()).body["id"]
    answer = web.post(f"decisions/{decision}/outcome", CLOSED)
    assert answer.status == 201 and set(answer.body) == {"entry_id", "leaf_hash", "note"}
    open_note(answer.body["note"], receipt_signer().verifier)
    again = web.post(f"decisions/{decision}/outcome", CLOSED)
    assert again.body["entry_id"] == answer.body["entry_id"] and Outcome.objects.count() == 1


def test_the_end_of_an_order_is_told_at_the_same_address(web: Web, bot: Bot) -> None:
    decision = web.post("decisions/", bot.body()).body["id"]
    filled = {"order_status": "filled", "fill_price": "5912.25", "at": NOON.isoformat()}
    assert web.post(f"decisions/{decision}/outcome", filled).status == 201
    refused = web.post(f"decisions/{decision}/outcome", filled | {"order_status": "gone"})
    assert refused.problem == (400, "invalid_request")
    (told,) = web.get(f"decisions/{decision}/").body["orders"]
    assert (told["status"], told["fill_price"]) == ("filled", "5912.2500")
    assert not Outcome.objects.exists()


def test_an_outcome_of_somebody_elses_decision_is_refused(web: Web, bot: Bot, gate_clock: StillClock) -> None:
    other = trading_bot("ES-OTHER", now=gate_clock.now).asks().decision.id
    for decision in (other, uuid7()):
        assert web.post(f"decisions/{decision}/outcome", CLOSED).problem == (404, "not_found")
    assert not Outcome.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"pnl": "NaN"}, "pnl"),
        ({"pnl": None}, "pnl"),
        ({"closed_at": "2025-05-13T17:00:06Z"}, "closed_at"),
        ({"closed_at": "now"}, "closed_at"),
        ({"final": "yes"}, "final"),
        ({"fee": 1}, "fee"),
    ],
)
def test_a_wrong_outcome_is_refused_by_field(web: Web, bot: Bot, changes: dict[str, Any], field: str) -> None:
    decision = web.post("decisions/", bot.body()).body["id"]
    assert web.post(f"decisions/{decision}/outcome", {**CLOSED, **changes}).error["field"] == field
    assert Entry.objects.filter(kind_name="outcome").count() == 0
