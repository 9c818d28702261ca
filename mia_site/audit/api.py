"""The journal over HTTP: the key that signs receipts, and the bytes that were hashed."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from mia_site.audit.keys import receipt_signer
from mia_site.audit.models import Entry
from mia_site.ops.problems import Problem


class KeyView(APIView):
    """Public: the verifier key (C2SP `vkey`) is what everybody else checks receipts with."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(summary="Verifier key of the receipts", responses={(200, "text/plain"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(f"{receipt_signer().verifier}\n", content_type="text/plain; charset=utf-8")


class RecordView(APIView):
    """The canonical bytes of an entry exactly as hashed; of the client's own account."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(
        summary="Canonical bytes of a journal entry", responses={(200, "application/json"): OpenApiTypes.BYTE}
    )
    def get(self, request: Request, id: UUID) -> HttpResponse:
        client = getattr(request.user, "client", None)
        entry = Entry.objects.filter(id=id).first()
        if entry is None or client is None or entry.account != client.account.code:
            raise Problem(404, "not_found", "There is no such entry, or it is not yours.")
        return HttpResponse(entry.body.encode(), content_type="application/json")
