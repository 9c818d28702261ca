"""The journal browser: who, what, when, why, and the very text that was hashed."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.base import EXPORT, FactAdmin, ReadOnlyAdmin, proof_context, request_actor
from mia_site.audit.admin.evidence_download import evidence_download
from mia_site.audit.admin.filters import RecordedDayFilter, select_of
from mia_site.audit.admin.history import KIND_NAMES, changes_of, entry_document, is_change
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import EMPTY, badge, link, moment, mono, number, pairs, pretty_json, short, table
from mia_site.audit.models import Entry, PendingEntry, PersonalData
from mia_site.audit.templatetags.desk import kind_name
from mia_site.ops.append_only import fact_models
from mia_site.ops.sentences import sentence_told

VIEW_PERSONAL = "audit.view_personaldata"
ERASE_PERSONAL = "audit.delete_personaldata"


def kinds_known() -> list[tuple[str, str]]:
    """Every kind of entry that the desk writes, by its name in the reader's language."""
    kinds = {*(model.kind for model in fact_models() if model.kind), *KIND_NAMES} - {"decision_features", ""}
    return sorted(((kind, kind_name(kind)) for kind in kinds), key=lambda pair: pair[1])


@admin.register(PendingEntry)
class PendingEntryAdmin(ReadOnlyAdmin):
    list_display = ("entry_id", "leaf")
    empty_words = gettext_lazy("Every entry has its place in the ledger: none waits.")
    search_fields = ("entry_id__exact",)
    sortable_by = ()
    ordering = ("entry_id",)
    fields = ("entry_id", "leaf_hash")

    @admin.display(description=gettext_lazy("leaf hash"))
    def leaf(self, row: PendingEntry) -> SafeString:
        return short(bytes(row.leaf_hash).hex())


@admin.register(Entry)
class EntryAdmin(FactAdmin):
    list_display = ("at", "what", "account", "who", "why_shown", "leaf")
    list_filter = (
        ("kind_name", select_of(kinds_known)),
        ("recorded_at", RecordedDayFilter),
    )
    search_fields = ("account__exact", "actor__exact", "object_id__exact")
    search_help_text = gettext_lazy("Account, actor (user:3) or object id")
    sortable_by = ()
    ordering = ("-id",)
    change_form_outer_before_template = "admin/desk/entry_actions.html"
    change_form_outer_after_template = ""
    fieldsets = (
        (
            None,
            {"fields": (("moment", "what"), ("who_shown", "account"), "why_shown", ("thing", "request_id"), "clock")},
        ),
        (gettext_lazy("Before and after"), {"fields": ("changes",)}),
        (gettext_lazy("Personal data beside the entry"), {"fields": ("personal",)}),
        (gettext_lazy("Ledger"), {"fields": ("id", "leaf_hash", "sealing")}),
        (gettext_lazy("Canonical text"), {"fields": ("document", "exact")}),
    )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.evidence_view)
        return [path("<uuid:entry_id>/evidence/", view, name="audit_entry_evidence"), *super().get_urls()]

    def evidence_view(self, request: HttpRequest, entry_id: UUID) -> HttpResponseBase:
        return evidence_download(self, request, entry_id, actor=request_actor(request), permission=EXPORT)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Only the parts that this entry has, and this person may see."""
        record = entry_document(obj) if obj is not None else {}
        hidden = set()
        if obj is None or not _changes(obj):
            hidden.add("changes")
        if "personal" not in record or not request.user.has_perm(VIEW_PERSONAL):
            hidden.add("personal")
        return [part for part in super().get_fieldsets(request, obj) if not hidden & {_name(part[1]["fields"][0])}]

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        beside = PersonalData.objects.filter(pk=obj.pk).exists()
        erasable = beside and request.user.has_perm(ERASE_PERSONAL)
        return {**super().page_context(request, obj), "erasable": erasable}

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

    @admin.display(description=gettext_lazy("why"))
    def why_shown(self, row: Entry) -> str:
        return sentence_told(row.why) or EMPTY

    @admin.display(description=gettext_lazy("object"))
    def thing(self, row: Entry) -> SafeString:
        text = f"{row.object_type} {row.object_id}"
        try:
            return link(reverse(f"admin:{row.object_type.replace('.', '_')}_change", args=[row.object_id]), text)
        except NoReverseMatch:
            return mono(text)

    @admin.display(description=gettext_lazy("state"))
    def sealing(self, row: Entry) -> SafeString:
        return SafeString(render_to_string("admin/desk/proof_state.html", proof_context(row)))

    @admin.display(description=gettext_lazy("clock"))
    def clock(self, row: Entry) -> str:
        return clock_sentence(entry_document(row).get("clock") or {})

    @admin.display(description=gettext_lazy("changes"))
    def changes(self, row: Entry) -> SafeString:
        lines = [(mono(name), before or EMPTY, after or EMPTY) for name, before, after in _changes(row)]
        return table((_("field"), _("before"), _("after")), lines)

    @admin.display(description=gettext_lazy("personal data"))
    def personal(self, row: Entry) -> SafeString | str:
        beside = PersonalData.objects.filter(pk=row.pk).first()
        return _("erased; the entry keeps only a salted hash of it") if beside is None else pairs(beside.data)

    @admin.display(description=gettext_lazy("readable"))
    def document(self, row: Entry) -> SafeString:
        return pretty_json(entry_document(row))

    @admin.display(description=gettext_lazy("exactly as hashed"))
    def exact(self, row: Entry) -> SafeString:
        return mono(row.body)


def clock_sentence(mark: dict[str, Any]) -> str:
    """What an entry says of the clock that dated it."""
    words = {
        True: _("the host's clock was synchronised"),
        False: _("the host's clock was NOT synchronised"),
        None: _("it was not known whether the host's clock was synchronised"),
    }
    told = words[mark.get("synchronised")]
    offset = mark.get("offset_ms")
    if offset is None:
        return told
    return _("%(told)s; the database's was %(offset)s ms from it") % {"told": told, "offset": number(offset, 1)}


def _changes(row: Entry) -> list[tuple[str, str, str]]:
    fact = entry_document(row).get("fact") or {}
    return changes_of(fact) if is_change(fact) else []


def _name(field: Any) -> str:
    return str(getattr(field, "__name__", field))
