"""How columns of each type are shown: numbers without idle zeros, fractions as per cent, times to the second, JSON
readable. Django's own rendering is kept for everything else."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import models
from django.utils.html import format_html

from mia_site.audit.admin.rendering import EMPTY, badge, leaf_text, moment, number, pairs, percent, pretty_json, short

Shown = Callable[[Any], Any]
Style = str | Mapping[str, Any]


def shown_column(model: type[models.Model], name: str, style: Style = "") -> Shown | str:
    """A display function for the column, or its name where Django shows it well.

    `style`: ``percent`` (a fraction), ``pairs`` (a flat JSON object as a table), ``short`` (a hash or identifier),
    ``flag`` (yes or no, neither of them good), ``alarm`` (yes is bad); or the words that codes stand for.
    """
    field = model._meta.get_field(name)
    render = _renderer(field, style)
    if render is None:
        return name

    def shown(row: Any) -> Any:
        return render(getattr(row, name))

    shown.__name__ = name
    shown.short_description = getattr(field, "verbose_name", name)  # type: ignore[attr-defined]
    shown.admin_order_field = name  # type: ignore[attr-defined]
    return shown


def _renderer(field: Any, style: Style) -> Callable[[Any], Any] | None:
    if isinstance(style, Mapping):
        return lambda code: str(style.get(code, code)) or EMPTY
    return STYLES[style] if style else _by_type(field)


def _by_type(field: Any) -> Callable[[Any], Any] | None:
    if isinstance(field, models.JSONField):
        return pretty_json
    if isinstance(field, models.DateTimeField):
        return _moment
    if isinstance(field, models.BinaryField):
        return _hexadecimal
    if isinstance(field, models.DecimalField | models.FloatField) and not field.choices:
        return number
    return None


def _moment(value: Any) -> Any:
    return format_html('<span class="desk-nowrap">{}</span>', moment(value))


def _short(value: Any) -> Any:
    return short(value) if value else EMPTY


def _hexadecimal(value: Any) -> str:
    return bytes(value).hex() if value else EMPTY


def _alarm(value: bool) -> Any:
    return badge(leaf_text(value), "bad" if value else "plain")


STYLES: Mapping[str, Callable[[Any], Any]] = {
    "percent": percent,
    "pairs": pairs,
    "short": _short,
    "flag": leaf_text,
    "alarm": _alarm,
}
