"""Where each of an account's limits comes from: set by itself, by the desk for all accounts, or by default."""

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.rendering import badge, flattened, leaf_text, link, table
from risk.limits_document import document_text
from risk.models import LimitsVersion
from risk.rules.limits_own import Source, sourced
from risk.selectors.desk import defaults_of

SOURCE_WORDS = {
    Source.OWN: gettext_lazy("own"),
    Source.DESK: gettext_lazy("desk"),
    Source.DEFAULT: gettext_lazy("default"),
}
SOURCE_TONES = {Source.OWN: "info", Source.DESK: "warn", Source.DEFAULT: "plain"}


def limits_text(version: LimitsVersion) -> str:
    """The version as YAML: what the account set itself; what it inherits, as comments."""
    return document_text(version.body, version.own, defaults_of(version))


def sources_table(version: LimitsVersion) -> SafeString:
    """Each limit with its value and its source; the desk's leads to the version it is from."""
    rows = [
        (f"{item.section}.{item.name}", _value(item.value), _source(version, item.source))
        for item in sourced(version.body, version.own, defaults_of(version))
    ]
    return format_html(
        '<div class="desk-scroll">{}</div>',
        table((gettext_lazy("limit"), gettext_lazy("value"), gettext_lazy("source")), rows),
    )


def _value(value: object) -> str:
    leaves = flattened(value) if isinstance(value, dict | list) else [("", leaf_text(value))]
    return ", ".join(f"{name}: {told}" if name else told for name, told in leaves)


def _source(version: LimitsVersion, source: Source) -> SafeString:
    told = badge(SOURCE_WORDS[source], SOURCE_TONES[source])
    if source is not Source.DESK or version.desk_limits_id is None:
        return told
    return link(reverse("admin:risk_desklimitsversion_change", args=[version.desk_limits_id]), told)
