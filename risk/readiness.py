"""What an account needs before it can trade: each input, its age, and the fix (DESIGN 4.13)."""

from collections.abc import Iterator
from datetime import datetime

from django.utils.translation import gettext as _

from mia_site.ops.clock import database_now
from mia_site.ops.registry import Readiness
from risk.locking import AccountUnknown
from risk.models import AccountState, Client, Cluster, Desk
from risk.rules.facts import ScopedStopView, StopScope, TradingState
from risk.rules.limits import FreshnessLimits, Limits, RuleMode, RuleName, SessionHours
from risk.selectors.algorithm_register import algorithms_in_force
from risk.selectors.algorithms import disabled_algorithms
from risk.selectors.limits import limits_of
from risk.selectors.sessions import session_view
from risk.selectors.stops import scoped_stops


def readiness(code: str) -> Iterator[Readiness]:
    """Every input of the account, in the order in which one would set it up. Raises `AccountUnknown`."""
    state = AccountState.objects.select_related("account", "limits").filter(account__code=code).first()
    if state is None:
        raise AccountUnknown(code)
    now = database_now()
    desk = Desk.objects.filter(id=1).first() or Desk()
    limits = limits_of(state)
    yield _limits(state, limits)
    yield _client(state)
    yield _state(state, desk)
    yield from _stops(state)
    yield from _algorithms(state, limits)
    yield from _register(limits)
    yield _equity(state, limits, now)
    yield _positions(state, limits, now)
    yield _calendar(desk, limits, now)
    yield from _horizon(desk, limits, now)
    yield from _session(limits, now)
    yield _features(desk, limits, now)
    yield from _reference(desk, limits)
    yield _memory(limits, now)
    yield _checks(desk, limits, now)


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else round((now - at).total_seconds(), 3)


def _excused(limits: Limits | None, name: RuleName) -> str:
    """Why the rule does not block: it is off (with a reason) or in shadow; empty where it is enforced."""
    mode = RuleMode.ENFORCE if limits is None else limits.rule_mode(name)
    if mode is RuleMode.ENFORCE or limits is None:
        return ""
    return _("rule %(rule)s is %(mode)s: %(reason)s") % {
        "rule": name.value, "mode": mode.value, "reason": limits.rules[name].reason or "-",
    }  # fmt: skip


def _limits(state: AccountState, limits: Limits | None) -> Readiness:
    if limits is None or state.limits is None:
        fix = f"manage.py limits set {state.account.code} max_drawdown=0.05 --reason …"
        return Readiness("limits", False, _("no limits are set"), fix)
    return Readiness("limits", True, _("version %(version)s is in force") % {"version": state.limits.version})


def _client(state: AccountState) -> Readiness:
    count = Client.objects.filter(account_id=state.account_id).count()
    fix = "" if count else f"manage.py create_client NAME --account {state.account.code}"
    return Readiness("client", bool(count), _("API clients: %(count)s") % {"count": count}, fix)


def _state(state: AccountState, desk: Desk) -> Readiness:
    for name, row in (("desk", desk), ("account", state)):
        if row.state != TradingState.ACTIVE:
            target = "--desk" if name == "desk" else f"--account {state.account.code}"
            return Readiness(
                "trading state", False, f"{name} {row.state}: {row.state_reason}",
                f"manage.py resume {target} --reason …",
            )  # fmt: skip
    return Readiness("trading state", True, TradingState.ACTIVE.value)


def _stops(state: AccountState) -> Iterator[Readiness]:
    """Only where a client, algorithm or instrument is stopped here or on the whole desk.

    The account can trade all the same, unless each of its clients is stopped.
    """
    stops = scoped_stops(state.account)
    if not stops:
        return
    told = [f"{stop.scope} {stop.key} {stop.view.state}: {stop.view.reason}" for stop in stops]
    silenced = {stop.key for stop in stops if stop.scope is StopScope.CLIENT}
    clients = set(Client.objects.filter(account_id=state.account_id).values_list("name", flat=True))
    ok = not clients or not clients <= silenced
    yield Readiness("stops", ok, "; ".join(told), "; ".join(map(_resume, stops)))


def _resume(stop: ScopedStopView) -> str:
    where = f" --account {stop.account}" if stop.account else ""
    return f"manage.py resume --{stop.scope} {stop.key}{where} --reason …"


def _algorithms(state: AccountState, limits: Limits | None) -> Iterator[Readiness]:
    """Only where the limits ask for reviews: those that are disabled until somebody reviews them; others trade on."""
    if limits is None or limits.algorithms.max_unreviewed is None or _excused(limits, RuleName.ALGORITHMS):
        return
    disabled = disabled_algorithms(state.account)
    told = "; ".join(f"{switch.key}: {switch.reason}" for switch in disabled)
    fix = "manage.py review_algorithm {} --account {} --reason …"
    fixes = [fix.format(switch.key, state.account.code) for switch in disabled]
    yield Readiness("algorithms", True, told or _("none is disabled"), "; ".join(fixes))


def _register(limits: Limits | None) -> Iterator[Readiness]:
    """Only where the limits ask for registered algorithms: whether there are any that may trade."""
    if limits is None or not limits.algorithms.required or _excused(limits, RuleName.ALGORITHM_REGISTER):
        return
    names = algorithms_in_force()
    fix = "" if names else _("register one in the admin, and have a second person approve it")
    yield Readiness("algorithm register", bool(names), ", ".join(names) or _("no algorithm is approved"), fix)


def _aged(name: str, at: datetime | None, now: datetime, limit: float, fix: str) -> Readiness:
    age = _age(at, now)
    if age is None:
        return Readiness(name, False, _("never reported"), fix)
    detail = _("%(age)s s old, at most %(limit)s s") % {"age": round(age), "limit": round(limit)}
    return Readiness(name, age <= limit, detail, "" if age <= limit else fix, age)


def _equity(state: AccountState, limits: Limits | None, now: datetime) -> Readiness:
    excuse = _excused(limits, RuleName.EQUITY)
    at = None if state.equity_at is None else min(state.equity_at, state.equity_received_at or state.equity_at)
    if excuse:
        return Readiness("equity", True, excuse, "", _age(at, now))
    seconds = limits.freshness.equity_seconds if limits else 120
    return _aged("equity", at, now, seconds, f"POST /api/v1/accounts/{state.account.code}/equity")


def _positions(state: AccountState, limits: Limits | None, now: datetime) -> Readiness:
    """Without fresh positions every exit counts as an opening, and openings pass unless the limits require them."""
    seconds = limits.freshness.positions_seconds if limits else 120
    fix = f"POST /api/v1/accounts/{state.account.code}/positions"
    return _aged("positions", state.positions_at, now, seconds, fix)


def _calendar(desk: Desk, limits: Limits | None, now: datetime) -> Readiness:
    excuse = _excused(limits, RuleName.CALENDAR)
    if excuse:
        return Readiness("calendar", True, excuse, "", _age(desk.calendar_at, now))
    hours = limits.freshness.calendar_hours if limits else 24
    return _aged("calendar", desk.calendar_at, now, hours * 3600, "manage.py import_mia macro_events.csv")


def _horizon(desk: Desk, limits: Limits | None, now: datetime) -> Iterator[Readiness]:
    """Only where the limits ask how far ahead events are known."""
    if limits is None or not limits.calendar.horizon_hours or _excused(limits, RuleName.CALENDAR):
        return
    until = desk.calendar_until
    ahead = 0 if until is None else max(0, int((until - now).total_seconds() // 3600))
    told = {"hours": ahead, "limit": limits.calendar.horizon_hours}
    detail = _("events are known %(hours)s h ahead, at least %(limit)s h") % told
    ok = ahead >= limits.calendar.horizon_hours
    yield Readiness("calendar horizon", ok, detail, "" if ok else _("a source that reaches further"))


def _session(limits: Limits | None, now: datetime) -> Iterator[Readiness]:
    """Only where the limits ask for a session: is the table there, and is it open?"""
    if limits is None or limits.session.hours is SessionHours.ANY or _excused(limits, RuleName.SESSION):
        return
    session = session_view(now, limits)
    if session is None:
        yield Readiness("session", False, _("no session is known"), "manage.py refresh_sessions")
    elif session.is_open(now):
        yield Readiness("session", True, _("open until %(at)s") % {"at": session.closes_at.isoformat()})
    else:
        told = {"at": session.opens_at.isoformat()}
        yield Readiness("session", True, _("closed; openings are blocked until %(at)s") % told)


def _features(desk: Desk, limits: Limits | None, now: datetime) -> Readiness:
    excuse = _excused(limits, RuleName.FEATURES)
    if excuse:
        return Readiness("features", True, excuse)
    if desk.feature_set is None:
        return Readiness("features", False, _("no feature set"), "manage.py import_mia feature_importance.csv")
    days, age = limits.freshness.features_days if limits else None, _age(desk.feature_set.recorded_at, now)
    if days is not None and age is not None and age > days * 86_400:
        told = {"days": round(age / 86_400), "limit": days}
        fix = "manage.py import_mia feature_importance.csv"
        return Readiness("features", False, _("%(days)s days old, at most %(limit)s") % told, fix, age)
    told = {"version": desk.feature_set.version, "count": desk.feature_set.count}
    return Readiness("features", True, _("set %(version)s with %(count)s features") % told)


def _reference(desk: Desk, limits: Limits | None) -> Iterator[Readiness]:
    """Only where the limits bound the drift of the features."""
    if limits is None or limits.features.max_drift is None or _excused(limits, RuleName.FEATURES):
        return
    reference = desk.feature_reference
    if reference is None or reference.feature_set_id != desk.feature_set_id:
        fix = "manage.py learn_features --since … --reason …"
        yield Readiness("features' reference", False, _("no reference of the feature set"), fix)
    else:
        told = _("version %(version)s") % {"version": reference.version}
        yield Readiness("features' reference", True, told)


def _memory(limits: Limits | None, now: datetime) -> Readiness:
    clusters = Cluster.objects.filter(at__lte=now)
    count = clusters.count()
    required = limits is not None and limits.memory.required and not _excused(limits, RuleName.MEMORY)
    fix = "manage.py import_mia market_memory.db"
    if required and count and limits is not None and limits.freshness.memory_hours is not None:
        newest = clusters.order_by("-at").values_list("at", flat=True).first()
        return _aged("market memory", newest, now, limits.freshness.memory_hours * 3600, fix)
    fix = fix if required and not count else ""
    return Readiness("market memory", bool(count) or not required, _("%(count)s clusters") % {"count": count}, fix)


def _checks(desk: Desk, limits: Limits | None, now: datetime) -> Readiness:
    excuse = _excused(limits, RuleName.CHECKS)
    if excuse:
        return Readiness("drawdown check", True, excuse, "", _age(desk.checks_at, now))
    freshness = FreshnessLimits() if limits is None else limits.freshness
    return _aged("drawdown check", desk.checks_at, now, freshness.checks_seconds, "manage.py up")
