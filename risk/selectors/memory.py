"""Market memory as the gate sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from risk.models import Cluster
from risk.rules.facts import ClusterView, EventView, MemoryView
from risk.rules.limits import Limits, RuleMode, RuleName
from risk.rules.recall import recall

RECALLED_MOST = 100
"""How many clusters are looked at, newest first: the cost of a question stays flat however long the memory is."""
COLUMNS = ("id", "event_type", "at", "confidence", "vix_es_correlation")


def memory_view(now: datetime, limits: Limits | None = None, events: Iterable[EventView] = ()) -> MemoryView | None:
    """The newest cluster dated up to `now` (later ones are ignored), None where there is none: one query.

    Where `limits` let memory tighten, also what is recalled of it around `events`.
    """
    wanted = limits is not None and recalls(limits)
    newest = Cluster.objects.filter(at__lte=now).order_by("-at", "-id").values_list(*COLUMNS)
    found = [cluster_view(*columns) for columns in newest[: RECALLED_MOST if wanted else 1]]
    return memory_of(found, now, limits, events)


def cluster_view(
    cluster_id: UUID, event_type: str, at: datetime, confidence: float, correlation: float | None
) -> ClusterView:
    """A row of `COLUMNS` as the rules take it."""
    return ClusterView(
        cluster_id=str(cluster_id), event_type=event_type, at=at, confidence=confidence,
        vix_es_correlation=correlation,
    )  # fmt: skip


def memory_of(
    clusters: Sequence[ClusterView], now: datetime, limits: Limits | None, events: Iterable[EventView]
) -> MemoryView | None:
    """The newest of `clusters` (newest first) and, where `limits` let memory tighten, what is recalled of them."""
    if not clusters:
        return None
    last = clusters[0]
    view = MemoryView(cluster_ids=(last.cluster_id,), at=last.at, vix_es_correlation=last.vix_es_correlation)
    if limits is None or not recalls(limits):
        return view
    found = recall(clusters, events, now, limits.memory)
    ids = tuple(cluster.cluster_id for cluster in found.clusters)
    return replace(view, recalled=ids, event_types=found.event_types, stress=found.stress)


def recalls(limits: Limits) -> bool:
    """Whether the limits let memory tighten anything, be it in shadow."""
    return limits.memory.tightening_floor is not None and limits.rule_mode(RuleName.MEMORY) is not RuleMode.OFF
