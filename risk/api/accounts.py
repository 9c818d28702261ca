"""Equity, positions, state and readiness of the client's account."""

from typing import Any

import msgspec
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from mia_site.ops.http import body_decode, body_read
from mia_site.ops.openapi import body_schema, json_body
from mia_site.ops.registry import readiness_run
from risk.api.base import DeskView, account_check, actor_of, created
from risk.equity import EquityRecorded
from risk.inputs import EquityInput, InputError, PositionsInput
from risk.receipts import Receipt, receipt_of
from risk.risk_controller import equity_record, positions_record
from risk.selectors.account_state import AccountStateAnswer, StateWord, account_state

MAX_POINTS = 1000
POINTS_BYTES = 1024 * 1024
POINT = body_schema(EquityInput)


class RecordedAnswer(msgspec.Struct, frozen=True):
    """What became of a report; `receipt` is null where everything in it was known already."""

    recorded: int
    unchanged: int
    trading_state: StateWord
    receipt: Receipt | None


class ReadinessLine(msgspec.Struct, frozen=True):
    """One input of the account: is it there, how old is it, what to do."""

    name: str
    ok: bool
    detail: str
    fix: str
    age_seconds: float | None


class ReadinessAnswer(msgspec.Struct, frozen=True):
    ready: bool
    inputs: list[ReadinessLine]


def _answer(told: EquityRecorded) -> RecordedAnswer:
    return RecordedAnswer(told.recorded, told.unchanged, told.state, receipt_of(told.leaves))


class EquityView(DeskView):
    @extend_schema(
        summary="Report equity, one point or a list; judged in the transaction that stores it",
        request={"application/json": {"oneOf": [POINT, {"type": "array", "items": POINT}]}},
        responses={201: OpenApiResponse(body_schema(RecordedAnswer))},
    )  # fmt: skip
    def post(self, request: Request, code: str) -> Response:
        account = account_check(request, code)
        body = body_read(request, limit=POINTS_BYTES)
        many = body.lstrip()[:1] == b"["
        points = body_decode(body, list[EquityInput]) if many else [body_decode(body, EquityInput)]
        if not 1 <= len(points) <= MAX_POINTS:
            raise InputError("body", len(points), f"1 to {MAX_POINTS} points")
        try:
            told = equity_record(account=account.code, points=points, actor=actor_of(request))
        except InputError as error:
            raise error if many else error.of_one() from error
        return created(_answer(told))


class PositionsView(DeskView):
    @extend_schema(
        summary="Report all open positions",
        request=json_body(PositionsInput),
        responses={201: OpenApiResponse(body_schema(RecordedAnswer))},
    )
    def post(self, request: Request, code: str) -> Response:
        account = account_check(request, code)
        report = body_decode(body_read(request), PositionsInput)
        return created(_answer(positions_record(account=account.code, report=report, actor=actor_of(request))))


class StateView(DeskView):
    @extend_schema(
        summary="Trading state, drawdown by each rule, limits, next blackout, age of each input",
        responses={200: OpenApiResponse(body_schema(AccountStateAnswer))},
    )
    def get(self, request: Request, code: str) -> Response:
        return Response(account_state(account_check(request, code)))


class ReadinessView(DeskView):
    @extend_schema(
        summary="What is missing before this account can trade, and the fix for each",
        responses={200: OpenApiResponse(body_schema(ReadinessAnswer)), 503: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, code: str) -> Response:
        lines = [
            ReadinessLine(line.name, line.ok, line.detail, line.fix, line.age_seconds)
            for line in readiness_run(account_check(request, code).code)
        ]
        answer: Any = ReadinessAnswer(all(line.ok for line in lines), lines)
        return Response(answer)
