"""Recall: which clusters of the market memory speak about now, and how strained a market they remember."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from risk.rules.facts import ClusterView, EventView
from risk.rules.limits import MemoryLimits
from risk.rules.overtrade import correlation_share

NEAR_BEFORE, NEAR_AFTER = timedelta(hours=24), timedelta(hours=1)
"""An event is near from a day before it until an hour after its end."""
STRESS_STEP = Decimal("1e-6")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """The clusters that count, newest first, the types of near events that chose them (none: all do), and the stress
    that they remember, 0..1."""

    clusters: tuple[ClusterView, ...]
    event_types: tuple[str, ...]
    stress: Decimal


def recall(
    clusters: Iterable[ClusterView], events: Iterable[EventView], now: datetime, limits: MemoryLimits
) -> Recalled:
    """Return what is remembered at `now`: clusters of the types of near events, else of every type.

    Clusters dated after `now`, and those older than `memory.recall_days`, are not recalled.
    """
    oldest = now - timedelta(days=limits.recall_days)
    known = [cluster for cluster in clusters if oldest <= cluster.at <= now]
    near = near_types(events, now)
    alike = [cluster for cluster in known if any(same_type(cluster.event_type, name) for name in near)]
    chosen = alike or known
    return Recalled(
        clusters=tuple(chosen),
        event_types=near if alike else (),
        stress=stress(chosen, now, timedelta(days=limits.half_life_days)),
    )


def stress(clusters: Sequence[ClusterView], now: datetime, half_life: timedelta) -> Decimal:
    """Return how strained a market the clusters remember: sum(w s) / max(1, sum(w)), 0..1.

    w is a cluster's confidence (0..1), halved each `half_life` of its age; s its VIX-ES correlation, clipped to 0..1,
    0.5 where it states none. Memories that together weigh less than one whole count that much less.
    """
    weights = [_confidence(cluster) * 0.5 ** ((now - cluster.at) / half_life) for cluster in clusters]
    strains = [correlation_share(cluster.vix_es_correlation) for cluster in clusters]
    strained = math.fsum(weight * strain for weight, strain in zip(weights, strains, strict=True))
    return Decimal(min(1.0, strained / max(1.0, math.fsum(weights)))).quantize(STRESS_STEP)


def near_types(events: Iterable[EventView], now: datetime) -> tuple[str, ...]:
    """Return the types of the events that are active or come within a day, in the calendar's order."""
    near = (
        event.event_type
        for event in events
        if event.start_at is not None
        and event.start_at - NEAR_BEFORE <= now <= (event.end_at or event.start_at) + NEAR_AFTER
    )
    return tuple(dict.fromkeys(near))


def same_type(remembered: str, name: str) -> bool:
    """Return whether a cluster's type and an event's are the same, or one stands in the other ("CPI", "US CPI m/m")."""
    one, other = remembered.strip().casefold(), name.strip().casefold()
    return bool(one and other) and (one in other or other in one)


def _confidence(cluster: ClusterView) -> float:
    return min(1.0, max(0.0, cluster.confidence)) if math.isfinite(cluster.confidence) else 1.0
