"""Template filters of the desk's pages."""

from datetime import datetime
from functools import cache
from typing import Any

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext

from mia_site.audit.admin.history import KIND_NAMES
from mia_site.audit.admin.rendering import EMPTY, badge, number, percent
from mia_site.audit.admin.rendering import moment as moment_text
from mia_site.ops.append_only import fact_models

register = template.Library()


@register.filter
def hexadecimal(value: bytes | memoryview | None) -> str:
    """Bytes as hexadecimal digits."""
    return bytes(value).hex() if value else EMPTY


@register.filter
def moment(value: datetime | None) -> str:
    """A time to the second, UTC, in the reader's order of day and month."""
    return moment_text(value)


@register.filter
def share(value: Any) -> str:
    """A fraction as per cent."""
    return percent(value)


@register.filter
def figure(value: Any) -> str:
    """A number without idle zeros."""
    return number(value)


@register.filter
def tone(text: Any, name: str) -> str:
    """A badge: `{{ word|tone:"bad" }}`."""
    return badge(text, name)


@register.filter
def kind_name(kind: str) -> str:
    """What a journal entry's kind is called: the fact's name, or what was done."""
    model = _facts().get(kind)
    if model is not None:
        return capfirst(str(model._meta.verbose_name))
    return capfirst(gettext(KIND_NAMES.get(kind, kind.replace("_", " "))))


@cache
def _facts() -> dict[str, Any]:
    return {model.kind: model for model in fact_models() if model.kind}
