"""Asking, browsing, outcomes."""

from typing import Any, ClassVar
from uuid import UUID

import django_filters
import msgspec
from django.db import Error
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from decisions.api.answers import BatchAnswer, DecisionAnswer, batch_answer, decision_answer, not_recorded
from decisions.api.bodies import BATCH_BYTES, batch_decode, row_problem
from decisions.decision_log import (
    EngineUnavailable,
    KeyReused,
    OtherAccount,
    RowError,
    outcome_record,
    submit,
)
from decisions.inputs import DecisionInput, OrderInput, OutcomeInput
from decisions.models import Decision, OrderReport, Outcome
from decisions.orders import order_record
from decisions.selectors import features_of
from mia_site.audit.actors import Actor
from mia_site.audit.journal import Leaf
from mia_site.ops.http import body_decode, body_read
from mia_site.ops.openapi import body_schema, json_body
from mia_site.ops.problems import Problem
from mia_site.ops.retry import DeadlineExceeded
from risk.api.base import UNAVAILABLE, DeskView, Page, actor_of, client_of, other_account
from risk.api.filters import MomentFilter
from risk.models import Account
from risk.receipts import Receipt, receipt_of

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body get the stored decision back.",
)


class GateView(DeskView):
    """Base of what records decisions: no error may read as "allowed"."""

    error_extra: ClassVar[dict[str, Any]] = {"verdict": "block", "recorded": False}

    def handle_exception(self, exc: Exception) -> Response:
        return super().handle_exception(gate_problem(exc))


def gate_problem(error: Exception) -> Exception:
    """What the decision log refuses, as a problem to answer with; anything else stays as it is."""
    if isinstance(error, EngineUnavailable | Error | DeadlineExceeded):  # also while it looks who asks
        return Problem(503, "engine_unavailable", UNAVAILABLE, headers={"Retry-After": "1"}, reasons=not_recorded())
    if isinstance(error, KeyReused):
        return Problem(409, "key_reused", "This Idempotency-Key was used with another body: ask with a new one.")
    if isinstance(error, OtherAccount):
        return other_account(str(error))
    return error


class DecisionRow(serializers.ModelSerializer[Decision]):
    """A recorded decision."""

    account: "serializers.SlugRelatedField[Account]" = serializers.SlugRelatedField(slug_field="code", read_only=True)

    class Meta:
        model = Decision
        fields = (
            "id", "account", "seq", "at", "recorded_at", "origin", "mode", "trade_id", "decision", "signal_score",
            "regime_probs", "instrument", "side", "quantity", "price", "order_type", "order_id", "reason", "algorithm",
            "model", "trace_id", "decided_at", "verdict", "effect", "reason_code", "reasons", "shadow_reasons",
            "max_quantity", "valid_until", "retry_at", "trading_state", "limits_version", "feature_coverage", "context",
        )  # fmt: skip


class OutcomeRow(serializers.ModelSerializer[Outcome]):
    class Meta:
        model = Outcome
        fields = ("id", "recorded_at", "pnl", "closed_at", "quantity", "exit_price", "final", "origin")


class OrderRow(serializers.ModelSerializer[OrderReport]):
    class Meta:
        model = OrderReport
        fields = ("id", "recorded_at", "status", "filled_quantity", "fill_price", "at")


class DecisionDetailRow(DecisionRow):
    """A recorded decision with what it was judged on, its features, and what was told of its order and its outcome,
    newest first."""

    features = serializers.SerializerMethodField()
    outcomes = serializers.SerializerMethodField()
    orders = serializers.SerializerMethodField()

    class Meta(DecisionRow.Meta):
        fields = (*DecisionRow.Meta.fields, "judged_on", "feature_commitment", "features", "outcomes", "orders")  # type: ignore[assignment]

    def get_features(self, decision: Decision) -> dict[str, float]:
        return features_of(decision)

    def get_outcomes(self, decision: Decision) -> list[dict[str, Any]]:
        return list(OutcomeRow(Outcome.objects.filter(decision_id=decision.id).order_by("-seq"), many=True).data)

    def get_orders(self, decision: Decision) -> list[dict[str, Any]]:
        return list(OrderRow(OrderReport.objects.filter(decision_id=decision.id).order_by("-seq"), many=True).data)


class DecisionFilter(django_filters.FilterSet):
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Decision
        fields = ("verdict", "reason_code", "trade_id", "origin", "mode", "instrument", "decision", "effect")


def own_decisions(request: Request) -> QuerySet[Decision]:
    return Decision.objects.filter(account_id=client_of(request).account_id).select_related("account")


class DecisionsView(GateView, ListAPIView[Decision]):
    queryset = Decision.objects.none()
    serializer_class = DecisionRow
    filterset_class = DecisionFilter
    pagination_class = Page

    def get_queryset(self) -> QuerySet[Decision]:
        return self.queryset if getattr(self, "swagger_fake_view", False) else own_decisions(self.request)

    @extend_schema(
        summary="May I? Judges and records one decision",
        description="A blocked decision is recorded too: 201 with `verdict: block`.",
        parameters=[KEY],
        request=json_body(DecisionInput),
        responses={
            201: OpenApiResponse(body_schema(DecisionAnswer)),
            400: OpenApiTypes.OBJECT,
            409: OpenApiTypes.OBJECT,
            503: OpenApiTypes.OBJECT,
        },
    )
    def post(self, request: Request) -> Response:
        body = body_read(request)
        sent = body_decode(body, DecisionInput)
        told = submit(
            [sent], client=client_of(request), actor=actor_of(request), body=body,
            key=request.headers.get("Idempotency-Key", ""),
        )  # fmt: skip
        return Response(decision_answer(told, told.answers[0]), status=201)


class DecisionView(DeskView):
    @extend_schema(summary="One decision, whole", responses={200: DecisionDetailRow})
    def get(self, request: Request, id: UUID) -> Response:
        decision = get_object_or_404(own_decisions(request), id=id)
        return Response(DecisionDetailRow(decision).data)


class BatchView(GateView):
    @extend_schema(
        summary="Up to 1,000 decisions at once (JSON array or NDJSON), all or nothing",
        parameters=[KEY],
        request={**json_body(DecisionInput, many=True), "application/x-ndjson": {"type": "string"}},
        responses={201: OpenApiResponse(body_schema(BatchAnswer)), 400: OpenApiTypes.OBJECT},
    )
    def post(self, request: Request) -> Response:
        body = body_read(request, limit=BATCH_BYTES)
        try:
            told = submit(
                batch_decode(body), client=client_of(request), actor=actor_of(request), body=body,
                key=request.headers.get("Idempotency-Key", ""),
            )  # fmt: skip
        except RowError as error:
            raise row_problem(error) from error
        return Response(batch_answer(told), status=201)


class OutcomeView(DeskView):
    @extend_schema(
        summary="What became of a decision, or of its order; a newer report corrects an older one",
        request=json_body(OutcomeInput, OrderInput),
        responses={201: OpenApiResponse(body_schema(Receipt))},
    )
    def post(self, request: Request, id: UUID) -> Response:
        decision = get_object_or_404(own_decisions(request), id=id)
        leaf, note = self._record(decision, body_read(request), actor_of(request))
        return Response(receipt_of([leaf], note=note), status=201)

    def _record(self, decision: Decision, body: bytes, actor: Actor) -> tuple[Leaf, str]:
        """A body with `order_status` tells of the order, any other of the profit."""
        if "order_status" in body_decode(body, dict[str, msgspec.Raw]):
            return order_record(decision, body_decode(body, OrderInput), actor=actor)[1:]
        return outcome_record(decision, body_decode(body, OutcomeInput), actor=actor)[1:]
