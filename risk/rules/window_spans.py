"""Windows put together: what overlaps is one span, and a moment finds its span without looking at the others."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from risk.rules.blackout import Window
from risk.rules.limits import WindowAction

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A time that is closed, or capped at `max_quantity`, both ends included, and the windows that make it so."""

    opens_at: datetime
    closes_at: datetime
    action: WindowAction
    max_quantity: Decimal | None
    windows: tuple[Window, ...]

    @property
    def names(self) -> str:
        """The events' types, each once, in the order in which their windows open."""
        return "; ".join(dict.fromkeys(window.event.event_type for window in self.windows))


def spans_of(windows: Iterable[Window]) -> tuple[Span, ...]:
    """Windows that do the same and touch, as one; by opening."""
    by_deed: dict[tuple[WindowAction, Decimal | None], list[Window]] = {}
    for window in sorted(windows, key=lambda window: (window.opens_at, window.event.event_id)):
        by_deed.setdefault((window.action, window.max_quantity), []).append(window)
    spans = [span for same in by_deed.values() for span in _chained(same)]
    return tuple(sorted(spans, key=lambda span: (span.opens_at, span.closes_at)))


def _chained(windows: list[Window]) -> Iterator[Span]:
    chain: list[Window] = []
    closes = windows[0].closes_at
    for window in windows:
        if chain and window.opens_at > closes:
            yield _span(chain, closes)
            chain, closes = [], window.closes_at
        chain.append(window)
        closes = max(closes, window.closes_at)
    yield _span(chain, closes)


def _span(chain: list[Window], closes: datetime) -> Span:
    first = chain[0]
    return Span(first.opens_at, closes, first.action, first.max_quantity, tuple(chain))


class Schedule:
    """Spans that do not overlap, such as all blackouts of an instrument.

    A look-up goes to the day of the moment and searches only there, so that years of events cost no more than weeks.
    """

    __slots__ = ("_before", "_first", "_opens", "_spans")

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(spans, key=lambda span: span.opens_at)
        self._opens = [span.opens_at for span in self._spans]
        self._first = self._opens[0] if self._spans else EPOCH
        days = [(opens - self._first).days for opens in self._opens]
        self._before = [bisect_left(days, day) for day in range(days[-1] + 2)] if days else [0]

    def at(self, now: datetime) -> Span | None:
        """The span that holds `now`."""
        place = bisect_right(self._opens, now, *self._day(now))
        return self._spans[place - 1] if place and now <= self._spans[place - 1].closes_at else None

    def next(self, now: datetime) -> Span | None:
        """The first span that opens at `now` or later."""
        place = bisect_left(self._opens, now, *self._day(now))
        return self._spans[place] if place < len(self._spans) else None

    def _day(self, now: datetime) -> tuple[int, int]:
        """Between which places the spans that open on the day of `now` stand; days are counted from the first span."""
        day, last = (now - self._first).days, len(self._before) - 1
        if day < 0 or day >= last:
            return (0, 0) if day < 0 else (len(self._spans), len(self._spans))
        return self._before[day], self._before[day + 1]
