"""A replay as CSV: each decision beside what it would have been, then the trading states that began on either side."""

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from decisions.replay.compared import Compared
from decisions.replay.feed import BY_NO_LIMIT
from decisions.replay.run import Course
from mia_site.audit.admin.exporting import csv_cell
from risk.export import moment_text
from risk.models import Account, StateChange
from risk.models.state import Cause, Scope
from risk.rules.facts import TradingState
from risk.rules.replay_standing import Change

COLUMNS = (
    "kind", "at", "happened", "would_have", "change", "id", "trade_id", "decision", "instrument", "side", "quantity",
    "happened_quantity", "would_have_quantity", "happened_reasons", "would_have_reasons", "profit", "would_have_profit",
    "rule", "drawdown",
)  # fmt: skip
Row = dict[str, str]
TEXTS = ("trade_id", "decision", "instrument")
"""Columns whose text a bot chose."""


class Writable(Protocol):
    """Where text is written."""

    def write(self, text: str, /) -> object: ...


class Table:
    """Rows written as they are found."""

    def __init__(self, file: Writable, *, begun: bool = False) -> None:
        self._rows = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        if not begun:
            self._rows.writeheader()

    def decision(self, found: Compared) -> None:
        """A decision, side by side."""
        row = decision_row(found)
        self._rows.writerow(row | {name: csv_cell(row[name]) for name in TEXTS})

    def states(self, rows: Iterable[Row]) -> None:
        """The states of both sides."""
        self._rows.writerows(rows)


def decision_row(found: Compared) -> Row:
    """A decision as a row; what could not be replayed says by which rule."""
    row, asked, would = found.judged.row, found.judged.asked, found.would
    return {
        "kind": "decision",
        "at": moment_text(row.recorded_at),
        "happened": asked.verdict.value,
        "would_have": would.verdict.value if would else "",
        "change": f"{found.turn.value}: {found.why}" if found.why else found.turn.value,
        "id": str(row.id),
        "trade_id": row.trade_id,
        "decision": row.decision,
        "instrument": row.instrument,
        "side": row.side,
        "quantity": _plain(row.quantity),
        "happened_quantity": _plain(asked.max_quantity),
        "would_have_quantity": _plain(would.max_quantity if would else None),
        "happened_reasons": " ".join(asked.codes),
        "would_have_reasons": " ".join(would.codes) if would else "",
        "profit": _plain(found.pnl),
        "would_have_profit": _plain(found.would_pnl),
    }


def state_rows(account: Account, course: Course) -> Iterator[Row]:
    """Every trading state that began while the other limits would have been in force, of both sides, by time."""
    rows = [*map(_happened, states_recorded(account, course)), *map(_would, course.changes)]
    yield from sorted(rows, key=lambda row: row["at"])


def states_recorded(account: Account, course: Course) -> Iterable[StateChange]:
    """The states of the account that began while the other limits would have been in force."""
    changes = StateChange.objects.filter(account=account, scope=Scope.ACCOUNT, seq__gte=course.first)
    return changes.filter(seq__lte=course.last).order_by("seq", "id")


def _happened(change: StateChange) -> Row:
    by_limit = change.cause not in BY_NO_LIMIT
    told = {} if change.cause == Cause.MANUAL else change.evidence
    return _state(change.recorded_at, by_limit=by_limit, rule=str(told.get("rule", ""))) | {
        "happened": change.to_state, "drawdown": str(told.get("drawdown", "")),
    }  # fmt: skip


def _would(change: Change) -> Row:
    return _state(change.at, by_limit=change.by_limit, rule=change.rule) | {
        "would_have": change.state.value, "drawdown": _plain(change.drawdown),
    }  # fmt: skip


def _state(at: datetime, *, by_limit: bool, rule: str) -> Row:
    change = "by_limit" if by_limit else "by_itself" if rule else "by_hand"
    return {"kind": "state", "at": moment_text(at), "change": change, "rule": rule}


def _plain(value: Decimal | None) -> str:
    return "" if value is None else f"{value.normalize():f}"


STOPPED = frozenset({TradingState.REDUCE_ONLY, TradingState.HALTED})


def stops_by_limit(rows: Iterable[Row], side: str) -> int:
    """How many stops by a limit there are on the side `happened` or `would_have`."""
    return sum(row["change"] == "by_limit" and row.get(side, "") in STOPPED for row in rows)
