"""The register of algorithms, for bots that want to know whether they may trade. Newest entry first."""

from typing import Any

import django_filters
from rest_framework import serializers
from rest_framework.generics import ListAPIView

from risk.api.base import DeskView, RecordedPage
from risk.models import AlgorithmEntry
from risk.rules.scopes import algorithm_key
from risk.selectors.algorithm_register import entry_told


class AlgorithmFilter(django_filters.FilterSet):
    algorithm = django_filters.CharFilter(method="named")

    class Meta:
        model = AlgorithmEntry
        fields = ()

    def named(self, rows: Any, _field: str, name: str) -> Any:
        return rows.filter(key=algorithm_key(name))


class AlgorithmRow(serializers.ModelSerializer[AlgorithmEntry]):
    """`since` and `said`: when and why its status is what it is."""

    algorithm = serializers.CharField(source="key")
    status = serializers.SerializerMethodField()
    since = serializers.SerializerMethodField()
    said = serializers.SerializerMethodField()

    class Meta:
        model = AlgorithmEntry
        fields = (
            "id", "recorded_at", "algorithm", "version", "owner", "max_quantity", "max_openings_per_hour", "proposer",
            "reason", "status", "since", "said",
        )  # fmt: skip

    def get_status(self, row: AlgorithmEntry) -> str:
        return entry_told(row).status.value

    def get_since(self, row: AlgorithmEntry) -> str:
        return entry_told(row).since.isoformat()

    def get_said(self, row: AlgorithmEntry) -> str:
        return entry_told(row).reason


class AlgorithmList(DeskView, ListAPIView[AlgorithmEntry]):
    queryset = AlgorithmEntry.objects.prefetch_related("rulings")
    serializer_class = AlgorithmRow
    filterset_class = AlgorithmFilter
    pagination_class = RecordedPage
