"""Inclusion proofs as text: https://c2sp.org/tlog-proof, version 1. Pure."""

import base64
from collections.abc import Sequence

HEADER = "c2sp.org/tlog-proof@v1"


def proof_text(index: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """The proof that leaf `index` is in the tree of the signed `checkpoint`."""
    lines = [HEADER, f"index {index}", *(base64.b64encode(value).decode() for value in proof)]
    return "\n".join(lines) + f"\n\n{checkpoint}"
