"""Rules in shadow: beside a decision, a row for each rule that would have blocked or reduced it, were it enforced."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Any

from decisions.models import Decision, Outcome, ShadowRow, Verdict

WHOLE, NOTHING = Decimal(1), Decimal(0)
SHARE_STEP = Decimal("0.000001")


def shadow_rows(decision: Decision) -> Iterator[ShadowRow]:
    """The rows (unsaved) that the decision's own columns ask for: one for each rule, by the strictest it said."""
    counting = [told for told in decision.shadow_reasons if told.get("outcome") in {Verdict.BLOCK, Verdict.REDUCE}]
    for rule, said in groupby(sorted(counting, key=_rule), key=_rule):
        told = list(said)
        blocks = any(item["outcome"] == Verdict.BLOCK for item in told)
        yield ShadowRow(
            account_id=decision.account_id, seq=decision.seq, decision_id=decision.id, rule=rule, at=decision.at,
            outcome=Verdict.BLOCK if blocks else Verdict.REDUCE, share=_share(decision, told, blocks=blocks),
        )  # fmt: skip


def _rule(told: Mapping[str, Any]) -> str:
    return str(told["rule"])


def _share(decision: Decision, told: Sequence[Mapping[str, Any]], *, blocks: bool) -> Decimal | None:
    """How much of what was let through the rule would have stopped: nothing where the decision was blocked anyway."""
    if decision.verdict == Verdict.BLOCK:
        return NOTHING
    if blocks:
        return WHOLE
    passed: Decimal | None = decision.max_quantity or decision.quantity
    if not passed:
        return None
    most = min(Decimal(item["max_quantity"]) for item in told)
    return max(NOTHING, (passed - most) / passed).quantize(SHARE_STEP)


def shadow_close(outcome: Outcome) -> None:
    """How the decision's trade ended, in its rows; the newest final outcome counts."""
    ShadowRow.objects.filter(decision_id=outcome.decision_id).update(pnl=outcome.pnl, closed_at=outcome.closed_at)
