"""Receipts: a signed promise to include entries in the ledger within a stated time."""

import base64
from collections.abc import Sequence
from datetime import datetime, timedelta

from mia_site.audit.canonical import timestamp
from mia_site.audit.journal import Leaf
from mia_site.audit.keys import receipt_signer
from mia_site.audit.models import Entry
from mia_site.ops.facts import Fact

PROMISE = timedelta(minutes=5)
"""How long sealing may take before an unfulfilled receipt is evidence against the desk."""


def receipt_text(leaves: Sequence[Leaf], at: datetime) -> str:
    """The promise: origin, time, deadline, number of entries, then one line ``entry id  base64 leaf hash`` each."""
    lines = [
        receipt_signer().name,
        f"issued {timestamp(at)}",
        f"include-by {timestamp(at + PROMISE)}",
        f"entries {len(leaves)}",
        *(f"{leaf.entry_id} {base64.b64encode(leaf.leaf_hash).decode()}" for leaf in leaves),
    ]
    return "\n".join(lines) + "\n"


def receipt_sign(leaves: Sequence[Leaf], at: datetime) -> str:
    """One signed note (C2SP) for all `leaves`, issued `at`."""
    return receipt_signer().sign(receipt_text(leaves, at))


def receipt_again(fact: Fact) -> tuple[Leaf, str]:
    """The leaf of a fact that is recorded already, and a receipt as of then: for who tells the same a second time."""
    leaf = Leaf(fact.id, bytes(Entry.objects.get(id=fact.id).leaf_hash))
    return leaf, receipt_sign([leaf], fact.recorded_at)
