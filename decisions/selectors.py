"""Reads of the decisions app."""

import math
import struct
from datetime import datetime
from typing import Any
from uuid import UUID

from decisions.models import Decision, DecisionFeatures, OrderReport, Outcome
from risk.models import Account, AccountState, EquityBatch, PositionReport
from risk.models.columns import Origin
from risk.rules.losses import LOSSES_MOST
from risk.selectors.features import feature_set


def features_of(decision: Decision) -> dict[str, float]:
    """The features that came with the decision, in the set's order (largest importance first); {} without any."""
    row = DecisionFeatures.objects.filter(id=decision.id).first()
    if row is None:
        return {}
    loaded = feature_set(row.feature_set_id)
    values = struct.unpack(f"<{len(loaded.names)}d", bytes(row.vector))
    return {name: value for name, value in zip(loaded.names, values, strict=True) if not math.isnan(value)}


def losses_before(state: AccountState, decision_id: UUID) -> int:
    """How many trades in a row were lost before that of `decision_id`, by the newest final outcome of each; those that
    a person no longer counts are left out. At most `LOSSES_MOST`."""
    seen, losses = {decision_id}, 0
    rows = Outcome.objects.filter(
        account_id=state.account_id, origin=Origin.LIVE, final=True, seq__gt=state.losses_seq
    ).order_by("-seq")
    for other, pnl in rows.values_list("decision_id", "pnl").iterator(chunk_size=LOSSES_MOST):
        if other in seen:
            continue
        if pnl >= 0 or losses >= LOSSES_MOST:
            break
        seen.add(other)
        losses += 1
    return losses


def message_times(
    account: Account, since: datetime, most: int, *, before: Decision | None = None
) -> tuple[datetime, ...]:
    """When the account's newest messages after `since` came: decisions, outcomes, reports of orders, equity and
    positions. The newest first, at most `most`; `before`: those that had come when this decision was judged."""
    span: dict[str, Any] = {"account": account, "recorded_at__gt": since}
    decisions = Decision.objects.filter(account=account, origin=Origin.LIVE, at__gt=since)
    if before is not None:
        span |= {"seq__lte": before.seq, "recorded_at__lte": before.recorded_at}
        decisions = decisions.filter(seq__lt=before.seq, at__lte=before.recorded_at)
    others = (
        Outcome.objects.filter(**span, origin=Origin.LIVE),
        EquityBatch.objects.filter(**span, origin=Origin.LIVE),
        PositionReport.objects.filter(**span),
        OrderReport.objects.filter(**span),
    )
    told = [rows.order_by().values_list("recorded_at") for rows in others]
    newest = decisions.order_by().values_list("at").union(*told, all=True).order_by("-at")
    return tuple(at for (at,) in newest[:most])
