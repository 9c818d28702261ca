"""NDJSON without end: rows are recorded as they come, committed per 1,000, and the sender can resume behind them."""

from collections.abc import Iterator
from typing import Any

import msgspec
import structlog
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from decisions.api.decisions import GateView, gate_problem
from decisions.decision_log import OtherAccount, RowError
from decisions.decision_stream import StreamPosition, stream_append, stream_committed
from decisions.inputs import DecisionInput
from mia_site.ops.http import BodyError, body_decode, body_encode, body_source
from mia_site.ops.openapi import body_schema
from mia_site.ops.problems import Problem
from risk.api.base import actor_of, client_of, problem_of
from risk.inputs import InputError

log = structlog.get_logger(__name__)
ROWS = 1000
LINE_BYTES = 1024 * 1024
CHUNK = 64 * 1024
STREAM = OpenApiParameter("stream", str, required=True, description="Name of the stream, up to 128 characters")


class StreamState(msgspec.Struct, frozen=True):
    """Rows of the stream that are committed: send on from there."""

    stream: str
    committed: int


def _lines(request: Request) -> Iterator[bytes]:
    """Lines of the body as they arrive; a line longer than a megabyte ends the stream."""
    source, rest = body_source(request), b""
    while chunk := source.read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line for line in lines if line.strip())
        if len(rest) > LINE_BYTES:
            raise BodyError("", f"lines of at most {LINE_BYTES} bytes")
    if rest.strip():
        yield rest


class StreamView(GateView):
    @extend_schema(
        summary="How many rows of a stream are committed",
        parameters=[STREAM],
        responses={200: OpenApiResponse(body_schema(StreamState))},
    )
    def get(self, request: Request) -> Response:
        name = _name(request)
        return Response(StreamState(name, stream_committed(client_of(request), name)))

    @extend_schema(
        summary="Record decisions from NDJSON, committed per 1,000 rows; answers one NDJSON line per commit",
        parameters=[
            STREAM,
            OpenApiParameter("offset", int, description="Rows sent before; must equal `committed`"),
        ],
        request={"application/x-ndjson": {"type": "string"}},
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR, 409: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        name, offset = _name(request), _offset(request)
        committed = stream_committed(client_of(request), name)
        if offset != committed:
            raise Problem(
                409,
                "offset_mismatch",
                f"{committed} rows are committed: send on from there.",
                committed=committed,
            )
        position = StreamPosition(client_of(request), name, offset)
        return StreamingHttpResponse(_answers(request, position), content_type="application/x-ndjson")


def _answers(request: Request, position: StreamPosition) -> Iterator[bytes]:
    """One line per commit; a row that cannot be taken ends the stream, after what came before it is committed."""
    rows: list[DecisionInput] = []
    try:
        for line in _lines(request):
            rows.append(_row(request, line, position.committed + len(rows)))
            if len(rows) == ROWS:
                yield _commit(request, position, rows)
                rows = []
        if rows:
            yield _commit(request, position, rows)
    except Exception as error:  # noqa: BLE001 - the status is sent: trouble is told in the last line
        yield from _failed(request, position, rows, error)


def _row(request: Request, line: bytes, index: int) -> DecisionInput:
    try:
        row = body_decode(line, DecisionInput)
    except BodyError as error:
        raise BodyError(f"[{index}].{error.field}".rstrip("."), error.expected, error.value) from error
    if row.account != client_of(request).account.code:
        raise OtherAccount(row.account)
    return msgspec.structs.replace(row, mode="record")


def _commit(request: Request, position: StreamPosition, rows: list[DecisionInput]) -> bytes:
    note = stream_append(position, rows, actor=actor_of(request))
    return body_encode({"committed": position.committed, "note": note}) + b"\n"


def _failed(request: Request, position: StreamPosition, rows: list[DecisionInput], error: Exception) -> Iterator[bytes]:
    if isinstance(error, RowError):
        rows = rows[: error.index]
        error = InputError(f"[{position.committed + error.index}].{error.name}", error.value, error.expected)
    if rows and isinstance(error, BodyError | InputError | OtherAccount):
        try:
            yield _commit(request, position, rows)
        except Exception as worse:  # noqa: BLE001 - told in the last line too
            error = worse
    yield body_encode({**_told(error), "recorded": False, "committed": position.committed}) + b"\n"


def _told(error: Exception) -> dict[str, Any]:
    problem = problem_of(gate_problem(error))
    if isinstance(problem, Problem):
        return {"code": problem.problem_code, "detail": problem.text}
    log.error("stream_failed", exc_info=error)
    return {"code": "engine_unavailable", "detail": type(error).__name__}


def _name(request: Request) -> str:
    name = request.query_params.get("stream", "")
    if not (1 <= len(name) <= 128 and name.isprintable()):
        raise InputError("stream", name[:40], "a name of 1 to 128 printable characters")
    return name


def _offset(request: Request) -> int:
    text = request.query_params.get("offset", "0")
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InputError("offset", text[:40], "a whole number")
    return int(text)
