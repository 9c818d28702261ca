"""What all admin pages of the desk share: the journal instead of Django's log, facts that nobody can edit,
lists that stay fast, and the export of a filtered list."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.actors import Actor, user_actor
from mia_site.audit.admin.changes import form_changes, object_fields
from mia_site.audit.admin.columns import Shown, Style, shown_column
from mia_site.audit.admin.exporting import Column, export_response, model_columns
from mia_site.audit.admin.history import history_lines
from mia_site.audit.admin.paging import CappedPaginator, DeskChangeList
from mia_site.audit.journal import change_record
from mia_site.audit.ledger import head, place_of
from mia_site.audit.models import Entry, PendingEntry

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

if TYPE_CHECKING:
    UnfoldAdmin = ModelAdmin[Any]

    def action(**options: Any) -> Callable[[Decorated], Decorated]: ...
else:
    from unfold.admin import ModelAdmin as UnfoldAdmin
    from unfold.decorators import action

EXPORT = "risk.export"
HISTORY_PAGE = 50


def request_actor(request: HttpRequest) -> Actor:
    """The person at the keyboard, by number."""
    return user_actor(request.user.pk)


class JournalAdmin(UnfoldAdmin):
    """A model's pages. Whatever somebody changes here is journalled with who, when, before and after."""

    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_max_show_all = 200
    list_filter_submit = True
    list_after_template = "admin/desk/list_capped.html"
    object_history_template = "admin/desk/history.html"
    actions_list: Any = ({"title": gettext_lazy("Export"), "icon": "download", "items": ["export_csv", "export_json"]},)
    compressed_fields = True
    column_styles: ClassVar[Mapping[str, Style]] = {}
    """Column -> style of `columns.shown_column`."""
    export_leave_out: ClassVar[Sequence[str]] = ()
    empty_words: Any = ""
    """What it means that the list is empty; without words, that nothing is recorded yet."""

    def __init__(self, model: type[models.Model], admin_site: Any) -> None:
        super().__init__(model, admin_site)
        self._shown: dict[str, Shown | str] = {}

    # Columns

    def shown(self, name: Any) -> Any:
        """The display function of a model's column, made once; anything else as it is."""
        if not isinstance(name, str) or hasattr(type(self), name) or name == "__str__":
            return name
        if name not in self._shown:
            self._shown[name] = shown_column(self.model, name, self.column_styles.get(name, ""))
        return self._shown[name]

    def get_list_display(self, request: HttpRequest) -> Any:
        return [self.shown(name) for name in super().get_list_display(request)]

    def get_sortable_by(self, request: HttpRequest) -> Any:
        return [self.shown(name) for name in self.sortable_by or ()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return DeskChangeList

    # The journal

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        request.desk_changes = form_changes(form, created=not change)  # type: ignore[attr-defined]
        super().save_model(request, obj, form, change)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._journal(request, obj, "created", message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._journal(request, obj, "changed", message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            change_record(obj, action="deleted", actor=request_actor(request), before=object_fields(obj))

    def _journal(self, request: HttpRequest, obj: models.Model, what: str, message: Any) -> None:
        before, after = getattr(request, "desk_changes", (None, {"fields": _changed_fields(message)}))
        change_record(obj, action=what, actor=request_actor(request), before=before, after=after)

    def journal_of(self, obj: models.Model) -> QuerySet[Entry]:
        """The journal entries that tell the object's story; pages show the newest first."""
        return Entry.objects.filter(object_type=obj._meta.label_lower, object_id=str(obj.pk))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        pages = CappedPaginator(self.journal_of(obj).order_by("-id"), HISTORY_PAGE)
        page = pages.get_page(request.GET.get("p"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("History: %(object)s") % {"object": obj},
            "lines": history_lines(page.object_list),
            "page": page,
            "object": obj,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.object_history_template, context)

    # Export

    def has_export_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(EXPORT) and self.has_view_permission(request)

    @action(description=gettext_lazy("as CSV"), url_path="export/csv", permissions=["export"])
    def export_csv(self, request: HttpRequest) -> HttpResponseBase:
        return self._export(request, "csv")

    @action(description=gettext_lazy("as JSON"), url_path="export/json", permissions=["export"])
    def export_json(self, request: HttpRequest) -> HttpResponseBase:
        return self._export(request, "json")

    def export_columns(self) -> list[Column]:
        return model_columns(self.model, self.export_leave_out)

    def export_rows(self, request: HttpRequest, rows: QuerySet[Any], kind: str) -> HttpResponseBase:
        """The download itself; apps that have an export of their own give that."""
        return export_response(rows, self.export_columns(), kind, str(self.opts.model_name))

    def _export(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            messages.error(request, _("These filters cannot be used; nothing was exported."))
            return HttpResponseRedirect(reverse(self._url_name("changelist")))
        change_record(
            cast("models.Model", request.user),
            action="exported",
            actor=request_actor(request),
            after={"list": self.opts.label_lower, "format": kind, "filters": dict(request.GET.items())},
        )
        return self.export_rows(request, rows, kind)

    def _url_name(self, page: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Raises `IncorrectLookupParameters` for a value that no database takes; the list comes back without it."""
        if any("\0" in value for value in request.GET.values()):
            raise IncorrectLookupParameters
        return super().get_changelist_instance(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            _keep_filters(response.context_data.get("actions_list") or [], request.GET.urlencode())
        return response


class ReadOnlyAdmin(JournalAdmin):
    """A window: nobody adds, changes or deletes here, whatever permissions they hold."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [
            (title, {**options, "fields": [self._shown_line(line) for line in options["fields"]]})
            for title, options in super().get_fieldsets(request, obj)
        ]

    def _shown_line(self, line: Any) -> Any:
        return [self.shown(name) for name in line] if isinstance(line, list | tuple) else self.shown(line)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields or [field.name for field in self.opts.concrete_fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= self.page_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What the model's own templates on the detail page need."""
        return {}


class FactAdmin(ReadOnlyAdmin):
    """A fact: read-only, with the place it has in the journal."""

    change_form_outer_after_template = "admin/desk/proof.html"

    def entry_of(self, obj: models.Model) -> Entry | None:
        """The journal entry that commits to the fact; a fact shares its id with its entry."""
        return Entry.objects.filter(pk=obj.pk).first()

    def journal_of(self, obj: models.Model) -> QuerySet[Entry]:
        entry = self.entry_of(obj)
        return Entry.objects.filter(pk=entry.pk) if entry else Entry.objects.none()

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return proof_context(self.entry_of(obj))


def proof_context(entry: Entry | None) -> dict[str, Any]:
    """The entry with its place in the ledger, or the word that it waits, for the templates that show it."""
    if entry is None:
        return {"proof": None}
    place = place_of(entry.pk)
    newest = head() if place else None
    return {
        "proof": entry,
        "place": place,
        "waits": place is None and PendingEntry.objects.filter(pk=entry.pk).exists(),
        "tree_size": newest.size if newest else 0,
    }


def _changed_fields(message: Any) -> list[str]:
    """The fields that Django's change message names."""
    parts = message if isinstance(message, list) else []
    return sorted(
        {str(name) for part in parts for what in part.values() for name in what.get("fields", ())} if parts else []
    )


def _keep_filters(actions: Sequence[dict[str, Any]], query: str) -> None:
    """Lets the links above a list act on the list as it is filtered."""
    for entry in actions:
        for item in entry.get("items", [entry]):
            if query and item.get("path"):
                item["path"] = f"{item['path']}?{query}"
