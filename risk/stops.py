"""The stop itself: snapshot, penalty, state change and alert, built together wherever a drawdown breaks its limit."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.models import AccountState, Desk, Penalty, Snapshot
from risk.models.state import Cause
from risk.resume_policy import Stoppable
from risk.rules import breach
from risk.rules.drawdown import Mark, breached
from risk.rules.facts import DrawdownView, TradingState
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.messages import number
from risk.rules.resume import never_resumes, resumes_at
from risk.rules.sentences import BREACH, HEALED
from risk.selectors.drawdown import deepest
from risk.selectors.overtrade import overtrade_score
from risk.selectors.sessions import session_next
from risk.trading_states import own_stop, penalty_lifted, state_enter, stricter
from risk.written import Written


def view_evidence(view: DrawdownView) -> dict[str, str]:
    """One drawdown rule as measured, in plain figures."""
    return {
        "rule": view.rule.name,
        "mode": view.rule.mode.value,
        "equity": number(view.equity),
        "reference": number(view.reference),
        "floor": number(view.floor),
        "drawdown": number(view.drawdown),
        "allowance": f"{number(view.rule.allowance.value)} of {view.rule.allowance.of.value}",
    }


def snapshot_build(
    state: AccountState,
    *,
    drawdown: Decimal,
    limit: Decimal | None,
    penalty: bool,
    cause: str,
    score: float,
    evidence: dict[str, Any],
    seq: int,
    now: datetime,
) -> Snapshot:
    """A snapshot fact (unsaved) and the projection's memory of it (unsaved)."""
    state.snapshot_at, state.snapshot_seq, state.snapshot_worst = now, seq, state.worst_drawdown
    evidence = evidence | {"worst_drawdown": number(state.worst_drawdown)}
    return Snapshot(
        account=state.account, seq=seq, at=now, drawdown=drawdown, overtrade_risk_score=score, penalty_active=penalty,
        limit=limit, cause=cause, evidence=evidence, recorded_at=now,
    )  # fmt: skip


def penalty_build(snapshot: Snapshot, *, reason: str) -> Penalty:
    """The penalty-log row that goes with a snapshot (unsaved)."""
    return Penalty(
        account=snapshot.account, seq=snapshot.seq, at=snapshot.at, penalty_active=snapshot.penalty_active,
        overtrade_risk_score=snapshot.overtrade_risk_score, penalty_kind="drawdown",
        value=1 if snapshot.penalty_active else 0, reason=reason[:2000], snapshot_id=snapshot.id,
        recorded_at=snapshot.recorded_at,
    )  # fmt: skip


def breach_target(
    row: AccountState | Desk, limits: Limits, views: Sequence[DrawdownView], *, on_record: bool
) -> TradingState | None:
    """The state that broken drawdown rules ask for of the row as it stands; None where nothing is to be written.
    `on_record`: what does not stop harder is no news."""
    target = breach.breach_target(limits, views, TradingState(row.state), on_record=on_record)
    if target is None and limits.rule_mode(RuleName.DRAWDOWN) is RuleMode.ENFORCE and outlasts(row, views):
        return TradingState(row.state)
    return target


def outlasts(row: Stoppable, views: Sequence[DrawdownView]) -> bool:
    """Whether a broken rule that never ends its stop by itself meets a stop that a limit entered and that does."""
    return never_resumes(views) and row.state_until is not None and own_stop(row) is not None


def breach_stop(
    state: AccountState,
    limits: Limits,
    views: Sequence[DrawdownView],
    *,
    actor: Actor,
    seq: int,
    now: datetime,
) -> Written:
    """Records a breach in the locked account (unsaved), once, and stops it unless it is stopped that hard already.

    In shadow nothing stops; off is not judged. An account that trades and is above its floors has no penalty.
    """
    target = breach_target(state, limits, views, on_record=state.penalty_active)
    if target is None:
        healed = state.state == TradingState.ACTIVE and not any(breached(view) for view in views)
        if not (healed and state.penalty_active):
            return Written()
        state.penalty_active = False
        return Written(facts=[penalty_lifted(state, HEALED, seq, now)])
    broken = [view for view in views if breached(view)]
    worst = max(broken, key=lambda view: view.drawdown)
    enforced = limits.rule_mode(RuleName.DRAWDOWN) is RuleMode.ENFORCE
    score = overtrade_score(state, limits, now)
    until = resumes_at(broken, now, partial(session_next, limits.session.hours)) if enforced else None
    enters = enforced and (stricter(target, state.state) or outlasts(state, views))
    return _stop(
        state, worst, target, enforced, enters=enters, until=until, score=score, actor=actor, seq=seq, now=now
    )  # fmt: skip


def _stop(
    state: AccountState,
    view: DrawdownView,
    target: TradingState,
    enforced: bool,
    *,
    enters: bool,
    until: datetime | None,
    score: float,
    actor: Actor,
    seq: int,
    now: datetime,
) -> Written:
    evidence = view_evidence(view) | ({} if enforced else {"shadow": True})
    reason = BREACH % evidence
    limit = None if view.rule.allowance.of.value == "amount" else view.rule.allowance.value
    snapshot = snapshot_build(
        state, drawdown=view.drawdown, limit=limit, penalty=True, cause=Cause.DRAWDOWN.value, score=score,
        evidence=evidence, seq=seq, now=now,
    )  # fmt: skip
    written = Written(facts=[snapshot, penalty_build(snapshot, reason=reason)])
    state.penalty_active = True
    if enters:
        written.facts.append(
            state_enter(
                state,
                target,
                cause=Cause.DRAWDOWN,
                reason=reason,
                actor=actor,
                now=now,
                seq=seq,
                evidence=evidence,
                until=until,
            )
        )
    drawdown_alert(state, view.drawdown, view.rule.allowance.value, stopped=enforced)
    return written


def drawdown_alert(state: AccountState, drawdown: Decimal, limit: Decimal | None, *, stopped: bool) -> None:
    """The alert of priority 3 that names both figures (a dash where no limit is set), once for each stop."""
    alert_raise(
        "drawdown_breached" if stopped else "drawdown_in_shadow", priority=3, account=state.account.code,
        params={"drawdown": number(drawdown), "limit": "-" if limit is None else number(limit)},
        dedup_key=str(state.state_change_id or ""),
    )  # fmt: skip


def worst_update(state: AccountState, views: Sequence[DrawdownView], marks: Iterable[Mark]) -> None:
    """Projects the deepest drawdown, now and ever (unsaved)."""
    state.drawdown = deepest(tuple(views))
    worst = max(marks, key=lambda mark: mark.worst, default=None)
    if worst is None:
        return
    if worst.worst > state.worst_drawdown:
        state.worst_drawdown = worst.worst
        state.worst_peak_at, state.worst_trough_at = worst.worst_peak_at, worst.worst_trough_at
    if (worst.worst_peak_at, worst.worst_trough_at) == (state.worst_peak_at, state.worst_trough_at):
        state.worst_recovered_at = worst.worst_recovered_at
