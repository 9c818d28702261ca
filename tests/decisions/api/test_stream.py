"""POST decisions/stream: recorded as it comes, a piece at a time, and resumable behind the last piece."""

import io
import json
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError
from django.test import Client

from decisions.api import stream
from decisions.decision_log import EngineUnavailable
from decisions.decision_stream import StreamPosition, stream_append, stream_committed
from decisions.models import Decision
from mia_site.audit.keys import receipt_signer
from mia_site.audit.note import open_note
from tests.decisions.bots import Bot, feature_desk, trading_bot
from tests.faults import failing_database
from tests.risk.api.conftest import Bot as Web
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
PATH = "decisions/stream?stream=s1"


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "ROWS", 3)


def lines(bot: Bot, count: int, first: int = 0, **changes: Any) -> bytes:
    rows = [bot.body(trade_id=f"T{first + number}", **changes) for number in range(count)]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def sends(web: Web, body: bytes, offset: int = 0) -> list[dict[str, Any]]:
    """The lines that the desk answers with."""
    answer = web.post(f"{PATH}&offset={offset}", body)
    assert (answer.status, answer.kind) == (200, "application/x-ndjson")
    return [json.loads(line) for line in (answer.body or b"").splitlines()]


def recorded() -> list[str]:
    return list(Decision.objects.order_by("seq").values_list("trade_id", flat=True))


def test_each_piece_is_committed_and_receipted(web: Web, bot: Bot) -> None:
    told = sends(web, lines(bot, 7))
    assert [line["committed"] for line in told] == [3, 6, 7]
    assert [open_note(line["note"], receipt_signer().verifier).splitlines()[3] for line in told] == [
        "entries 3", "entries 3", "entries 1",
    ]  # fmt: skip
    assert recorded() == [f"T{number}" for number in range(7)]


def test_a_stream_only_records(web: Web, bot: Bot) -> None:
    sends(web, lines(bot, 1, mode="gate"))
    decision = Decision.objects.get()
    assert (decision.mode, decision.verdict) == ("record", "")


def test_a_sender_that_was_cut_off_asks_where_to_go_on(web: Web, bot: Bot) -> None:
    sends(web, lines(bot, 3))
    assert web.get("decisions/stream", stream="s1").body == {"stream": "s1", "committed": 3}
    assert sends(web, lines(bot, 2, first=3), offset=3)[-1]["committed"] == 5
    assert recorded() == [f"T{number}" for number in range(5)]


@pytest.mark.parametrize("offset", [0, 2, 4])
def test_rows_are_neither_repeated_nor_skipped(web: Web, bot: Bot, offset: int) -> None:
    sends(web, lines(bot, 3))
    answer = web.post(f"{PATH}&offset={offset}", lines(bot, 1))
    assert answer.problem == (409, "offset_mismatch") and answer.body["committed"] == 3
    assert len(recorded()) == 3


def test_a_stream_that_was_never_sent_begins_at_nought(web: Web) -> None:
    assert web.get("decisions/stream", stream="new").body["committed"] == 0


def test_an_empty_stream_answers_nothing(web: Web) -> None:
    assert sends(web, b"") == sends(web, b"\n\n") == []


def test_a_stream_of_which_nobody_knows_the_length_is_read_to_its_end(web: Web, bot: Bot, client: Client) -> None:
    headers = {"authorization": f"Token {bot.token}", "transfer-encoding": "chunked"}
    sent: dict[str, Any] = {"wsgi.input": io.BytesIO(lines(bot, 4)), "wsgi.input_terminated": True}
    answer: Any = client.generic("POST", f"/api/v1/{PATH}", headers=headers, **sent)
    assert [json.loads(line)["committed"] for line in answer.streaming_content] == [3, 4]
    assert recorded() == ["T0", "T1", "T2", "T3"]


def test_a_last_line_needs_no_end(web: Web, bot: Bot) -> None:
    assert sends(web, lines(bot, 2)[:-1])[-1]["committed"] == 2


def wrong(bot: Bot, **changes: Any) -> bytes:
    return json.dumps({**bot.body(), **changes}).encode() + b"\n"


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"signal_score": 1.2}, "invalid_request", "[4].signal_score"),
        ({"features": {"obs_t": 1.0}}, "invalid_request", "[4].features"),
        ({"account": "ES-OTHER"}, "other_account", "ES-OTHER"),
    ],
)
def test_a_wrong_row_ends_the_stream_behind_what_came_before_it(
    web: Web, bot: Bot, changes: dict[str, Any], code: str, said: str
) -> None:
    feature_desk()
    told = sends(web, lines(bot, 4) + wrong(bot, **changes) + lines(bot, 1, first=5))
    assert [line["committed"] for line in told] == [3, 4, 4]
    assert (told[-1]["code"], told[-1]["recorded"]) == (code, False) and said in told[-1]["detail"]
    assert recorded() == ["T0", "T1", "T2", "T3"]
    assert sends(web, lines(bot, 1, first=4), offset=4)[-1]["committed"] == 5


def test_a_line_that_is_no_json_is_named(web: Web, bot: Bot) -> None:
    told = sends(web, lines(bot, 1) + b"{oops\n")
    assert told[-1]["committed"] == 1 and "[1]: expected JSON" in told[-1]["detail"]


def test_a_line_without_end_is_refused_before_it_fills_the_memory(web: Web, bot: Bot) -> None:
    told = sends(web, lines(bot, 1) + b" " * (stream.LINE_BYTES + 2 * stream.CHUNK))
    assert told[-1]["code"] == "invalid_request" and told[-1]["committed"] == 1


@pytest.mark.parametrize("error", [OperationalError("database or disk is full"), InterfaceError("connection closed")])
def test_trouble_is_told_in_the_last_line_and_the_piece_is_not_recorded(web: Web, bot: Bot, error: Exception) -> None:
    sends(web, lines(bot, 3))
    with failing_database(error, table='INSERT INTO "audit_entry"'):
        told = sends(web, lines(bot, 5, first=3), offset=3)
    assert [(line["code"], line["recorded"], line["committed"]) for line in told] == [("engine_unavailable", False, 3)]
    assert len(recorded()) == 3


def test_trouble_behind_a_wrong_row_is_told_too(web: Web, bot: Bot) -> None:
    with failing_database(OperationalError("disk I/O error"), table='INSERT INTO "audit_entry"'):
        (told,) = sends(web, lines(bot, 2) + wrong(bot, signal_score=1.2))
    assert (told["code"], told["committed"]) == ("engine_unavailable", 0)


@pytest.mark.parametrize(
    ("query", "field"),
    [("", "stream"), ("?stream=", "stream"), (f"?stream={'s' * 129}", "stream"), ("?stream=s1&offset=-1", "offset"),
     ("?stream=s1&offset=1e3", "offset"), ("?stream=s1&offset=%D9%A3", "offset"), ("?stream=a%0Ab", "stream")],
)  # fmt: skip
def test_a_stream_has_a_name_and_a_place(web: Web, bot: Bot, query: str, field: str) -> None:
    answer = web.post(f"decisions/stream{query}", lines(bot, 1))
    assert answer.error["field"] == field
    assert (answer.body["verdict"], answer.body["recorded"]) == ("block", False)


def test_streams_of_two_clients_are_two_streams(web: Web, bot: Bot, gate_clock: StillClock) -> None:
    sends(web, lines(bot, 3))
    other = trading_bot("ES-OTHER", now=gate_clock.now)
    assert Web(other.token).get("decisions/stream", stream="s1").body["committed"] == 0


def test_the_piece_and_the_place_are_committed_together(bot: Bot) -> None:
    position = StreamPosition(bot.client, "s1", 0)
    full = failing_database(OperationalError("disk is full"), table='UPDATE "decisions_streamcursor"')
    with full, pytest.raises(EngineUnavailable):
        stream_append(position, [bot.sent(mode="record")], actor=bot.actor)
    assert position.committed == stream_committed(bot.client, "s1") == Decision.objects.count() == 0
