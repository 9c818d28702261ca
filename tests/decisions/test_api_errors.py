"""Errors of the decisions' API: the same shape wherever they come from, and a bot reads all reasons in one way."""

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client as Web

from decisions import decision_log
from risk.accounts import client_issue
from tests.factories import FACTORY, AccountFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
ASK = {
    "account": "ES-MAIN", "trade_id": "t-1", "decision": "buy", "side": "buy", "quantity": 1, "instrument": "ES",
    "signal_score": 0.72, "regime_probs": {"trend": 0.7},
}  # fmt: skip


@pytest.fixture
def web() -> Web:
    AccountFactory(code="ES-MAIN")
    return Web(headers={"Authorization": f"Token {client_issue('my-bot', account='ES-MAIN', actor=FACTORY).token}"})


def _post(web: Web, path: str, body: Any) -> tuple[int, dict[str, Any]]:
    response = web.post(f"/api/v1/decisions/{path}", json.dumps(body), "application/json")
    return response.status_code, json.loads(response.content)


def test_what_cannot_be_recorded_is_told_as_a_reason_like_every_other(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("the database is gone")

    monkeypatch.setattr(decision_log, "_judge_and_write", away)
    status, told = _post(web, "", ASK)
    assert (status, told["code"], told["verdict"], told["recorded"]) == (503, "engine_unavailable", "block", False)
    assert [reason["code"] for reason in told["reasons"]] == ["not_recordable"]


def test_a_wrong_row_of_a_batch_is_told_like_a_wrong_decision_with_its_index(web: Web) -> None:
    wrong = {**ASK, "signal_score": 7}
    one, many = _post(web, "", wrong)[1], _post(web, "batch", [ASK, wrong])[1]
    assert one["errors"] == [{"field": "signal_score", "expected": "float <= 1.0", "value": 7}]
    assert many["errors"] == [{"index": 1, **one["errors"][0]}]
    assert (many["verdict"], many["recorded"]) == ("block", False)
