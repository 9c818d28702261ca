"""Equity points have no journal entries of their own: the entry of their batch commits to all of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from mia_site.audit.verification.findings import Finding
from risk.equity import points_digest
from risk.models import EquityBatch, EquityPoint


def batch_findings(batches: Sequence[EquityBatch]) -> Iterator[Finding]:
    """Batches whose points are no longer those that were recorded."""
    points: dict[UUID, list[EquityPoint]] = defaultdict(list)
    rows = EquityPoint.objects.filter(
        account_id__in={batch.account_id for batch in batches}, seq__in={batch.seq for batch in batches}
    )
    for row in rows.order_by("account_id", "seq", "ordinal"):
        points[row.batch_id].append(row)
    for batch in batches:
        found = points_digest(points[batch.pk])
        if found != batch.digest:
            yield Finding("companion_changed", f"points of risk.equitybatch {batch.pk}", "digest", batch.digest, found)
