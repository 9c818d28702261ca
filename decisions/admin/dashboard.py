"""The desk's first page: how everything stands, what was refused, what comes next, what needs a person."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.admin import figures
from decisions.admin.charts import BAD, CHART_OPTIONS, GOOD, WARN
from decisions.admin.shared import VERDICT_WORDS
from decisions.models import Verdict
from mia_site.audit.admin.operations import PRIORITY_TONES, alert_sentences
from mia_site.audit.admin.rendering import EMPTY, age, badge, moment, number, percent
from mia_site.audit.ledger_health import ledger_problem
from mia_site.ops.clock import database_now
from mia_site.ops.sentences import sentence_told
from risk.admin.events import impact_badge
from risk.admin.review_lines import review_lines
from risk.admin.shared import reason_sentence, state_badge
from risk.admin.stop_lines import stop_lines
from risk.models import AccountState, Desk
from risk.rules.facts import TradingState

COLOURS = {Verdict.ALLOW: GOOD, Verdict.REDUCE: WARN, Verdict.BLOCK: BAD}
INPUT_WORDS = {
    "calendar": gettext_lazy("macro calendar"),
    "check": gettext_lazy("drawdown check"),
    "equity": gettext_lazy("equity"),
    "positions": gettext_lazy("positions"),
}
SHOWN = 8


def dashboard_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What `admin/index.html` shows; unfold calls it. Each part only for those who may see its rows."""
    may = request.user.has_perm
    now = database_now()
    context["may_see_desk"] = may("risk.view_accountstate")
    if may("risk.view_accountstate"):
        context |= _desk_part(now)
    if may("decisions.view_decision"):
        context |= _decisions_part(now)
    if may("ops.view_alert"):
        context |= _alerts_part() | {"deadlines_missed": figures.deadlines_missed(now)}
    if may("audit.view_checkpoint"):
        context["ledger_problem"] = ledger_problem()
    return context


def _desk_part(now: datetime) -> dict[str, Any]:
    states = figures.account_states()
    desk = Desk.objects.filter(id=1).first()
    return {
        "desk_reason": sentence_told(desk.state_reason) if desk else "",
        "stops": stop_lines(),
        "reviews": review_lines(),
        "desk_badge": state_badge(desk.state if desk else TradingState.ACTIVE),
        "accounts": [_account_line(state, now) for state in states],
        "account_counts": [
            (state_badge(word), count) for word, count in sorted(Counter(state.state for state in states).items())
        ],
        "inputs": [
            {"what": INPUT_WORDS[what], "whose": whose, "age": age(at, now)}
            for what, whose, at in figures.input_ages(states, desk)[:SHOWN]
        ],
        "events": [
            {"row": event, "impact": impact_badge(event.impact), "in": _until(event.start_at, now)}
            for event in figures.next_events(now, 4)
        ],
    }


def _account_line(state: AccountState, now: datetime) -> dict[str, Any]:
    return {
        "account": state.account,
        "state": state_badge(state.state),
        "equity": number(state.equity, 2) if state.equity is not None else EMPTY,
        "drawdown": percent(state.drawdown),
        "limits": f"v{state.limits.version}" if state.limits else EMPTY,
        "age": age(state.equity_received_at, now),
    }


def _until(start: datetime | None, now: datetime) -> str:
    if start is None:
        return EMPTY
    if start <= now:
        return _("%(age)s ago") % {"age": age(start, now)}
    return _("in %(time)s") % {"time": age(now, start)}


def _decisions_part(now: datetime) -> dict[str, Any]:
    counts = figures.verdict_counts(now)
    return {
        "verdicts": [
            {
                "word": VERDICT_WORDS[verdict],
                "colour": COLOURS[verdict],
                "day": counts.last_day[verdict],
                "week": counts.last_week[verdict],
                "value": verdict.value,
            }
            for verdict in figures.VERDICTS
        ],
        "hours_chart": _chart(counts.hours, lambda at: f"{at:%H}:00"),
        "days_chart": _chart(counts.days, lambda at: formats.date_format(at, "MONTH_DAY_FORMAT")),
        "chart_options": CHART_OPTIONS,
        "blocked": [
            {
                "row": row,
                "at": moment(row.at),
                "sentence": reason_sentence(row.reasons[0]) if row.reasons else row.reason_code or EMPTY,
            }
            for row in figures.latest_blocked(SHOWN)
        ],
    }


def _chart(points: Sequence[tuple[datetime, Counter[str]]], name: Callable[[datetime], str]) -> str:
    """Stacked bars as JSON; "" where nothing was judged."""
    if not any(counts.total() for _at, counts in points):
        return ""
    return json.dumps(
        {
            "labels": [name(at) for at, _counts in points],
            "datasets": [
                {
                    "label": str(VERDICT_WORDS[verdict]),
                    "data": [counts[verdict] for _at, counts in points],
                    "backgroundColor": COLOURS[verdict],
                }
                for verdict in figures.VERDICTS
            ],
        }
    )


def _alerts_part() -> dict[str, Any]:
    alerts = list(figures.open_alerts()[: SHOWN + 1])
    sentences = alert_sentences(alerts)
    return {
        "alerts_more": len(alerts) > SHOWN,
        "alerts": [
            {
                "row": alert,
                "rank": badge(alert.priority, PRIORITY_TONES.get(alert.priority, "plain")),
                "sentence": sentences[alert.pk],
                "at": moment(alert.last_at),
            }
            for alert in alerts[:SHOWN]
        ],
    }
