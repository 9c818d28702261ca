"""What a decision records of its verdict: the reasons, and the figures that it was judged on, as JSON values."""

from collections.abc import Mapping
from typing import Any

from decisions.exposure_figures import exposure_told
from decisions.judged_features import features_told
from risk.rules.facts import AlgorithmView, Facts, MemoryView
from risk.rules.limits import Limits
from risk.rules.memory import CLUSTERS_SHOWN
from risk.rules.messages import number
from risk.rules.tightening import tightening
from risk.rules.verdict import Reason, Shadow
from risk.stops import view_evidence


def reason_dict(reason: Reason) -> dict[str, Any]:
    """A reason as it is stored and answered."""
    told: dict[str, Any] = {
        "code": reason.code.value,
        "message": reason.message,
        "evidence": dict(reason.evidence),
    }
    if reason.retry_at is not None:
        told["retry_at"] = reason.retry_at.isoformat()
    return told


def shadow_dict(shadow: Shadow) -> dict[str, Any]:
    """What did not count, as it is stored: which rule said it, and what it would have made of the decision."""
    finding = shadow.finding
    told = reason_dict(finding.reason) | {"rule": str(finding.rule)}
    if shadow.counts:
        told["outcome"] = finding.outcome.value
    if shadow.counts and finding.max_quantity is not None:
        told["max_quantity"] = number(finding.max_quantity)
    return told


def judged_on(facts: Facts, market: Mapping[str, Any] | None) -> dict[str, Any]:
    """The numbers behind a verdict, as JSON values."""
    pace, position, memory, features = facts.pace, facts.position, facts.memory, facts.features
    return {
        "account_state": facts.state.state.value if facts.state else None,
        "desk_state": facts.desk_state.state.value if facts.desk_state else None,
        "desk_limits_version": facts.desk_limits_version,
        "stops": [
            {"scope": stop.scope.value, "key": stop.key, "account": stop.account, "state": stop.view.state.value}
            for stop in facts.stops
        ],
        "equity": facts.equity and {"equity": number(facts.equity.equity), "at": facts.equity.at.isoformat()},
        "drawdowns": [view_evidence(view) for view in facts.drawdowns],
        "position": position
        and {
            "quantity": number(position.quantity),
            "at": position.at.isoformat(),
            "pending_reductions": number(position.pending_reductions),
        },
        "messages_last_minute": None if facts.messages is None else len(facts.messages),
        "algorithm": facts.algorithm and algorithm_told(facts.algorithm),
        "openings_last_hour": pace.openings_last_hour if pace else None,
        "checks_at": facts.checks_at and facts.checks_at.isoformat(),
        "calendar_refreshed_at": facts.calendar.refreshed_at and facts.calendar.refreshed_at.isoformat(),
        "calendar_known_until": facts.calendar.known_until and facts.calendar.known_until.isoformat(),
        "memory": memory and memory_told(memory, facts.limits),
        "features": features and features_told(features),
        "market": market,
        "exposure": facts.limits and exposure_told(facts.exposure, facts.limits),
    }


def algorithm_told(view: AlgorithmView) -> dict[str, Any]:
    """What the algorithm has opened since its last review, and its entry in the register."""
    return {
        "key": view.key,
        "executions": view.executions,
        "disabled_at": view.disabled_at and view.disabled_at.isoformat(),
        "entry": view.entry
        and {
            "version": view.entry.version,
            "status": view.entry.status.value,
            "openings_last_hour": None if view.entry.max_openings_per_hour is None else view.entry.openings_last_hour,
        },
    }


def memory_told(view: MemoryView, limits: Limits | None) -> dict[str, Any]:
    """The newest cluster, and where memory tightens what it recalled and left of the limits."""
    told: dict[str, Any] = {"clusters": list(view.cluster_ids), "vix_es_correlation": view.vix_es_correlation}
    tight = None if limits is None else tightening(view, limits.memory)
    if tight is None:
        return told
    return told | {
        "recalled": list(view.recalled[:CLUSTERS_SHOWN]),
        "event_types": list(view.event_types),
        "stress": number(tight.stress),
        "volatile": tight.volatile,
        "factor": number(tight.factor),
        "pace_factor": number(tight.pace_factor),
    }
