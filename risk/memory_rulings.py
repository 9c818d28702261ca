"""Write services of proposed memories: offered once for each account and event, a cluster only where staff accept."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.canonical import canonical_bytes
from mia_site.audit.journal import facts_record
from mia_site.ops.clock import database_now
from risk.inputs import InputError, reason_check
from risk.locking import calendar_lock
from risk.models import Account, Cluster, MacroEvent, MemoryProposal, MemoryRuling

CONFIDENCE = 0.5
"""What one event of one account is worth, until somebody says more."""


def memory_propose(
    account: Account, event: MacroEvent, at: datetime, features: Mapping[str, Any], *, actor: Actor
) -> MemoryProposal | None:
    """Offer what happened to the account around `event`; None where it was offered before."""
    with transaction.atomic():
        calendar_lock()
        known = MemoryProposal.objects.filter(account=account, event_id=event.id, at=at)
        if known.exists():
            return None
        proposal = MemoryProposal(
            account=account, event_id=event.id, event_type=event.event_type, at=at, features=dict(features),
            confidence=CONFIDENCE, recorded_at=database_now(),
        )  # fmt: skip
        facts_record([proposal], actor=actor, account=account.code)
    return proposal


def memory_decide(proposal: MemoryProposal, *, accept: bool, actor: Actor, reason: str) -> MemoryRuling:
    """Accept a proposed memory as a cluster, or refuse it; once. Raises `InputError`."""
    reason = reason_check(reason)
    with transaction.atomic():
        calendar_lock()
        proposal = MemoryProposal.objects.select_related("account").get(id=proposal.id)
        if hasattr(proposal, "ruling"):
            raise InputError("proposal", str(proposal), "a proposed memory that nobody has ruled on")
        now = database_now()
        cluster = _cluster(proposal, now) if accept else None
        ruling = MemoryRuling(
            proposal=proposal, accepted=accept, cluster_id=cluster.id if cluster else None, actor=str(actor),
            reason=reason, recorded_at=now,
        )  # fmt: skip
        facts_record([*([cluster] if cluster else []), ruling], actor=actor, account=proposal.account.code, why=reason)
    return ruling


def _cluster(proposal: MemoryProposal, now: datetime) -> Cluster:
    content = hashlib.sha256(canonical_bytes({"proposal": proposal.id, "features": proposal.features})).hexdigest()
    return Cluster(
        source_id=f"desk:{proposal.id}", event_type=proposal.event_type, features=proposal.features, at=proposal.at,
        confidence=proposal.confidence, content=content, recorded_at=now,
    )  # fmt: skip
