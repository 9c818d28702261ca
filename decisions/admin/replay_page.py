"""What the page of a replay shows: its progress, then both sides as figures, curves and lines."""

import csv
import json
from itertools import accumulate
from typing import Any

from django.utils import formats
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.admin.charts import BAD, GOOD, LINE_OPTIONS
from decisions.models import LimitsReplay
from decisions.replay.curve import Curve
from decisions.replay.job import ROWS_KEPT, progress_of
from decisions.replay.table import stops_by_limit
from decisions.replay.words import TURNS, money_lines, remarks, turn_lines
from mia_site.audit.admin.rendering import moment, number
from mia_site.ops.sentences import sentence_told
from risk.admin.shared import state_badge
from risk.rules.limits import limits_parse
from risk.rules.replay_gate import rules_carried

SHOWN = 100
EQUITY = "#0d9488"
BY_WORDS = {
    "by_limit": gettext_lazy("by a limit"),
    "by_itself": gettext_lazy("by itself"),
    "by_hand": gettext_lazy("by hand"),
}
TURN_WORDS = {turn.value: words for turn, words in TURNS.items()}


def share(run: LimitsReplay) -> int:
    """How many per cent of the rows are read."""
    return min(100, 100 * run.checked // max(run.total, 1))


def replay_context(run: LimitsReplay) -> dict[str, Any]:
    """For `admin/desk/replay.html`."""
    context: dict[str, Any] = {
        "replay": run,
        "replay_error": sentence_told(run.error),
        "share": share(run),
        "checked": number(run.checked),
        "total": number(run.total),
    }
    if run.finished_at is None or run.error:
        return context
    progress = progress_of(run)
    rows = list(csv.DictReader(run.table.splitlines()))
    states = [row for row in rows if row["kind"] == "state"]
    return context | {
        "turns": list(turn_lines(progress.course.totals)),
        "money": list(money_lines(progress.course.totals)),
        "remarks": list(remarks(progress.course, rules_carried(limits_parse(run.limits)))),
        "stops": stops_by_limit(states, "happened"),
        "would_stops": stops_by_limit(states, "would_have"),
        "states": [_state(row) for row in states[:SHOWN]],
        "otherwise": [_decision(row) for row in rows if row["kind"] == "decision"][:SHOWN],
        "shown": SHOWN,
        "kept": number(ROWS_KEPT),
        "equity_chart": _equity_chart(progress.curve),
        "profit_chart": _profit_chart(progress.curve),
        "line_options": LINE_OPTIONS,
    }


def _state(row: dict[str, str]) -> dict[str, Any]:
    return row | {
        "at": moment(parse_datetime(row["at"])),
        "happened": state_badge(row["happened"]) if row["happened"] else "",
        "would_have": state_badge(row["would_have"]) if row["would_have"] else "",
        "by": BY_WORDS[row["change"]],
    }


def _decision(row: dict[str, str]) -> dict[str, Any]:
    turn, _colon, why = row["change"].partition(": ")
    return row | {"at": moment(parse_datetime(row["at"])), "turn": TURN_WORDS.get(turn, turn), "why": why}


def _labels(curve: Curve) -> list[str]:
    return [f"{formats.date_format(at, 'MONTH_DAY_FORMAT')} {at:%H:%M}" for at in curve.moments()]


def _equity_chart(curve: Curve) -> str:
    """The equity as it was, "" where nobody reported any; in between the last that is known."""
    known: list[float | None] = []
    for told in curve.equity:
        known.append(told if told is not None or not known else known[-1])
    return _chart(curve, (_("equity"), known, EQUITY)) if any(value is not None for value in known) else ""


def _profit_chart(curve: Curve) -> str:
    """What trades had made up to each moment, on both sides; "" where no outcome is known."""
    if not any((*curve.profit, *curve.would_profit)):
        return ""
    was, would = list(accumulate(curve.profit)), list(accumulate(curve.would_profit))
    return _chart(curve, (_("as it happened"), was, BAD), (_("as it would have been"), would, GOOD))


def _chart(curve: Curve, *lines: tuple[str, list[Any], str]) -> str:
    datasets = [
        {"label": name, "data": data, "borderColor": colour, "displayYAxis": True, "maxTicksXLimit": 8}
        for name, data, colour in lines
    ]
    return json.dumps({"labels": _labels(curve), "datasets": datasets})
