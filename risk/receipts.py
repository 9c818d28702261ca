"""Receipts as the API answers with them."""

import base64
from collections.abc import Sequence

import msgspec

from mia_site.audit.journal import Leaf
from mia_site.audit.receipts import receipt_sign
from mia_site.ops.clock import database_now


class Receipt(msgspec.Struct, frozen=True):
    """`leaf_hash` (base64) of the entry, and the signed note that promises to include every leaf of the request."""

    entry_id: str
    leaf_hash: str
    note: str


def receipt_of(leaves: Sequence[Leaf], note: str = "") -> Receipt | None:
    """The receipt of the first of `leaves`; None where nothing was written. Signs where no `note` is given."""
    if not leaves:
        return None
    first = leaves[0]
    return Receipt(
        entry_id=str(first.entry_id),
        leaf_hash=base64.b64encode(first.leaf_hash).decode(),
        note=note or receipt_sign(leaves, database_now()),
    )
