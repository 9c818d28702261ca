"""The specification's two questions over HTTP: `stop_trading` and `block_trade`."""

from decimal import Decimal
from typing import Any

import msgspec
from drf_spectacular.utils import OpenApiResponse, extend_schema
from msgspec.structs import force_setattr
from rest_framework.request import Request
from rest_framework.response import Response

from mia_site.ops.deadline import answer_deadline
from mia_site.ops.http import body_decode, body_read
from mia_site.ops.openapi import body_schema, json_body
from risk.api.base import DeskView, account_check, actor_of
from risk.inputs import AccountCode, Aware, Input, Instrument, moment_utc
from risk.receipts import Receipt, receipt_of
from risk.risk_controller import stop_within
from risk.rules.messages import number
from risk.trade_window_filter import trade_window


class StopTradingInput(Input, frozen=True):
    """`drawdown`: a fraction, 0.06 or -0.06 for 6 %."""

    account: AccountCode
    drawdown: Decimal


class SnapshotAnswer(msgspec.Struct, frozen=True):
    id: str
    drawdown: str
    overtrade_risk_score: float
    limit: str | None


class StopTradingAnswer(msgspec.Struct, frozen=True):
    """`stop`: trading must stop. `penalty_active`: above the limit, also where the rule is only in shadow."""

    stop: bool
    penalty_active: bool
    snapshot: SnapshotAnswer
    receipt: Receipt | None


class BlockTradeInput(Input, frozen=True):
    """`at`: judge the calendar alone for that moment. `event_active`: the caller's own report."""

    account: AccountCode
    instrument: Instrument
    at: Aware | None = None
    event_active: bool = False

    def __post_init__(self) -> None:
        if self.at is not None:
            force_setattr(self, "at", moment_utc("at", self.at))


class WindowReason(msgspec.Struct, frozen=True):
    code: str
    message: str
    evidence: dict[str, Any]
    retry_at: Aware | None = None


class BlockTradeAnswer(msgspec.Struct, frozen=True):
    blocked: bool
    reasons: list[WindowReason]


class StopTradingView(DeskView):
    error_extra = {"stop": True}

    @extend_schema(
        summary="Must trading stop at this drawdown? Records a snapshot and a penalty row; above the limit it stops",
        request=json_body(StopTradingInput),
        responses={201: OpenApiResponse(body_schema(StopTradingAnswer))},
    )
    def post(self, request: Request) -> Response:
        sent = body_decode(body_read(request), StopTradingInput)
        account = account_check(request, sent.account)
        deadline = answer_deadline()
        told = stop_within(sent.drawdown, account=account.code, actor=actor_of(request), deadline=deadline)
        limit = None if told.limit is None else number(told.limit)
        snapshot = SnapshotAnswer(str(told.snapshot_id), number(told.drawdown), told.overtrade_risk_score, limit)
        answer = StopTradingAnswer(told.stop, told.penalty_active, snapshot, receipt_of(told.leaves))
        return Response(answer, status=201)


class BlockTradeView(DeskView):
    error_extra = {"blocked": True}

    @extend_schema(
        summary="Is a trade blocked by the macro calendar?",
        request=json_body(BlockTradeInput),
        responses={200: OpenApiResponse(body_schema(BlockTradeAnswer))},
    )
    def post(self, request: Request) -> Response:
        sent = body_decode(body_read(request), BlockTradeInput)
        account = account_check(request, sent.account)
        window = trade_window(
            sent.event_active,
            account=account.code,
            instrument=sent.instrument,
            at=sent.at,
            deadline=answer_deadline(),
        )
        reasons = [
            WindowReason(reason.code.value, reason.message, dict(reason.evidence), reason.retry_at)
            for reason in window.reasons
        ]
        return Response(BlockTradeAnswer(window.blocked, reasons))
