"""What a decision's page shows above its columns: the verdict, why, on what figures, with which features."""

import math
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from decisions.admin.shared import effect_word, verdict_badge
from decisions.models import Decision, DecisionFeatures, OrderReport, Outcome
from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import EMPTY, flattened, moment, number, percent
from risk.admin.shared import reason_sentence, state_badge
from risk.models import FeatureSet

TOP_FEATURES = 10
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


@dataclass(frozen=True, slots=True)
class ShownFeature:
    """One of the most important features: its share of the set's importance and the value sent."""

    place: int
    name: str
    share: str
    value: str
    missing: bool


def decision_context(decision: Decision) -> dict[str, Any]:
    """Everything the page's template needs."""
    return {
        "verdict_badge": verdict_badge(decision.verdict),
        "effect": effect_word(decision.effect),
        "state_badge": state_badge(decision.trading_state) if decision.trading_state else EMPTY,
        "reasons": shown_reasons(decision.reasons),
        "shadow_reasons": shown_reasons(decision.shadow_reasons),
        "judged_on": flattened(decision.judged_on or {}),
        "who": actor_names([decision.actor])[decision.actor],
        "quantity": number(decision.quantity),
        "allowed_quantity": number(decision.max_quantity) if decision.max_quantity is not None else "",
        "price": number(decision.price),
        "score": number(decision.signal_score) if decision.signal_score is not None else EMPTY,
        "coverage": percent(decision.feature_coverage, 1) if decision.feature_coverage is not None else "",
        "features": top_features(decision),
        "others": other_decisions(decision),
        "outcomes": outcomes_of(decision),
        "orders": orders_of(decision),
    }


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


def top_features(decision: Decision) -> list[ShownFeature]:
    """The most important features of the set with the values that came; [] where none came or they were erased."""
    stored = DecisionFeatures.objects.select_related("feature_set").filter(pk=decision.pk).first()
    return [] if stored is None else feature_rows(stored.feature_set, bytes(stored.vector))


def feature_rows(features: FeatureSet, vector: bytes) -> list[ShownFeature]:
    """The head of a packed little-endian float64 vector, in the set's order (most important first); NaN is missing."""
    total = math.fsum(features.importances) or 1.0
    count = min(TOP_FEATURES, len(vector) // 8, len(features.names))
    values = struct.unpack_from(f"<{count}d", vector)
    return [
        ShownFeature(
            place=place,
            name=features.names[place - 1],
            share=percent(features.importances[place - 1] / total, 2),
            value=EMPTY if math.isnan(value) else number(value, 6),
            missing=math.isnan(value),
        )
        for place, value in enumerate(values, 1)
    ]


def other_decisions(decision: Decision) -> list[dict[str, Any]]:
    """Other decisions of the same trade, oldest first: entry, scale, exit."""
    same = Decision.objects.filter(trade_id=decision.trade_id, account_id=decision.account_id)
    rows = same.exclude(pk=decision.pk).order_by("at", "id").only("at", "decision", "verdict", "side", "quantity")
    return [
        {"row": row, "verdict": verdict_badge(row.verdict), "quantity": number(row.quantity)} for row in rows[:OTHERS]
    ]


def outcomes_of(decision: Decision) -> list[Outcome]:
    """What became of the decision, newest word first."""
    return list(Outcome.objects.filter(decision_id=decision.pk).order_by("-id")[:OTHERS])


def orders_of(decision: Decision) -> list[OrderReport]:
    """What was told of the decision's order, newest word first."""
    return list(OrderReport.objects.filter(decision_id=decision.pk).order_by("-seq")[:OTHERS])
