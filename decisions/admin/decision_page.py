"""What a decision's page shows above its columns: the verdict, why, on what figures, with which features."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from decisions.admin.shared import effect_word, verdict_badge
from decisions.admin.shown_features import top_features
from decisions.models import Decision, OrderReport, Outcome
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import EMPTY, flattened, moment, number, percent
from risk.admin.shared import reason_sentence, state_badge

OTHERS = 20


@dataclass(frozen=True, slots=True)
class ShownReason:
    """One reason: code, sentence in the reader's language, its numbers, when to ask again; of a rule in shadow its name
    and what it would have made of the decision."""

    code: str
    sentence: str
    evidence: list[tuple[str, str]]
    retry_at: str
    rule: str
    would: SafeString | str


def decision_context(decision: Decision) -> dict[str, Any]:
    """Everything the page's template needs."""
    return {
        "verdict_badge": verdict_badge(decision.verdict),
        "effect": effect_word(decision.effect),
        "state_badge": state_badge(decision.trading_state) if decision.trading_state else EMPTY,
        "reasons": shown_reasons(decision.reasons),
        "shadow_reasons": shown_reasons(decision.shadow_reasons),
        "judged_on": flattened(judged_figures(decision)),
        "who": actor_names([decision.actor])[decision.actor],
        "quantity": number(decision.quantity),
        "allowed_quantity": number(decision.max_quantity) if decision.max_quantity is not None else "",
        "price": number(decision.price),
        "score": number(decision.signal_score) if decision.signal_score is not None else EMPTY,
        "drift": drift_of(decision),
        "coverage": percent(decision.feature_coverage, 1) if decision.feature_coverage is not None else "",
        "features": top_features(decision),
        "others": other_decisions(decision),
        "outcomes": outcomes_of(decision),
        "orders": orders_of(decision),
    }


def judged_figures(decision: Decision) -> dict[str, Any]:
    """What it was judged on, but for the most influential features: they have a table of their own."""
    told = dict(decision.judged_on or {})
    features = told.get("features")
    if features:
        told["features"] = {name: value for name, value in features.items() if name != "top"}
    return told


def drift_of(decision: Decision) -> str:
    """The drift of the features, "" where it was not measured."""
    features = (decision.judged_on or {}).get("features") or {}
    return "" if features.get("drift") is None else number(features["drift"], 3)


def shown_reasons(reasons: Iterable[Mapping[str, Any]]) -> list[ShownReason]:
    """Recorded reasons, ready to be shown."""
    return [
        ShownReason(
            code=str(reason.get("code", "")),
            sentence=reason_sentence(reason),
            evidence=flattened(reason.get("evidence") or {}),
            retry_at=_moment(reason.get("retry_at")),
            rule=str(reason.get("rule", "")),
            would=verdict_badge(reason["outcome"]) if reason.get("outcome") else "",
        )
        for reason in reasons or ()
    ]


def _moment(text: Any) -> str:
    at = parse_datetime(text) if isinstance(text, str) else text
    return moment(at) if isinstance(at, datetime) else ""


def other_decisions(decision: Decision) -> list[dict[str, Any]]:
    """Other decisions of the same trade, oldest first: entry, scale, exit."""
    same = Decision.objects.filter(trade_id=decision.trade_id, account_id=decision.account_id)
    rows = same.exclude(pk=decision.pk).order_by("at", "id").only("at", "decision", "verdict", "side", "quantity")
    return [
        {"row": row, "verdict": verdict_badge(row.verdict), "quantity": number(row.quantity)} for row in rows[:OTHERS]
    ]


def outcomes_of(decision: Decision) -> list[Outcome]:
    """What became of the decision, newest word first."""
    return list(Outcome.objects.filter(decision_id=decision.pk).order_by("-seq")[:OTHERS])


def orders_of(decision: Decision) -> list[OrderReport]:
    """What was told of the decision's order, newest word first."""
    return list(OrderReport.objects.filter(decision_id=decision.pk).order_by("-seq")[:OTHERS])
