"""The journal browser: who, what, when, why, and the very text that was hashed."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import FactAdmin, ReadOnlyAdmin
from mia_site.audit.admin.filters import RecordedDayFilter, select_of
from mia_site.audit.admin.history import KIND_NAMES
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import badge, link, moment, mono, pretty_json, short
from mia_site.audit.models import Entry, PendingEntry
from mia_site.audit.templatetags.desk import kind_name
from mia_site.ops.append_only import fact_models


def kinds_known() -> list[tuple[str, str]]:
    """Every kind of entry that the desk writes, by its name in the reader's language."""
    kinds = {*(model.kind for model in fact_models() if model.kind), *KIND_NAMES} - {"decision_features", ""}
    return sorted(((kind, kind_name(kind)) for kind in kinds), key=lambda pair: pair[1])


@admin.register(PendingEntry)
class PendingEntryAdmin(ReadOnlyAdmin):
    list_display = ("entry_id", "leaf")
    search_fields = ("entry_id__exact",)
    sortable_by = ()
    ordering = ("entry_id",)
    fields = ("entry_id", "leaf_hash")

    @admin.display(description=gettext_lazy("leaf hash"))
    def leaf(self, row: PendingEntry) -> SafeString:
        return short(bytes(row.leaf_hash).hex())


@admin.register(Entry)
class EntryAdmin(FactAdmin):
    list_display = ("at", "what", "account", "who", "why", "leaf")
    list_filter = (
        ("kind_name", select_of(kinds_known)),
        ("recorded_at", RecordedDayFilter),
    )
    search_fields = ("account__exact", "actor__exact", "object_id__exact")
    search_help_text = gettext_lazy("Account, actor (user:3) or object id")
    sortable_by = ()
    ordering = ("-id",)
    change_form_outer_after_template = ""
    fieldsets = (
        (None, {"fields": (("moment", "what"), ("who_shown", "account"), "why", ("thing", "request_id"))}),
        (gettext_lazy("Ledger"), {"fields": ("id", "leaf_hash", "sealing")}),
        (gettext_lazy("Canonical text"), {"fields": ("document", "exact")}),
    )

    def page_prepare(self, rows: Iterable[Any]) -> None:
        names = actor_names(row.actor for row in rows)
        for row in rows:
            row.actor_shown = names[row.actor]

    @admin.display(description=gettext_lazy("when (UTC)"))
    def at(self, row: Entry) -> str:
        return moment(row.recorded_at)

    @admin.display(description=gettext_lazy("what"))
    def what(self, row: Entry) -> SafeString:
        return badge(kind_name(row.kind_name), "info")

    @admin.display(description=gettext_lazy("who"))
    def who(self, row: Any) -> str:
        return str(row.actor_shown)

    @admin.display(description=gettext_lazy("leaf hash"))
    def leaf(self, row: Entry) -> SafeString:
        return short(bytes(row.leaf_hash).hex())

    @admin.display(description=gettext_lazy("when (UTC)"))
    def moment(self, row: Entry) -> str:
        return f"{row.recorded_at:%Y-%m-%d %H:%M:%S.%f}"

    @admin.display(description=gettext_lazy("who"))
    def who_shown(self, row: Entry) -> str:
        return actor_names([row.actor])[row.actor]

    @admin.display(description=gettext_lazy("object"))
    def thing(self, row: Entry) -> SafeString:
        text = f"{row.object_type} {row.object_id}"
        try:
            return link(reverse(f"admin:{row.object_type.replace('.', '_')}_change", args=[row.object_id]), text)
        except NoReverseMatch:
            return mono(text)

    @admin.display(description=gettext_lazy("state"))
    def sealing(self, row: Entry) -> str:
        if PendingEntry.objects.filter(pk=row.pk).exists():
            return _("recorded; waiting for its place in the ledger")
        return _("recorded and handed to the ledger")

    @admin.display(description=gettext_lazy("readable"))
    def document(self, row: Entry) -> SafeString:
        return pretty_json(json.loads(row.body))

    @admin.display(description=gettext_lazy("exactly as hashed"))
    def exact(self, row: Entry) -> SafeString:
        return mono(row.body)
