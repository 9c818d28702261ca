"""What an account's page shows above its columns: state, equity, how much of each allowance is used, readiness."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import yaml
from django.utils import formats
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import age, moment, number, percent
from mia_site.ops.clock import database_now
from mia_site.ops.registry import readiness_run
from mia_site.ops.sentences import sentence_told
from risk.admin.exposure_lines import exposure_lines, under_way_lines
from risk.admin.feature_lines import feature_lines
from risk.admin.limits_status import status_badge
from risk.admin.memory_lines import memory_lines
from risk.admin.review_lines import review_lines
from risk.admin.shared import state_badge
from risk.admin.stop_lines import stop_lines
from risk.admin.window_lines import window_lines
from risk.models import Account, AccountState, EquityPoint, HeldPoint, LimitsVersion
from risk.peaks import rebasable
from risk.rules.drawdown import allowance_used
from risk.rules.facts import DrawdownView
from risk.rules.limits import AllowanceOf, DrawdownMode, Limits
from risk.selectors.drawdown import doubt_views, drawdown_views
from risk.selectors.limits import UNREVIEWED, WAITING, limits_readable
from risk.selectors.losses import loss_view
from risk.selectors.overtrade import overtrade_score

POINTS = 500
WARN_FROM = Decimal("0.7")
MODE_WORDS = {
    DrawdownMode.TRAILING_INTRADAY: gettext_lazy("below the highest equity"),
    DrawdownMode.TRAILING_EOD: gettext_lazy("below the highest end-of-day balance"),
    DrawdownMode.STATIC: gettext_lazy("below the initial balance"),
    DrawdownMode.DAILY: gettext_lazy("since the day's reset"),
    DrawdownMode.WEEKLY: gettext_lazy("since the week's reset"),
}
ALLOWANCE_WORDS = {
    AllowanceOf.REFERENCE: gettext_lazy("%(value)s of the reference"),
    AllowanceOf.INITIAL: gettext_lazy("%(value)s of the initial balance"),
    AllowanceOf.AMOUNT: gettext_lazy("%(value)s in money"),
}
INPUT_WORDS = {
    "limits": gettext_lazy("limits"),
    "client": gettext_lazy("API client"),
    "trading state": gettext_lazy("trading state"),
    "stops": gettext_lazy("stops in force"),
    "algorithms": gettext_lazy("algorithms"),
    "algorithm register": gettext_lazy("register of algorithms"),
    "equity": gettext_lazy("equity"),
    "positions": gettext_lazy("positions"),
    "calendar": gettext_lazy("macro calendar"),
    "calendar horizon": gettext_lazy("calendar horizon"),
    "session": gettext_lazy("session"),
    "features": gettext_lazy("features"),
    "features' reference": gettext_lazy("reference of features"),
    "market memory": gettext_lazy("market memory"),
    "drawdown check": gettext_lazy("drawdown check"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One drawdown rule: how much of what it allows is used, 0..1, and the figures."""

    name: str
    mode: str
    allowance: str
    used: Decimal
    drawdown: str
    reference: str
    floor: str
    left: str

    @property
    def tone(self) -> str:
        if self.used >= 1:
            return "bad"
        return "warn" if self.used >= WARN_FROM else "good"

    @property
    def width(self) -> int:
        return int(min(max(self.used, Decimal(0)), Decimal(1)) * 100)

    @property
    def share(self) -> str:
        return percent(max(self.used, Decimal(0)), 0)


def account_context(account: Account) -> dict[str, Any]:
    """Everything the page's template needs."""
    state = AccountState.objects.select_related("account", "limits").filter(account=account).first()
    if state is None:
        return {"account_state": None}
    now, limits = database_now(), limits_readable(state)
    return {
        "account_state": state,
        "state_badge": state_badge(state.state),
        "state_reason": sentence_told(state.state_reason),
        "bars": [] if limits is None else [bar_of(view) for view in drawdown_views(state, limits, now)],
        "equity_chart": equity_chart(account),
        "equity": number(state.equity, 2) if state.equity is not None else "",
        "equity_age": age(state.equity_received_at, now),
        "positions": sorted(state.positions.items()),
        "under_way": under_way_lines(state),
        "positions_age": age(state.positions_at, now),
        "worst": percent(state.worst_drawdown),
        "overtrade": number(overtrade_score(state, limits, now), 2),
        "penalties": penalties(state, now),
        "doubts": [] if limits is None else doubt_views(state, limits),
        "may_rebase": bool(rebasable(state)),
        "readiness": [(INPUT_WORDS.get(line.name, line.name), line) for line in readiness_run(account.code)],
        "limits_lines": [] if limits is None else limits_lines(limits),
        "limits_version": state.limits,
        "proposals": proposals(account),
        "stops": stop_lines(account),
        "reviews": review_lines(account),
    }


def bar_of(view: DrawdownView) -> Bar:
    """How much of its allowance the account has used up under one rule."""
    rule = view.rule
    value = rule.allowance.value
    shown = number(value, 2) if rule.allowance.of is AllowanceOf.AMOUNT else percent(value)
    return Bar(
        name=rule.name,
        mode=str(MODE_WORDS[rule.mode]),
        allowance=str(ALLOWANCE_WORDS[rule.allowance.of]) % {"value": shown},
        used=allowance_used(view),
        drawdown=percent(view.drawdown),
        reference=number(view.reference, 2),
        floor=number(view.floor, 2),
        left=number(view.equity - view.floor, 2),
    )


def penalties(state: AccountState, now: datetime) -> list[str]:
    """The penalties for losing trades that have not expired, in words."""
    text = _("penalty, weight %(value)s: %(reason)s")
    found = (item for item in loss_view(state).penalties if item.until is None or item.until > now)
    return [text % {"value": number(item.value), "reason": sentence_told(item.reason)} for item in found]


def equity_chart(account: Account) -> str:
    """The newest points that are believed as the data of a line chart (JSON), "" where there are none."""
    unbelieved = HeldPoint.objects.filter(account=account).exclude(ruling__accepted=True).values("point_id")
    newest = EquityPoint.objects.filter(account=account).exclude(id__in=unbelieved).order_by("-at", "-id")
    points = list(newest.values_list("at", "equity")[:POINTS])[::-1]
    if not points:
        return ""
    line = {
        "label": _("equity"),
        "data": [float(equity) for _at, equity in points],
        "borderColor": "#0d9488",
        "displayYAxis": True,
        "maxTicksXLimit": 8,
    }
    labels = [f"{formats.date_format(at, 'MONTH_DAY_FORMAT')} {at:%H:%M}" for at, _equity in points]
    return json.dumps({"labels": labels, "datasets": [line]})


def _seconds(seconds: int | None) -> str:
    return _("any time") if seconds is None else f"{seconds} s"


def limits_lines(limits: Limits) -> list[tuple[str, str]]:
    """The limits in force as (name, value) in the reader's language."""
    cap, most = limits.order.max_quantity, limits.plausibility.max_move
    blackout = _("%(before)s min before to %(after)s min after events above %(impact)s")
    lines = [
        (_("a breach is believed"), _confirmed(limits)),
        (_("equity may move by"), _("any") if most is None else percent(most)),
        (_("openings an hour"), str(limits.pace.max_openings_per_hour)),
        (_("between two openings"), f"{limits.pace.min_interval_seconds} s"),
        (_("messages a minute"), _capped(limits.pace.max_messages_per_minute)),
        (_("the same opening again after"), _seconds(limits.pace.duplicate_seconds)),
        (_("registered algorithms"), _("required") if limits.algorithms.required else _("not required")),
        (_("openings of an algorithm before a review"), _capped(limits.algorithms.max_unreviewed)),
        (_("largest opening"), _("no cap") if cap is None else number(cap)),
        (_("equity may be old"), f"{limits.freshness.equity_seconds} s"),
        (_("positions may be old"), f"{limits.freshness.positions_seconds} s"),
        (_("calendar may be old"), f"{limits.freshness.calendar_hours} h"),
        (_("blackout"), blackout % {
            "before": limits.blackout.minutes_before, "after": limits.blackout.minutes_after,
            "impact": number(limits.blackout.impact_above),
        }),
        (_("positions to open"), _("required") if limits.freshness.positions_required else _("not required")),
        (_("feature set may be old"), _aged(limits.freshness.features_days, _("%(count)d d"))),
        (_("memory may be old"), _aged(limits.freshness.memory_hours, _("%(count)d h"))),
        (_("accounts checked within"), f"{limits.freshness.checks_seconds} s"),
        (_("to be flat"), _flat(limits)),
        (_("losses in a row"), _capped(limits.losses.max_consecutive)),
        (_("loss of one trade"), _capped(limits.losses.max_per_trade)),
        (_("a penalty lasts"), f"{limits.losses.penalty_minutes} min"),
        (_("cool-down after a stop"), f"{limits.losses.cooldown_after_stop_minutes} min"),
        (_("cool-down after a loss"), f"{limits.losses.cooldown_after_loss_minutes} min"),
        *exposure_lines(limits),
        *window_lines(limits),
        *feature_lines(limits),
        (_("market memory"), _("required") if limits.memory.required else _("not required")),
        *memory_lines(limits),
        (_("clock skew"), f"{limits.clock.max_skew_seconds} s"),
        (_("an answer is valid"), f"{limits.answer.valid_seconds} s"),
    ]  # fmt: skip
    return lines + [
        (_("rule %(name)s") % {"name": name}, f"{setting.mode} {setting.reason}".strip())
        for name, setting in limits.rules.items()
        if setting.mode != "enforce"
    ]


def _confirmed(limits: Limits) -> str:
    ways = []
    if limits.confirmation.points is not None:
        ways.append(_("after %(count)s points") % {"count": limits.confirmation.points})
    if limits.confirmation.seconds is not None:
        ways.append(_("after %(count)s s") % {"count": limits.confirmation.seconds})
    return _(" or ").join(ways) if ways else _("at the first point")


def _capped(value: Decimal | int | None) -> str:
    return _("no cap") if value is None else number(value)


def _aged(value: int | None, unit: str) -> str:
    return _("any age") if value is None else unit % {"count": value}


def _flat(limits: Limits) -> str:
    flat = limits.flat
    return _("never") if flat.by is None else _("%(by)s to %(until)s") % {"by": flat.by, "until": flat.until}


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version that waits for a second person or its time, or for a review."""

    version: LimitsVersion
    proposer: str
    at: str
    status: SafeString


def proposals(account: Account) -> list[Proposal]:
    """Open proposals and reviews of the account, newest first."""
    open_ones = LimitsVersion.objects.filter(WAITING | UNREVIEWED, account=account).select_related("approval", "step")
    waiting = list(open_ones.order_by("-version")[:10])
    names = actor_names(version.proposer for version in waiting)
    return [
        Proposal(version, names[version.proposer], moment(version.recorded_at), status_badge(version))
        for version in waiting
    ]


def limits_yaml(body: Any) -> str:
    """A limits document as YAML, in the document's order."""
    text: str = yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=100)
    return text
