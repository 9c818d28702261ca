"""Pages of the ledger: places, tiles, checkpoints, keys, clocks, restores, verifications."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import RecordedDayFilter
from mia_site.audit.admin.ledger_page import depth_word, ledger_context, outcome_badge
from mia_site.audit.admin.rendering import moment, mono, short
from mia_site.audit.ledger_health import ledger_health
from mia_site.audit.models import (
    Checkpoint,
    CheckpointPost,
    ClockReading,
    ClockState,
    Continuation,
    LedgerLeaf,
    SigningKey,
    Tile,
    Verification,
)
from mia_site.audit.verification.findings import Finding


@admin.register(LedgerLeaf)
class LedgerLeafAdmin(ReadOnlyAdmin):
    list_display = ("index", "entry_id", "leaf")
    search_fields = ("entry_id__exact",)
    search_help_text = gettext_lazy("Entry or decision id")
    sortable_by = ()
    ordering = ("-index",)
    fields = ("index", "entry_id", "leaf_hash")

    @admin.display(description=gettext_lazy("leaf hash"))
    def leaf(self, row: LedgerLeaf) -> SafeString:
        return short(bytes(row.leaf_hash).hex())


@admin.register(Tile)
class TileAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "root_shown")
    sortable_by = ()
    ordering = ("place",)
    fields = ("place", "root")

    @admin.display(description=gettext_lazy("root"))
    def root_shown(self, row: Tile) -> SafeString:
        return short(bytes(row.root).hex())


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    list_display = ("number", "size", "sealed", "root_shown")
    search_fields = ("size__exact",)
    search_help_text = gettext_lazy("Size of the tree")
    sortable_by = ()
    ordering = ("-number",)
    fields = ("number", "size", "sealed", "root", "text")

    def get_urls(self) -> list[Any]:
        """The ledger's own page stands beside its checkpoints."""
        return [path("ledger/", self.admin_site.admin_view(self.ledger_view), name="audit_ledger"), *super().get_urls()]

    def ledger_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **ledger_context(ledger_health()),
            "title": _("Ledger"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/desk/ledger.html", context)

    @admin.display(description=gettext_lazy("sealed (UTC)"))
    def sealed(self, row: Checkpoint) -> str:
        return moment(row.sealed_at)

    @admin.display(description=gettext_lazy("root"))
    def root_shown(self, row: Checkpoint) -> SafeString:
        return short(bytes(row.root).hex())

    @admin.display(description=gettext_lazy("signed note"))
    def text(self, row: Checkpoint) -> SafeString:
        return mono(row.note)


@admin.register(CheckpointPost)
class CheckpointPostAdmin(ReadOnlyAdmin):
    list_display = ("target", "note", "sent_at", "attempts", "last_error")
    sortable_by = ()
    ordering = ("target",)
    fields = ("target", "note", "sent_at", "attempts", "next_try_at", "last_error")


@admin.register(SigningKey)
class SigningKeyAdmin(FactAdmin):
    list_display = ("recorded_at", "purpose", "vkey")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(Continuation)
class ContinuationAdmin(FactAdmin):
    list_display = ("recorded_at", "kept", "lost", "reason", "asked_by", "agreed_by")
    sortable_by = ()
    ordering = ("-id",)


@admin.register(ClockReading)
class ClockReadingAdmin(FactAdmin):
    list_display = ("recorded_at", "synchronised", "database_offset_ms", "broker_offset_ms", "within_limit")
    list_filter = (("recorded_at", RecordedDayFilter),)
    sortable_by = ()
    ordering = ("-id",)


@admin.register(ClockState)
class ClockStateAdmin(ReadOnlyAdmin):
    list_display = ("at", "synchronised", "database_offset_ms", "broker_offset_ms", "within_limit")
    sortable_by = ()
    ordering = ("id",)


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    list_display = ("started", "depth", "outcome", "checked", "stage")
    sortable_by = ()
    ordering = ("-id",)
    fields = ("started", "finished", "depth", "outcome", "checked", "count", "found")

    @admin.display(description=gettext_lazy("started (UTC)"))
    def started(self, row: Verification) -> str:
        return moment(row.started_at)

    @admin.display(description=gettext_lazy("finished (UTC)"))
    def finished(self, row: Verification) -> str:
        return _moment_or_empty(row.finished_at)

    @admin.display(description=gettext_lazy("depth"))
    def depth(self, row: Verification) -> str:
        return depth_word(row)

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, row: Verification) -> SafeString:
        return outcome_badge(row)

    @admin.display(description=gettext_lazy("findings"))
    def found(self, row: Verification) -> SafeString:
        return mono("\n".join(Finding(**finding).line() for finding in row.findings))


def _moment_or_empty(at: datetime | None) -> str:
    return moment(at) if at else ""
