"""Evidence as a file to hand over: the document alone, or a bundle with what checks it."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

OFFLINE = Path(__file__).parent / "offline"
VERIFIERS = "verify_evidence.*"


def document_bytes(document: dict[str, Any]) -> bytes:
    """The document as JSON, readable, ending in a newline.

    Its last member is the SHA-256 of everything before it. That proves nothing to anybody, but a slip of the hand in
    what no proof covers (the time it was made, a label) shows too: one byte changed, and no verifier takes it.
    """
    body = json.dumps(document, indent=1, ensure_ascii=False).removesuffix("\n}").encode()
    return body + b',\n "sha256": "' + hashlib.sha256(body).hexdigest().encode() + b'"\n}\n'


def bundle_bytes(document: dict[str, Any], vkeys: list[str]) -> bytes:
    """A zip of the evidence, both verifiers, and a note on how to use them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("evidence.json", document_bytes(document))
        for verifier in sorted(OFFLINE.glob(VERIFIERS)):
            archive.write(verifier, verifier.name)
        archive.writestr("README.txt", readme(vkeys))
    return packed.getvalue()


def readme(vkeys: list[str]) -> str:
    """How to check the bundle, in the reader's language."""
    lines = [
        _("Evidence of MIA Risk Desk: evidence.json. To check it, without a network:"),
        "",
        "  python3 verify_evidence.py evidence.json --key 'VKEY'",
        "",
        _("or open verify_evidence.html in a browser and drop evidence.json into it."),
        _("VKEY is the ledger's verifier key. Take it from somebody you trust, not from this bundle."),
        _("For comparison, this desk says that it has signed with:"),
        "",
        *(f"  {vkey}" for vkey in vkeys),
    ]
    return "\n".join(lines) + "\n"
