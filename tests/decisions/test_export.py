"""The compliance export: every column, in three formats, safe for spreadsheets."""

import csv
import io
import json
import tracemalloc
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from decisions.export import COLUMNS, decisions_csv, decisions_json, decisions_ndjson
from decisions.models import Decision
from risk.models import Account
from tests.factories import AccountFactory, DecisionFactory

pytestmark = pytest.mark.django_db
TWO_PM = datetime(2025, 5, 13, 14, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return AccountFactory(code="ES-MAIN")


def rows_csv() -> list[dict[str, str]]:
    text = b"".join(decisions_csv(Decision.objects.order_by("seq"))).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_blocked_decision_shows_its_verdict_its_codes_and_its_reasons(account: Account) -> None:
    decision = DecisionFactory(account=account, at=TWO_PM, blocked=True, trade_id="T1")
    (line,) = rows_csv()
    assert list(line) == [column.name for column in COLUMNS]
    assert (line["id"], line["account"], line["at"]) == (str(decision.id), "ES-MAIN", "2025-05-13T14:00:00.000000Z")
    assert (line["verdict"], line["reason_code"], line["reason_codes"]) == ("block", "blackout", "blackout")
    assert json.loads(line["reasons"]) == decision.reasons
    assert (line["price"], line["quantity"], line["signal_score"]) == ("5912.25", "1", "0.82")


def test_the_three_formats_say_the_same(account: Account) -> None:
    DecisionFactory(account=account, at=TWO_PM, blocked=True, context={"vix": 17.5})
    DecisionFactory(account=account, at=TWO_PM, signal_score=None, regime_probs=None, quantity=None, reasons=[])
    decisions = Decision.objects.order_by("seq")
    document = json.loads(b"".join(decisions_json(decisions)))
    lines = [json.loads(line) for line in b"".join(decisions_ndjson(decisions)).splitlines()]
    assert document == lines
    assert [_as_cells(line) for line in lines] == rows_csv()
    assert document[1]["signal_score"] is None and document[0]["context"] == {"vix": 17.5}


def _as_cells(line: dict[str, Any]) -> dict[str, str]:
    def cell(value: Any) -> str:
        if isinstance(value, dict | list):
            return json.dumps(value, separators=(",", ":"))
        return "" if value is None else str(value)

    return {name: cell(value) for name, value in line.items()}


def test_no_decisions_are_a_header_and_an_empty_list(account: Account) -> None:
    assert rows_csv() == []
    assert json.loads(b"".join(decisions_json(Decision.objects.all()))) == []
    assert b"".join(decisions_ndjson(Decision.objects.all())) == b""


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_that_a_spreadsheet_would_run_is_quoted(account: Account, text: str) -> None:
    DecisionFactory(account=account, at=TWO_PM, trade_id=text, reason=text, algorithm=text)
    (line,) = rows_csv()
    assert (line["trade_id"], line["reason"], line["algorithm"]) == (f"'{text}",) * 3


def test_negative_numbers_stay_numbers(account: Account) -> None:
    DecisionFactory(account=account, at=TWO_PM, price=Decimal("-37.63"))
    (line,) = rows_csv()
    assert line["price"] == "-37.63"


def test_it_takes_no_more_memory_for_more_rows(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisions.export.CHUNK_ROWS", 10)
    for _ in range(120):
        DecisionFactory(account=account, at=TWO_PM, reason="x" * 2_000)

    def peak(rows: int) -> int:
        tracemalloc.start()
        for _chunk in decisions_csv(Decision.objects.order_by("seq")[:rows]):
            pass
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(120) < 2 * peak(20)
