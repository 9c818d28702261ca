"""The decision log as a file, streamed; who took what is journalled."""

from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from decisions.api.decisions import DecisionFilter, own_decisions
from decisions.export import FORMATS
from mia_site.audit.journal import change_record
from mia_site.ops.problems import invalid
from risk.api.base import DeskView, actor_of, client_of
from risk.api.filters import MomentFilter, rows_filtered


class ExportView(DeskView):
    @extend_schema(
        summary="The account's decisions as CSV, JSON or NDJSON; the filters are those of the list",
        parameters=[
            OpenApiParameter("format", str, enum=list(FORMATS)),
            *(
                OpenApiParameter(name, OpenApiTypes.DATETIME if isinstance(one, MomentFilter) else str)
                for name, one in DecisionFilter.base_filters.items()
            ),
        ],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "application/x-ndjson"): OpenApiTypes.STR,
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        name = request.query_params.get("format", "csv")
        if name not in FORMATS:
            raise invalid("format", name, "csv, json or ndjson")
        filters = DecisionFilter(request.query_params, queryset=own_decisions(request))
        rows = rows_filtered(filters, request, "format")
        account = client_of(request).account
        with transaction.atomic():
            change_record(
                account, action="exported", actor=actor_of(request), account=account.code,
                after={"what": "decisions", "format": name, "filters": dict(request.query_params.items())},
            )  # fmt: skip
        write, content_type = FORMATS[name]
        response = StreamingHttpResponse(write(rows), content_type=content_type)
        response["Content-Disposition"] = f'attachment; filename="decisions-{account.code}.{name}"'
        return response
