"""The evidence of one entry as a download, for those who may export; who took it is journalled."""

from typing import Any
from uuid import UUID

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from mia_site.audit.actors import Actor
from mia_site.audit.bundle import bundle_bytes
from mia_site.audit.evidence import EvidenceError, evidence_of
from mia_site.audit.evidence_record import evidence_record
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.ledger import NotSealedYet
from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now


def evidence_download(
    page: ModelAdmin[Any], request: HttpRequest, entry_id: UUID, *, actor: Actor, permission: str
) -> HttpResponseBase:
    """A zip of the evidence and both verifiers; a page with status 409 while there is no proof to give."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    if not request.user.has_perm(permission):
        raise PermissionDenied
    if not Entry.objects.filter(pk=entry_id).exists():
        raise Http404
    try:
        document = evidence_of(entry_id, database_now())
    except NotSealedYet:
        return _refused(page, request, entry_id, waiting=True)
    except EvidenceError as error:
        return _refused(page, request, entry_id, problem=str(error))
    packed = bundle_bytes(document, verifier_keys())
    evidence_record(document, actor=actor)
    response = HttpResponse(packed, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="evidence-{entry_id}.zip"'
    return response


def _refused(page: ModelAdmin[Any], request: HttpRequest, entry_id: UUID, **told: Any) -> HttpResponseBase:
    context = {
        **page.admin_site.each_context(request),
        "title": _("Evidence of entry %(id)s") % {"id": entry_id},
        "back": reverse("admin:audit_entry_change", args=[entry_id]),
        "opts": page.opts,
        **told,
    }
    return TemplateResponse(request, "admin/desk/evidence_refused.html", context, status=409)
