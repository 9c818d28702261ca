"""Times in the query of a list or an export."""

from datetime import datetime
from typing import Any

import django_filters
from django import forms
from django_filters.fields import IsoDateTimeField

from risk.inputs import moment_utc


class MomentField(IsoDateTimeField):
    """A time in ISO 8601, in UTC where it names no zone; from 1970 to 2199, as everywhere at the door."""

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
