"""Market memory as the gate sees it."""

from datetime import datetime

from risk.models import Cluster
from risk.rules.types import MemoryView


def memory_view(now: datetime) -> MemoryView | None:
    """The newest cluster dated up to `now`; None where there is none (later ones are ignored)."""
    cluster = Cluster.objects.filter(at__lte=now).order_by("-at", "-id").first()
    if cluster is None:
        return None
    return MemoryView(cluster_ids=(str(cluster.id),), at=cluster.at, vix_es_correlation=cluster.vix_es_correlation)
