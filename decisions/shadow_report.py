"""The shadow report: what rules in shadow would have blocked or reduced, and what came of those trades."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Count, DecimalField, F, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from decisions.models import ShadowRow, Verdict
from risk.export import Period

COLUMNS = ("period", "account", "rule", "decisions", "blocked", "reduced", "closed", "pnl", "won", "lost")
"""Of the report as a file: `pnl` is the part of the profit that the rule would have kept from happening."""
DAYS_SHOWN, WEEKS_SHOWN = 62, 366
CHANGED = Q(share__gt=0) | Q(share=None)
"""Decisions that would have gone otherwise: those blocked anyway would not."""
PNL = DecimalField(max_digits=21, decimal_places=4)
CENTS = Decimal("0.01")


class Span(StrEnum):
    """Of what length the periods of a report are, in UTC; weeks begin on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


TRUNCATED = {Span.DAY: TruncDay, Span.WEEK: TruncWeek, Span.MONTH: TruncMonth}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowLine:
    """What one rule in shadow found on one account in one period (None: all of it).

    `decisions` is how many it found fault with, `blocked` and `reduced` how many would have gone otherwise, `closed`
    how many of those have a final outcome, `pnl` their profit as far as the rule would have prevented it.
    """

    period: datetime | None
    account: str
    rule: str
    decisions: int
    blocked: int
    reduced: int
    closed: int
    pnl: Decimal
    won: int
    lost: int


def shadow_of(*, account: str = "", rule: str = "", period: Period | None = None) -> "QuerySet[ShadowRow]":
    """The rows of one account, rule and period; of all by default."""
    rows = ShadowRow.objects.all()
    if account:
        rows = rows.filter(account__code=account)
    if rule:
        rows = rows.filter(rule=rule)
    if period is not None and period.since is not None:
        rows = rows.filter(at__gte=period.since)
    if period is not None and period.until is not None:
        rows = rows.filter(at__lt=period.until)
    return rows


def shadow_lines(rows: "QuerySet[ShadowRow]", span: Span | None = None) -> list[ShadowLine]:
    """The report over `rows`, by account and rule, and by period where there is a `span`."""
    by = ["account__code", "rule"]
    rows = rows.order_by()
    if span is not None:
        rows, by = rows.annotate(period=TRUNCATED[span]("at", tzinfo=UTC)), ["period", *by]
    return [_line(found) for found in rows.values(*by).annotate(**_figures()).order_by(*by)]


def _figures() -> dict[str, Any]:
    def those(**more: Any) -> Count:
        return Count("pk", filter=CHANGED & Q(**more))

    return {
        "decisions": Count("pk"),
        "blocked": those(outcome=Verdict.BLOCK),
        "reduced": those(outcome=Verdict.REDUCE),
        "closed": those(pnl__isnull=False),
        "pnl_stopped": Sum(F("pnl") * F("share"), output_field=PNL),
        "won": those(pnl__gt=0),
        "lost": those(pnl__lt=0),
    }


def _line(found: dict[str, Any]) -> ShadowLine:
    pnl = (found.pop("pnl_stopped") or Decimal(0)).quantize(CENTS)
    account = found.pop("account__code")
    return ShadowLine(**{"period": None, **found}, account=account, pnl=pnl)


def span_of(rows: "QuerySet[ShadowRow]") -> Span:
    """Periods of which a chart over `rows` has some dozens at most."""
    bounds = rows.order_by().aggregate(first=Min("at"), last=Max("at"))
    if bounds["first"] is None:
        return Span.DAY
    days = (bounds["last"] - bounds["first"]).days
    return Span.DAY if days < DAYS_SHOWN else Span.WEEK if days < WEEKS_SHOWN else Span.MONTH


def shadow_cells(lines: Sequence[ShadowLine]) -> Iterator[tuple[Any, ...]]:
    """The report as rows of `COLUMNS`; periods by their first day."""
    for line in lines:
        period = "" if line.period is None else line.period.date().isoformat()
        figures = (line.decisions, line.blocked, line.reduced, line.closed, line.pnl, line.won, line.lost)
        yield period, line.account, line.rule, *figures
