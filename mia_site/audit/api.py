"""The ledger over HTTP: keys and signed checkpoints for everybody, records and proofs of the client's own account.

Texts are those of C2SP: verifier keys, signed notes, tlog-proof. Every answer reads a few rows, whatever the size.
"""

import base64
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.keys import RECEIPTS
from mia_site.audit.ledger import NotSealedYet, consistency_of, head, inclusion_of
from mia_site.audit.models import Checkpoint, Entry
from mia_site.audit.proof_text import proof_text
from mia_site.ops.problems import Problem

PLAIN = "text/plain; charset=utf-8"
TEXT = {(200, "text/plain"): OpenApiTypes.STR}
MAX_DIGITS = 18


class PublicView(APIView):
    """What everybody may check the desk with."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class OwnEntryView(APIView):
    """An entry of the client's own account."""

    permission_classes = (IsAuthenticated,)

    def entry(self, request: Request, id: UUID) -> Entry:
        """Raises a 404 `Problem` for an entry that is not there or another's."""
        client = getattr(request.user, "client", None)
        entry = Entry.objects.filter(id=id).first()
        if entry is None or client is None or entry.account != client.account.code:
            raise Problem(404, "not_found", "There is no such entry, or it is not yours.")
        return entry


class KeyView(PublicView):
    """One verifier key (C2SP `vkey`) a line: checkpoints first, then receipts; the newest of each first."""

    @extend_schema(summary="Verifier keys of the ledger and of the receipts", responses=TEXT)
    def get(self, request: Request) -> HttpResponse:
        keys = [*verifier_keys(), *verifier_keys(RECEIPTS)]
        return HttpResponse("".join(f"{key}\n" for key in keys), content_type=PLAIN)


class CheckpointView(PublicView):
    @extend_schema(summary="The newest signed checkpoint", responses=TEXT)
    def get(self, request: Request) -> HttpResponse:
        newest = head()
        if newest is None:
            raise Problem(404, "not_found", "Nothing is sealed yet.")
        return HttpResponse(newest.note, content_type=PLAIN)


class CheckpointAtView(PublicView):
    @extend_schema(
        operation_id="audit_checkpoint_at", summary="The signed checkpoint of the tree of this size", responses=TEXT
    )
    def get(self, request: Request, size: int) -> HttpResponse:
        found = Checkpoint.objects.filter(size=size).first() if len(str(size)) <= MAX_DIGITS else None
        if found is None:
            raise Problem(404, "not_found", "No checkpoint was signed at this size.")
        return HttpResponse(found.note, content_type=PLAIN)


class RecordView(OwnEntryView):
    """The canonical bytes of an entry exactly as hashed; of the client's own account."""

    @extend_schema(
        summary="Canonical bytes of a journal entry", responses={(200, "application/json"): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, id: UUID) -> HttpResponse:
        return HttpResponse(self.entry(request, id).body.encode(), content_type="application/json")


class ProofView(OwnEntryView):
    """A C2SP `tlog-proof`: index, audit path, newest checkpoint."""

    @extend_schema(summary="Inclusion proof of a journal entry (C2SP tlog-proof)", responses=TEXT)
    def get(self, request: Request, id: UUID) -> HttpResponse:
        entry = self.entry(request, id)
        try:
            found = inclusion_of(entry.pk)
        except NotSealedYet:
            raise Problem(
                409, "not_sealed_yet", "The entry is recorded and waits for its place in the ledger: ask again.",
                headers={"Retry-After": "2"},
            ) from None  # fmt: skip
        return HttpResponse(proof_text(found.index, found.proof, found.checkpoint.note), content_type=PLAIN)


class ConsistencyView(PublicView):
    """The hashes, base64, one a line; none where the old tree is empty or the same."""

    @extend_schema(
        summary="Proof that the tree of `new` leaves begins with the tree of `old`",
        parameters=[OpenApiParameter("old", int, required=True), OpenApiParameter("new", int, required=True)],
        responses=TEXT,
    )
    def get(self, request: Request) -> HttpResponse:
        old, new = (self._size(request, name) for name in ("old", "new"))
        try:
            proof = consistency_of(old, new)
        except LookupError:
            raise Problem(
                404, "not_found", "The ledger has no trees of these sizes: 0 <= old <= new <= size."
            ) from None
        lines = "".join(f"{base64.b64encode(value).decode()}\n" for value in proof)
        return HttpResponse(lines, content_type=PLAIN)

    @staticmethod
    def _size(request: Request, name: str) -> int:
        text = request.query_params.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
            raise Problem(
                400, "invalid_request", f"{name}: expected a whole number of leaves",
                errors=[{"field": name, "expected": "a whole number of leaves"}],
            )  # fmt: skip
        return int(text)
