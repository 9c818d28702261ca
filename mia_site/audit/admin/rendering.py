"""Small pieces of HTML that admin pages share; whatever comes from data is escaped here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

TONES = ("good", "warn", "bad", "info", "plain")
EMPTY = "—"
SHORT = 12


def badge(text: object, tone: str = "plain") -> SafeString:
    """A coloured label; the word says it too, for those who do not see the colour."""
    return format_html('<span class="desk-badge desk-{}">{}</span>', tone if tone in TONES else "plain", text)


def mono(text: object) -> SafeString:
    return format_html('<code class="desk-mono">{}</code>', text)


def short(text: object) -> SafeString:
    """The first characters of a hash or identifier, all of it as the tooltip."""
    whole = str(text)
    if len(whole) <= SHORT + 1:
        return mono(whole)
    return format_html('<code class="desk-mono" title="{}">{}…</code>', whole, whole[:SHORT])


def link(url: str, text: object) -> SafeString:
    return format_html('<a class="text-link" href="{}">{}</a>', url, text)


def moment(value: datetime | None) -> str:
    """A time as the reader's language writes it, to the second, in UTC."""
    if value is None:
        return EMPTY
    return f"{formats.date_format(value, 'SHORT_DATE_FORMAT')} {value:%H:%M:%S}"


def age(at: datetime | None, now: datetime) -> str:
    """How long ago in words: ``42 s``, ``13 min``, ``5 h``, ``3 d``."""
    if at is None:
        return _("never")
    seconds = max(timedelta(0), now - at).total_seconds()
    for size, unit in ((86_400, _("%(count)d d")), (3_600, _("%(count)d h")), (60, _("%(count)d min"))):
        if seconds >= 2 * size:
            return unit % {"count": int(seconds // size)}
    return _("%(count)d s") % {"count": int(seconds)}


def number(value: Decimal | float | int | None, places: int | None = None) -> str:
    """A number as the reader's language writes it, without the zeros that only fill the column's scale."""
    if value is None:
        return EMPTY
    if places is not None and round(value, places) == 0:
        value = 0  # never -0.00
    if places is None and isinstance(value, Decimal):
        normal = value.normalize()
        exponent = normal.as_tuple().exponent
        places = max(0, -exponent) if isinstance(exponent, int) else 0
    return str(formats.number_format(value, places, force_grouping=True))


def percent(value: Decimal | float | None, places: int = 2) -> str:
    """A fraction as per cent: 0.0512 is 5.12 %."""
    return EMPTY if value is None else f"{number(Decimal(str(value)) * 100, places)} %"


def pretty_json(value: Any) -> SafeString:
    """JSON for people: indented, keys in order, escaped."""
    if value in (None, "", [], {}):
        return SafeString(EMPTY)
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, default=str)
    return format_html('<pre class="desk-json">{}</pre>', text)


def pairs(values: Mapping[str, Any] | None) -> SafeString:
    """A mapping as a two-column list; nested values get their dotted path as name."""
    rows = list(flattened(values or {}))
    if not rows:
        return SafeString(EMPTY)
    body = format_html_join("", "<tr><th>{}</th><td>{}</td></tr>", rows)
    return format_html('<table class="desk-pairs">{}</table>', body)


def table(headers: Sequence[Any], rows: Iterable[Sequence[Any]]) -> SafeString:
    """A table of cells that are escaped unless they are HTML already; a dash where there is no row."""
    body = [format_html("<tr>{}</tr>", format_html_join("", "<td>{}</td>", ((cell,) for cell in row))) for row in rows]
    if not body:
        return SafeString(EMPTY)
    head = format_html_join("", "<th>{}</th>", ((header,) for header in headers))
    lines = format_html_join("", "{}", ((line,) for line in body))
    return format_html('<table class="desk-table"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, lines)


def flattened(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Leaves of a JSON value with their dotted paths, in order."""
    if isinstance(value, Mapping) and value:
        return [leaf for key, item in value.items() for leaf in flattened(item, f"{path}.{key}" if path else str(key))]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        if all(not isinstance(item, (Mapping, list)) for item in value):
            return [(path, ", ".join(leaf_text(item) for item in value))]
        return [leaf for index, item in enumerate(value, 1) for leaf in flattened(item, f"{path} {index}")]
    return [(path, leaf_text(value))] if path else []


def leaf_text(value: Any) -> str:
    """One JSON scalar for people."""
    if value in (None, "", [], {}):
        return EMPTY
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)
