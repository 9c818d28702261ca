"""Evidence that was handed out is itself in the record: who took what."""

import json
from typing import Any

from mia_site.audit.actors import Actor
from mia_site.audit.journal import change_record
from mia_site.audit.models import Entry


def evidence_record(document: dict[str, Any], *, actor: Actor) -> None:
    """Journals that somebody took evidence."""
    subject = next((json.loads(item["record"]) for item in document["entries"] if item["role"] == "record"), None)
    entry = Entry() if subject is None else Entry(id=subject["id"])
    change_record(
        entry, action="evidence_taken", actor=actor, account=subject["account"] if subject else "",
        after={"format": document["format"], "object": subject["object"] if subject else "a receipt"},
    )  # fmt: skip
