"""A synthetic market memory: how the market is said to have behaved around past events."""

from collections.abc import Sequence
from datetime import timedelta

from decisions.demo.sessions import Session
from risk.sources.records import ClusterRecord

# Days before the week, event, VIX-ES correlation, confidence.
STORIES = (
    (40, "FOMC statement (synthetic)", -0.62, 0.81),
    (33, "Payrolls (synthetic)", -0.35, 0.74),
    (26, "CPI (synthetic)", 0.18, 0.69),
    (19, "FOMC minutes (synthetic)", -0.48, 0.77),
    (12, "Retail sales (synthetic)", 0.22, 0.58),
    (5, "CPI (synthetic)", 0.31, 0.66),
)


def memory_clusters(sessions: Sequence[Session]) -> list[ClusterRecord]:
    """Clusters dated before the synthetic week, so that all of it was judged with them."""
    return [
        ClusterRecord(
            source_id=f"demo-{number}",
            event_type=event,
            features={"synthetic": True, "vix_es_correlation": correlation, "duration_minutes": 30 + 5 * number},
            at=sessions[0].opens_at - timedelta(days=days),
            confidence=confidence,
            vix_es_correlation=correlation,
        )
        for number, (days, event, correlation, confidence) in enumerate(STORIES, 1)
    ]
