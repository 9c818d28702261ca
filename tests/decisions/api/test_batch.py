"""POST decisions/batch: all or nothing, every wrong row by its index, one signed note over all leaves."""

import base64
import io
import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client as Django

from decisions.api import bodies
from decisions.models import Decision
from mia_site.audit.keys import receipt_signer
from mia_site.audit.models import Entry
from mia_site.audit.note import open_note
from tests.decisions.bots import Bot, feature_desk
from tests.risk.api.conftest import Bot as Web

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


def rows(bot: Bot, count: int, **changes: Any) -> list[dict[str, Any]]:
    return [bot.body(trade_id=f"T{number}", mode="record", **changes) for number in range(count)]


def ndjson(rows: list[dict[str, Any]], end: bytes = b"\n") -> bytes:
    return end.join(json.dumps(row).encode() for row in rows) + end


def test_answers_come_in_the_order_asked(web: Web, bot: Bot) -> None:
    answer = web.post("decisions/batch", rows(bot, 3))
    assert answer.status == 201
    stored = Decision.objects.in_bulk()
    names = [stored[UUID(decision["id"])].trade_id for decision in answer.body["decisions"]]
    assert names == ["T0", "T1", "T2"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_lines_of_json_are_a_batch_too(web: Web, bot: Bot, end: bytes) -> None:
    answer = web.post("decisions/batch", ndjson(rows(bot, 3), end))
    assert answer.status == 201 and Decision.objects.count() == 3


def test_a_batch_whose_connection_broke_between_two_rows_is_not_taken_for_a_shorter_one(web: Web, bot: Bot) -> None:
    whole = ndjson(rows(bot, 4))
    half = whole[: len(whole) // 2]
    assert half.endswith(b"\n")
    connection: Any = {"wsgi.input": io.BytesIO(half), "CONTENT_LENGTH": str(len(whole))}
    headers = {"authorization": f"Token {bot.token}", "idempotency-key": "night-1"}
    told = Django().post("/api/v1/decisions/batch", half, "application/x-ndjson", headers=headers, **connection)
    assert told.status_code == 400
    assert json.loads(told.content)["errors"][0]["expected"] == f"{len(whole)} bytes, of which {len(half)} came"
    assert not Decision.objects.exists()
    assert web.post("decisions/batch", whole, idempotency_key="night-1").status == 201, "the key is still free"


def test_chunks_that_break_off_are_a_fault_of_the_connection_not_of_the_desk(bot: Bot) -> None:
    class Broken(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            raise OSError("the chunk has no end")

    connection: Any = {"wsgi.input": Broken(), "wsgi.input_terminated": True}
    headers = {"authorization": f"Token {bot.token}", "transfer-encoding": "chunked"}
    told = Django().post("/api/v1/decisions/batch", b"", "application/x-ndjson", headers=headers, **connection)
    assert (told.status_code, json.loads(told.content)["verdict"]) == (400, "block")


def test_one_note_is_over_every_leaf(web: Web, bot: Bot) -> None:
    answer = web.post("decisions/batch", rows(bot, 5)).body
    lines = open_note(answer["note"], receipt_signer().verifier).splitlines()
    assert lines[3] == "entries 5"
    stored = {str(entry.id): base64.b64encode(entry.leaf_hash).decode() for entry in Entry.objects.all()}
    for decision, line in zip(answer["decisions"], lines[4:], strict=True):
        assert line == f"{decision['id']} {stored[decision['id']]}"
        assert decision["receipt"]["leaf_hash"] == stored[decision["id"]]
        assert decision["receipt"]["note"] == "", "said once, for the whole batch"


def test_gate_and_record_may_be_mixed(web: Web, bot: Bot) -> None:
    answer = web.post("decisions/batch", [bot.body(), bot.body(mode="record")]).body
    assert [decision["verdict"] for decision in answer["decisions"]] == ["allow", None]


def test_every_wrong_row_is_named_and_none_is_recorded(web: Web, bot: Bot) -> None:
    body = rows(bot, 5)
    body[1]["signal_score"] = 1.2
    body[3].pop("trade_id")
    answer = web.post("decisions/batch", body)
    assert answer.problem == (400, "invalid_request")
    wrong = [(error["index"], error["field"]) for error in answer.body["errors"]]
    assert wrong == [(1, "signal_score"), (3, "trade_id")]
    assert answer.body["errors"][0]["value"] == 1.2
    assert (answer.body["verdict"], answer.body["recorded"]) == ("block", False)
    assert not Decision.objects.exists()


def test_a_row_that_is_no_json_is_named_by_its_line(web: Web, bot: Bot) -> None:
    answer = web.post("decisions/batch", ndjson(rows(bot, 2)) + b"{oops\n")
    assert answer.problem == (400, "invalid_request") and answer.body["errors"][0]["index"] == 2


def test_a_row_that_only_the_desk_can_refuse_is_named_too(web: Web, bot: Bot) -> None:
    feature_desk()
    body = rows(bot, 3)
    body[2]["features"] = {"obs_t": 1.0}
    answer = web.post("decisions/batch", body)
    assert answer.error == {"index": 2, "field": "features", "expected": "names of feature set v1", "value": "obs_t"}
    assert not Decision.objects.exists()


def test_a_row_of_another_account_refuses_all(web: Web, bot: Bot) -> None:
    body = [*rows(bot, 2), bot.body(account="ES-OTHER")]
    assert web.post("decisions/batch", body).problem == (403, "other_account")
    assert not Decision.objects.exists()


def test_a_thousand_rows_are_taken_and_one_more_is_not(web: Web, bot: Bot) -> None:
    assert web.post("decisions/batch", rows(bot, bodies.MAX_ROWS + 1)).problem == (400, "invalid_request")
    assert not Decision.objects.exists()
    assert web.post("decisions/batch", rows(bot, bodies.MAX_ROWS)).status == 201
    assert Decision.objects.count() == bodies.MAX_ROWS


@pytest.mark.parametrize("body", [b"", b"[]", b"\n\n", b"[", b"[1, 2]", b'{"a": 1}', b"[" + b"1," * 3_000_000 + b"1]"])
def test_a_body_without_decisions_is_refused(web: Web, body: bytes) -> None:
    answer = web.post("decisions/batch", body)
    assert answer.problem == (400, "invalid_request")
    assert (answer.body["verdict"], answer.body["recorded"]) == ("block", False)


def test_a_batch_is_repeatable(web: Web, bot: Bot) -> None:
    body = rows(bot, 3)
    first = web.post("decisions/batch", body, idempotency_key="k1").body
    again = web.post("decisions/batch", body, idempotency_key="k1").body
    assert [row["id"] for row in again["decisions"]] == [row["id"] for row in first["decisions"]]
    assert Decision.objects.count() == 3
    assert web.post("decisions/batch", body[:2], idempotency_key="k1").problem == (409, "key_reused")
