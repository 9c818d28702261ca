"""How columns of each type are shown: numbers without idle zeros, fractions as per cent, times to the second, JSON
readable. Django's own rendering is kept for everything else."""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.html import format_html

from mia_site.audit.admin.rendering import EMPTY, moment, number, pairs, percent, pretty_json, short

Shown = Callable[[Any], Any]


def shown_column(model: type[models.Model], name: str, style: str = "") -> Shown | str:
    """A display function for the column, or its name where Django shows it well.

    `style`: ``percent`` (a fraction), ``pairs`` (a flat JSON object as a table), ``short`` (a hash or identifier).
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


def _renderer(field: Any, style: str) -> Callable[[Any], Any] | None:
    if style == "percent":
        return percent
    if style == "pairs":
        return pairs
    if style == "short":
        return _short
    return _by_type(field)


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
