"""Filters of lists: plain selects and days. Each belongs to an indexed column."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

Options = Callable[[], Iterable[tuple[Any, Any]]]
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)
"""No record lies beyond; nor has each day beyond an hour before it, or a day after."""
MARGIN = timedelta(hours=1)
"""How far an id's clock (the host's) may be from the database's, which dates the record."""


class SelectFilter(admin.FieldListFilter):
    """One value of a column: the column's own choices, or those of `options`."""

    template = "admin/desk/filter_select.html"
    options: Options | None = None

    @property
    def parameter(self) -> str:
        return f"{self.field_path}__exact"

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    def value(self) -> str:
        given: Any = self.used_parameters.get(self.parameter, "")
        return str(given[-1] if isinstance(given, list) else given)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        try:
            return queryset.filter(**{self.field_path: self.value()})
        except (ValueError, TypeError) as error:
            raise IncorrectLookupParameters(error) from error

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        chosen = self.value()
        for value, label in self.choices_offered():
            yield {"value": value, "display": label, "selected": str(value) == chosen}

    def choices_offered(self) -> Iterable[tuple[Any, Any]]:
        return self.options() if self.options is not None else self.field.flatchoices


def select_of(values: Options) -> type[SelectFilter]:
    """A select whose values are read when the page is shown."""
    return type("SelectFilterOf", (SelectFilter,), {"options": staticmethod(values)})


class FlagFilter(SelectFilter):
    """Yes or no."""

    template = "admin/desk/filter_flag.html"

    def choices_offered(self) -> Iterable[tuple[Any, Any]]:
        return (("1", True), ("0", False))


class DayRangeFilter(admin.FieldListFilter):
    """From one day to another, both included, in UTC. The browser's own date field sends ISO in every language."""

    template = "admin/desk/filter_days.html"

    @property
    def names(self) -> tuple[str, str]:
        return f"{self.field_path}_from", f"{self.field_path}_to"

    def expected_parameters(self) -> list[str | None]:
        return [*self.names]

    def value(self, name: str) -> str:
        given: Any = self.used_parameters.get(name, "")
        return str(given[-1] if isinstance(given, list) else given)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self._day(name) for name in self.names)
        if first is not None:
            queryset = queryset.filter(**{f"{self.field_path}__gte": _midnight(first)})
        if last is not None:
            queryset = queryset.filter(**{f"{self.field_path}__lt": _midnight(last + timedelta(days=1))})
        return queryset

    def _day(self, name: str) -> date | None:
        text = self.value(name)
        try:
            return min(max(date.fromisoformat(text), FIRST_DAY), LAST_DAY) if text else None
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for name in self.names:
            yield {"name": name, "value": self.value(name), "selected": bool(self.value(name))}


class RecordedDayFilter(DayRangeFilter):
    """Days of recording. A fact's id is a UUIDv7 of that time, so the primary key finds them without another index."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = (self._day(name) for name in self.names)
        if first is not None:
            queryset = queryset.filter(pk__gte=_first_id(_midnight(first) - MARGIN))
        if last is not None:
            queryset = queryset.filter(pk__lt=_first_id(_midnight(last + timedelta(days=1)) + MARGIN))
        return super().queryset(request, queryset)


def _first_id(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a millisecond."""
    milliseconds = max(0, int(moment.timestamp() * 1000))
    return UUID(int=milliseconds << 80)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
