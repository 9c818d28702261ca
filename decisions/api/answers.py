"""What a bot gets back."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from decisions.decision_log import Answered, Receipted
from decisions.models import Decision
from risk.inputs import Aware
from risk.receipts import Receipt, receipt_of
from risk.rules.ask import Effect
from risk.rules.codes import ReasonCode
from risk.rules.messages import number
from risk.rules.reasons import reason
from risk.rules.verdict import VerdictKind
from risk.selectors.account_state import StateWord

VerdictWord = Annotated[str, Meta(extra_json_schema={"enum": [kind.value for kind in VerdictKind]})]
EffectWord = Annotated[str, Meta(extra_json_schema={"enum": [effect.value for effect in Effect]})]


class ReasonAnswer(msgspec.Struct, frozen=True):
    """Why: a stable code, a sentence, the numbers, and when to ask again."""

    code: str
    message: str
    evidence: dict[str, Any]
    retry_at: str | None = None


class ShadowAnswer(ReasonAnswer, frozen=True):
    """What did not count: the rule in shadow, and what it would have done (null: nothing, were it enforced)."""

    rule: str | None = None
    outcome: str | None = None
    max_quantity: str | None = None


class DecisionAnswer(msgspec.Struct, frozen=True):
    """The verdict on one decision. `verdict` is null for one that was only recorded; `replayed` for a repeated key."""

    id: str
    verdict: VerdictWord | None
    effect: EffectWord
    reasons: list[ReasonAnswer]
    shadow_reasons: list[ShadowAnswer]
    trading_state: StateWord
    limits_version: int | None
    judged_at: Aware
    valid_until: Aware | None
    max_quantity: str | None
    retry_at: Aware | None
    receipt: Receipt | None
    replayed: bool = False


class BatchAnswer(msgspec.Struct, frozen=True):
    """Answers in the order asked; `note` is one receipt over all their leaf hashes."""

    decisions: list[DecisionAnswer]
    note: str


def decision_answer(told: Receipted, answered: Answered, *, with_note: bool = True) -> DecisionAnswer:
    decision = answered.decision
    reasons = [_reason(item) for item in decision.reasons]
    verdict = decision.verdict or None
    if answered.expired:
        verdict, reasons = "block", [_expired(decision), *reasons]
    receipt = receipt_of([answered.leaf], note=told.note)
    return DecisionAnswer(
        id=str(decision.id),
        verdict=verdict,
        effect=decision.effect,
        reasons=reasons,
        shadow_reasons=[msgspec.convert(item, ShadowAnswer) for item in decision.shadow_reasons],
        trading_state=decision.trading_state,
        limits_version=decision.limits_version,
        judged_at=decision.at,
        valid_until=decision.valid_until,
        max_quantity=None if decision.max_quantity is None else number(decision.max_quantity),
        retry_at=decision.retry_at,
        receipt=receipt if with_note or receipt is None else msgspec.structs.replace(receipt, note=""),
        replayed=told.replayed,
    )


def batch_answer(told: Receipted) -> BatchAnswer:
    answers = [decision_answer(told, answered, with_note=False) for answered in told.answers]
    return BatchAnswer(answers, told.note)


def not_recorded() -> list[ReasonAnswer]:
    """The reasons of an answer that is no decision, since none could be written down."""
    told = reason(ReasonCode.NOT_RECORDABLE, {})
    return [ReasonAnswer(told.code.value, told.message, {})]


def _reason(stored: dict[str, Any]) -> ReasonAnswer:
    return msgspec.convert(stored, ReasonAnswer)


def _expired(decision: Decision) -> ReasonAnswer:
    valid_until = decision.valid_until.isoformat() if decision.valid_until else ""
    told = reason(ReasonCode.VERDICT_EXPIRED, {"valid_until": valid_until, "id": str(decision.id)})
    return ReasonAnswer(told.code.value, told.message, dict(told.evidence))
