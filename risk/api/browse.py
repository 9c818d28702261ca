"""Lists: snapshots, penalties, limits of the client's account, and the macro calendar. Newest first, by cursor."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from risk.api.base import DeskView, Page, RecordedPage, client_of
from risk.api.filters import FlagFilter, MomentFilter
from risk.models import LimitsVersion, MacroEvent, Penalty, Snapshot


class _PeriodFilter(django_filters.FilterSet):
    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")


class SnapshotFilter(_PeriodFilter):
    penalty_active = FlagFilter()

    class Meta:
        model = Snapshot
        fields = ()


class PenaltyFilter(_PeriodFilter):
    penalty_active = FlagFilter()

    class Meta:
        model = Penalty
        fields = ()


class LimitsFilter(django_filters.FilterSet):
    class Meta:
        model = LimitsVersion
        fields = ()


class EventFilter(django_filters.FilterSet):
    since = MomentFilter(field_name="start_at", lookup_expr="gte")
    until = MomentFilter(field_name="start_at", lookup_expr="lt")
    min_impact = django_filters.NumberFilter(field_name="impact", lookup_expr="gte")

    class Meta:
        model = MacroEvent
        fields = ("event_type", "currency")


class SnapshotRow(serializers.ModelSerializer[Snapshot]):
    class Meta:
        model = Snapshot
        fields = (
            "id", "at", "drawdown", "overtrade_risk_score", "penalty_active", "limit", "cause", "evidence", "origin",
        )  # fmt: skip


class PenaltyRow(serializers.ModelSerializer[Penalty]):
    class Meta:
        model = Penalty
        fields = (
            "id", "at", "penalty_active", "overtrade_risk_score", "penalty_kind", "value", "reason", "expires_at",
            "snapshot_id", "origin",
        )  # fmt: skip


class LimitsRow(serializers.ModelSerializer[LimitsVersion]):
    desk_limits_version = serializers.IntegerField(
        source="desk_limits.version", read_only=True, allow_null=True, default=None
    )
    step = serializers.CharField(source="step.step", read_only=True, allow_null=True, default=None)

    class Meta:
        model = LimitsVersion
        fields = (
            "id", "recorded_at", "version", "body", "changes", "proposer", "reason", "applied", "way", "effective_at",
            "review_by", "step", "own", "desk_limits_version",
        )  # fmt: skip


class EventRow(serializers.ModelSerializer[MacroEvent]):
    class Meta:
        model = MacroEvent
        fields = (
            "id", "start_at", "end_at", "event_type", "currency", "impact", "status", "by_staff", "waived",
            "cluster_ref", "source", "version",
        )  # fmt: skip


class EventPage(Page):
    ordering = ("-start_at", "-id")


class _OwnRows(DeskView, ListAPIView[Any]):
    """Rows of the client's own account."""

    def get_queryset(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.filter(account_id=client_of(self.request).account_id)


class SnapshotList(_OwnRows):
    queryset = Snapshot.objects.all()
    serializer_class = SnapshotRow
    filterset_class = SnapshotFilter
    pagination_class = Page


class PenaltyList(_OwnRows):
    queryset = Penalty.objects.all()
    serializer_class = PenaltyRow
    filterset_class = PenaltyFilter
    pagination_class = Page


class LimitsList(_OwnRows):
    queryset = LimitsVersion.objects.select_related("step", "desk_limits")
    serializer_class = LimitsRow
    filterset_class = LimitsFilter
    pagination_class = RecordedPage


class EventList(DeskView, ListAPIView[MacroEvent]):
    queryset = MacroEvent.objects.filter(start_at__isnull=False)
    serializer_class = EventRow
    filterset_class = EventFilter
    pagination_class = EventPage
