"""Pages of the references of features: where each usually lies, and what that was learned from."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.feature_learning import Lesson, features_learn, lesson_record
from mia_site.audit.admin.base import FactAdmin, request_actor
from mia_site.audit.admin.rendering import EMPTY, number, percent, table
from risk.admin.acting import ReasonForm, moment_field, preview_view
from risk.models import FeatureReference
from risk.roles import LEARN_FEATURES
from risk.rules.drift import IQR_OF_SCALE


class WindowForm(ReasonForm):
    """The decisions that are learned from, and why those."""

    since = moment_field(gettext_lazy("From (UTC)"))
    until = moment_field(gettext_lazy("Until (UTC)"))
    field_order = ("since", "until", "reason")


@admin.register(FeatureReference)
class FeatureReferenceAdmin(FactAdmin):
    list_display = ("version", "feature_set", "source", "since", "until", "decisions", "recorded_at")
    list_select_related = ("feature_set",)
    sortable_by = ()
    ordering = ("-version",)
    column_styles = {"content": "short"}
    list_before_template = "admin/desk/reference_actions.html"
    fields = (
        ("version", "feature_set"), ("source", "decisions"), ("since", "until"), "reason", ("actor", "recorded_at"),
        "content", "features_shown",
    )  # fmt: skip

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.learn_view)
        return [path("learn/", view, name="risk_featurereference_learn"), *super().get_urls()]

    def learn_view(self, request: HttpRequest) -> HttpResponseBase:
        """Staff choose a window, look at what it teaches, and put that in force."""
        return preview_view(
            self, request, permission=LEARN_FEATURES, title=_("Learn where features usually lie"),
            form=WindowForm(request.POST or None), button=("use", _("Use as the reference"), "primary"),
            preview=lambda given: lesson_shown(features_learn(given["since"], given["until"])),
            apply=lambda given, _button: _learn(given, request), back=reverse("admin:risk_featurereference_changelist"),
        )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related("feature_set")

    @admin.display(description=gettext_lazy("features by importance"))
    def features_shown(self, row: FeatureReference) -> SafeString:
        columns = zip(row.feature_set.names, row.centres, row.scales, row.counts, strict=True)
        rows = (
            (place, name, _figure(centre), _figure(scale), EMPTY if count is None else number(count))
            for place, (name, centre, scale, count) in enumerate(columns, 1)
        )
        return table(("#", _("feature"), _("median"), _("scale"), _("values")), rows)


def _figure(value: float | None) -> str:
    return EMPTY if value is None else number(value, 6)


def lesson_shown(lesson: Lesson) -> SafeString:
    """What a window teaches: how much was read, and each feature's median and scale, the most important first."""
    known = {row.name: row for row in lesson.statistics}
    rows = (
        (place, name, _figure(known[name].median), _figure(known[name].iqr / IQR_OF_SCALE), number(known[name].count))
        if name in known
        else (place, name, EMPTY, EMPTY, _("too few"))
        for place, name in enumerate(lesson.features.names, 1)
    )
    told = _("Feature set %(set)s: %(found)s decisions, %(used)s read; %(covered)s of the importance is known.") % {
        "set": lesson.features.version, "found": number(lesson.found), "used": number(lesson.used),
        "covered": percent(lesson.covered),
    }  # fmt: skip
    return format_html(
        '<p class="mb-4">{}</p>{}', told, table(("#", _("feature"), _("median"), _("scale"), _("values")), rows)
    )


def _learn(given: dict[str, Any], request: HttpRequest) -> str:
    lesson = features_learn(given["since"], given["until"])
    reference = lesson_record(lesson, actor=request_actor(request), reason=given["reason"])
    return _("Reference version %(version)s is in use.") % {"version": reference.version}
