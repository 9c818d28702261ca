"""Feature vectors have no journal entries of their own: the decision's entry commits to them."""

import hashlib
from collections.abc import Iterator, Sequence
from uuid import UUID

from decisions.models import Decision, DecisionFeatures
from mia_site.audit.evidence import Disclosure
from mia_site.audit.verification.findings import Finding


def vector_findings(decisions: Sequence[Decision]) -> Iterator[Finding]:
    """Vectors that are not what their decision committed to. One that was erased is no fault."""
    vectors = DecisionFeatures.objects.in_bulk([row.pk for row in decisions if row.feature_commitment])
    for decision in decisions:
        vector = vectors.get(decision.pk)
        if vector is None:
            continue
        found = hashlib.sha256(bytes(vector.salt) + bytes(vector.vector)).hexdigest()
        if found != decision.feature_commitment:
            where = f"features of decisions.decision {decision.pk}"
            yield Finding("companion_changed", where, "vector", decision.feature_commitment, found)


def vector_disclosed(decision_id: UUID) -> Disclosure | None:
    """The vector with its salt, for evidence; None where the decision had none, or it was erased."""
    row = DecisionFeatures.objects.filter(id=decision_id).select_related("feature_set").first()
    if row is None:
        return None
    told = {
        "set": row.feature_set.version,
        "packing": "little-endian float64, NaN = missing",
        "names": row.feature_set.names,
    }
    return Disclosure("feature_commitment", bytes(row.salt), bytes(row.vector), told)
