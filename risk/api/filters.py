"""The query of a list or an export: what may be asked, and what is told to who asks for something else."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from risk.inputs import InputError, moment_utc

PAGING = "cursor", "page_size"
MOMENT = "a time such as 2026-05-13T14:30:00Z"


def query_check(request: Request, names: Iterable[str]) -> None:
    """Raises `InputError` for what nobody knows: a filter that is misspelt must not be one that is left out."""
    known = sorted(names)
    for name, value in request.query_params.items():
        if name not in known:
            raise InputError(name[:40], value, f"no such filter; there are {', '.join(known)}")


def rows_filtered(filters: Any, request: Request, *more: str) -> QuerySet[Any]:
    """The rows of the filter set that the query asks for; `more` names what the query may hold besides. Raises
    `InputError`."""
    query_check(request, (*filters.filters, *more))
    for name, messages in filters.errors.items():
        choices = [str(value) for value, _ in getattr(filters.form.fields[name], "choices", ()) if value]
        expected = f"one of {', '.join(choices)}" if choices else " ".join(map(str, messages))
        raise InputError(name, request.query_params.get(name), expected)
    rows: QuerySet[Any] = filters.qs
    return rows


class StrictFilters(DjangoFilterBackend):
    """Filters of a list: unknown ones are errors."""

    def filter_queryset(  # type: ignore[override]  # django-filter's request is the framework's
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        return rows_filtered(self.get_filterset(request, queryset, view), request, *PAGING)


class MomentField(IsoDateTimeField):
    """A time in ISO 8601, in UTC where it names no zone; from 1970 to 2199, as everywhere at the door."""

    default_error_messages = {"invalid": MOMENT}

    def to_python(self, value: Any) -> datetime | None:
        moment = super().to_python(value)
        if moment is None:
            return None
        try:
            return moment_utc("", moment)
        except ValueError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error


class MomentFilter(django_filters.IsoDateTimeFilter):
    """Compares a column with a time; one that no database can hold is refused by its field."""

    field_class = MomentField


class FlagField(forms.NullBooleanField):
    """true or false, in any case; anything else is an error, not "never mind"."""

    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]  # as in the field it is made from
        text = str(value or "").lower()
        if text not in FLAGS:
            raise forms.ValidationError("true or false", code="invalid")
        return FLAGS[text]


FLAGS = {"": None, "true": True, "1": True, "false": False, "0": False}


class FlagFilter(django_filters.BooleanFilter):
    field_class = FlagField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, widget=forms.TextInput, **options)
