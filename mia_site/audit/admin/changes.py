"""What a form changed, in a shape that the journal can hold: before and after, without secrets."""

from collections.abc import Iterable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.forms import BaseForm

SECRETS = ("password", "token", "secret", "salt")
HIDDEN = "•••"
KEPT = (str, bool, int, float, Decimal, UUID)


def form_changes(form: BaseForm, *, created: bool) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """(before, after) of the fields that the form changed; all fields, and no before, of a new object."""
    names = list(form.cleaned_data) if created else list(form.changed_data)
    after = {name: _value(name, form.cleaned_data.get(name)) for name in names}
    if created:
        return None, after
    return {name: _value(name, form.get_initial_for_field(form.fields[name], name)) for name in names}, after


def object_fields(obj: models.Model) -> dict[str, Any]:
    """Every column of an object, for its last journal entry before it is deleted."""
    return {field.attname: _value(field.attname, getattr(obj, field.attname)) for field in obj._meta.concrete_fields}


def _value(name: str, value: Any) -> Any:
    if any(secret in name for secret in SECRETS):
        return HIDDEN
    return _recordable(value)


def _recordable(value: Any) -> Any:
    if value is None or isinstance(value, KEPT):
        return value
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _recordable(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return sorted(str(_recordable(item)) for item in value)
    return str(value)
