"""Going on after a restore: two people declare the gap, and every later checkpoint says it."""

import base64
from dataclasses import dataclass

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.ledger import gaps, head, tree_of
from mia_site.audit.models import Continuation
from mia_site.audit.publishing import published_newest


class ContinuationRefused(RuntimeError):
    """There is nothing to continue, or these two may not declare it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a continuation would declare: leaves here that the outside agrees with, and leaves known outside."""

    kept: int
    lost: int
    root: bytes
    note: str


def situation() -> Situation:
    """Raises `ContinuationRefused` unless the published checkpoint is ahead of this database, which it contains."""
    published = published_newest(verifier_keys())
    newest, declared = head(), gaps()
    size = newest.size if newest else 0
    if published is None:
        raise ContinuationRefused("no checkpoint is published: there is nothing to go on from")
    outside, note = published
    if outside.gaps != declared:
        raise ContinuationRefused("the published checkpoint declares other restores than this database")
    if outside.size <= size:
        held = tree_of(size).root(outside.size) == outside.root
        raise ContinuationRefused(
            "this database holds everything that was published: go on without a declaration"
            if held
            else "this database is not an earlier state of what was published, it is another: it cannot go on"
        )
    return Situation(size, outside.size, outside.root, note)


def ledger_continue(*, reason: str, asked_by: Actor, agreed_by: Actor) -> Continuation:
    """Declares the gap (`reason` up to 2,000 characters). Raises `ContinuationRefused`."""
    if str(asked_by) == str(agreed_by):
        raise ContinuationRefused("two people declare a gap, and these are one")
    if not reason.strip() or len(reason) > 2000:
        raise ContinuationRefused("a reason in words, at most 2,000 characters")
    with transaction.atomic():
        now = situation()
        fact = Continuation(
            kept=now.kept, lost=now.lost, root=base64.b64encode(now.root).decode(), note=now.note,
            reason=reason.strip(), asked_by=str(asked_by), agreed_by=str(agreed_by),
        )  # fmt: skip
        facts_record([fact], actor=asked_by, why=reason.strip())
    return fact
