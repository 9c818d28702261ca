"""Reads of the decisions app."""

import math
import struct
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import QuerySet, Value

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


class Message(NamedTuple):
    """When a message came, and its step; `asks`: the decision of that step, which comes after what its body told."""

    at: datetime
    seq: int
    asks: bool


def message_times(account: Account, since: datetime, most: int) -> tuple[datetime, ...]:
    """When the account's newest messages after `since` came: decisions, outcomes, reports of orders, equity and
    positions. The newest first, at most `most`."""
    told = _messages(account, at__gt=since)
    return tuple(at for at, _seq, _asks in told.order_by("-at")[:most])


def messages_between(account: Account, since: datetime, until: datetime) -> list[Message]:
    """The same messages after `since` and before `until`, oldest first."""
    told = _messages(account, at__gt=since, at__lt=until).order_by("at")
    return [Message(at, seq, bool(asks)) for at, seq, asks in told]


def _messages(account: Account, **times: datetime) -> "QuerySet[Any, Any]":
    live = {"account": account, "origin": Origin.LIVE}
    told = {f"recorded_{lookup}": moment for lookup, moment in times.items()}
    others = (
        Outcome.objects.filter(**live, **told),
        EquityBatch.objects.filter(**live, **told),
        PositionReport.objects.filter(account=account, **told),
        OrderReport.objects.filter(account=account, **told),
    )
    decisions = Decision.objects.filter(**live, **times).order_by().values_list("at", "seq", Value(1))
    return decisions.union(*(rows.order_by().values_list("recorded_at", "seq", Value(0)) for rows in others), all=True)
