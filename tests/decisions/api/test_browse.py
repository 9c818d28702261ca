"""Reading decisions back: lists, one whole decision, the streamed export, the canonical record."""

import base64
import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from decisions import export
from decisions.export import COLUMNS
from decisions.models import Decision
from mia_site.audit.models import Entry
from mia_site.ops.ids import uuid7
from tests.decisions.bots import FEATURES, Bot, feature_desk, trading_bot
from tests.factories import DecisionFactory, UserFactory
from tests.risk.api.conftest import Bot as Web
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]


@pytest.fixture
def story(bot: Bot, gate_clock: StillClock) -> list[Decision]:
    """Three decisions, a second apart: allowed, blocked by the bot's clock, only recorded."""
    told: list[Decision] = []
    for changes in ({}, {"decided_at": "2025-05-13T16:00:00Z"}, {"mode": "record", "instrument": "NQ"}):
        gate_clock.now += timedelta(seconds=1)
        told.append(bot.asks(trade_id=f"T{len(told)}", **changes).decision)
    return told


def names(answer: Any) -> list[str]:
    return [row["trade_id"] for row in answer.body["results"]]


# --- lists --------------------------------------------------------------------------------------------------


def test_the_newest_comes_first(web: Web, story: list[Decision]) -> None:
    assert names(web.get("decisions/")) == ["T2", "T1", "T0"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"verdict": "block"}, ["T1"]),
        ({"reason_code": "clock_skew"}, ["T1"]),
        ({"trade_id": "T0"}, ["T0"]),
        ({"mode": "record"}, ["T2"]),
        ({"instrument": "NQ"}, ["T2"]),
        ({"effect": "opens"}, ["T2", "T1", "T0"]),
        ({"since": "2025-05-13T17:00:02Z"}, ["T2", "T1"]),
        ({"until": "2025-05-13T17:00:02Z"}, ["T0"]),
        ({"since": "2025-05-13T12:00:02-05:00", "verdict": "block"}, ["T1"]),
        ({"origin": "imported"}, []),
    ],
)
def test_a_list_is_filtered(web: Web, story: list[Decision], query: dict[str, str], found: list[str]) -> None:
    assert names(web.get("decisions/", **query)) == found


def test_pages_follow_one_another_without_gap_or_repeat(web: Web, bot: Bot) -> None:
    bot.submits([bot.sent(trade_id=f"T{number}", mode="record") for number in range(7)])
    pages = [web.get("decisions/", page_size=3)]
    while following := pages[-1].body["next"]:
        pages.append(web.get("decisions/", **dict(parse_qsl(urlsplit(following).query))))
    assert [len(names(page)) for page in pages] == [3, 3, 1]
    assert sorted(name for page in pages for name in names(page)) == [f"T{number}" for number in range(7)]


WRONG = [
    ("since", "yesterday"),
    ("since", "2025-13-01T00:00:00Z"),
    ("until", "\x00"),
    ("verdict", "maybe"),
    ("origin", "nowhere"),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
@pytest.mark.parametrize("path", ["decisions/", "decisions/export"])
def test_a_wrong_filter_is_named(web: Web, path: str, field: str, value: str) -> None:
    assert web.get(path, **{field: value}).error["field"] == field


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("path", ["decisions/", "decisions/export"])
def test_times_at_the_ends_of_the_calendar_are_refused(web: Web, story: list[Decision], path: str, at: str) -> None:
    assert web.get(path, since=at).error["field"] == "since"


@pytest.mark.parametrize("position", ["x", "p=2", "p=2025-05-1", "p=0001-01-01T00:00:00+14:00", "p=\x00"])
def test_a_cursor_of_somebodys_own_making_is_refused(web: Web, story: list[Decision], position: str) -> None:
    cursor = base64.b64encode(position.replace("+", "%2B").encode()).decode()
    answer = web.get("decisions/", cursor=cursor)
    assert position == "x" or answer.problem == (404, "not_found")


# --- one decision -------------------------------------------------------------------------------------------


def test_a_decision_is_shown_whole(web: Web, bot: Bot) -> None:
    feature_desk()
    decision = bot.asks(features=FEATURES).decision
    web.post(f"decisions/{decision.id}/outcome", {"pnl": 100, "closed_at": NOON.isoformat(), "final": False})
    web.post(f"decisions/{decision.id}/outcome", {"pnl": -50, "closed_at": NOON.isoformat(), "final": True})
    told = web.get(f"decisions/{decision.id}/").body
    assert (told["account"], told["verdict"], told["features"]) == ("ES-DEMO", "allow", FEATURES)
    assert [outcome["pnl"] for outcome in told["outcomes"]] == ["-50.0000", "100.0000"]
    assert told["judged_on"]["account_state"] == "ACTIVE"


def test_another_accounts_decision_is_not_there(web: Web, story: list[Decision], gate_clock: StillClock) -> None:
    other = Web(trading_bot("ES-OTHER", now=gate_clock.now).token)
    assert other.get(f"decisions/{story[0].id}/").problem == (404, "not_found")
    assert other.get("decisions/").body["results"] == []
    assert web.get(f"decisions/{uuid7()}/").problem == (404, "not_found")


# --- export -------------------------------------------------------------------------------------------------


def test_the_three_formats_hold_the_same_rows(web: Web, story: list[Decision]) -> None:
    table = list(csv.DictReader(io.StringIO(web.text("decisions/export"), newline="")))
    assert list(table[0]) == [column.name for column in COLUMNS]
    lines = [json.loads(line) for line in web.text("decisions/export", format="ndjson").splitlines()]
    assert lines == json.loads(web.text("decisions/export", format="json"))
    assert [row["trade_id"] for row in table] == [row["trade_id"] for row in lines]
    assert {row["trade_id"] for row in lines} == {"T0", "T1", "T2"}


def test_an_export_takes_the_filters_of_the_list(web: Web, story: list[Decision]) -> None:
    lines = web.text("decisions/export", format="ndjson", verdict="block").splitlines()
    assert [json.loads(line)["trade_id"] for line in lines] == ["T1"]


def test_an_export_shows_the_clients_own_account_only(web: Web, story: list[Decision], gate_clock: StillClock) -> None:
    other = Web(trading_bot("ES-OTHER", now=gate_clock.now).token)
    assert json.loads(other.text("decisions/export", format="json")) == []


def test_who_took_an_export_is_in_the_journal(web: Web, bot: Bot, story: list[Decision]) -> None:
    web.text("decisions/export", format="json", verdict="block")
    entry = Entry.objects.get(kind_name="exported")
    assert (entry.actor, entry.account) == (str(bot.actor), "ES-DEMO")
    assert json.loads(entry.body)["fact"]["after"]["filters"] == {"format": "json", "verdict": "block"}


def test_an_export_is_a_named_file_and_is_streamed(
    bot: Bot, web: Web, story: list[Decision], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "CHUNK_ROWS", 1)
    response: Any = web._web.get("/api/v1/decisions/export")
    assert response["Content-Disposition"] == 'attachment; filename="decisions-ES-DEMO.csv"'
    pieces: Iterator[bytes] = iter(response.streaming_content)
    assert next(pieces).startswith(b"id,") and len(list(pieces)) == 3


def test_a_cell_that_a_spreadsheet_would_run_is_quoted(web: Web, bot: Bot) -> None:
    bot.asks(reason="=HYPERLINK(1)", trade_id="@SUM(A1)", mode="record")
    (row,) = csv.DictReader(io.StringIO(web.text("decisions/export"), newline=""))
    assert (row["reason"], row["trade_id"]) == ("'=HYPERLINK(1)", "'@SUM(A1)")


@pytest.mark.parametrize("name", ["xml", "", "csv,json"])
def test_an_unknown_format_is_refused(web: Web, name: str) -> None:
    assert web.get("decisions/export", format=name).error["field"] == "format"


# --- the record ---------------------------------------------------------------------------------------------


def test_the_record_is_the_bytes_as_hashed(web: Web, story: list[Decision]) -> None:
    record = web.text(f"audit/entries/{story[0].id}/record").encode()
    entry = Entry.objects.get(id=story[0].id)
    assert hashlib.sha256(b"\x00" + record).digest() == bytes(entry.leaf_hash)


@pytest.mark.parametrize("page", ["record", "proof"])
def test_another_accounts_record_is_not_there(story: list[Decision], gate_clock: StillClock, page: str) -> None:
    other = Web(trading_bot("ES-OTHER", now=gate_clock.now).token)
    assert other.get(f"audit/entries/{story[0].id}/{page}").problem == (404, "not_found")
    assert Web(None).get(f"audit/entries/{story[0].id}/{page}").problem[0] == 401


def test_an_imported_decision_is_listed_as_such(web: Web, bot: Bot) -> None:
    DecisionFactory(account=bot.account, origin="imported", verdict="", signal_score=None, regime_probs=None)
    (row,) = web.get("decisions/", origin="imported").body["results"]
    assert (row["verdict"], row["signal_score"], row["regime_probs"]) == ("", None, None)


def test_the_keys_are_for_everybody(bot: Bot) -> None:
    UserFactory()
    assert Web(None).get("audit/key").status == 200
