"""The story of one object, told by the journal: who did what to it, when and why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_noop

from mia_site.audit.admin.names import actor_names
from mia_site.audit.admin.rendering import flattened
from mia_site.audit.models import Entry
from mia_site.ops.sentences import sentence_told

KIND_NAMES: dict[str, str] = {
    "account_opened": gettext_noop("account opened"),
    "client_created": gettext_noop("client created"),
    "token_issued": gettext_noop("token issued"),
    "tokens_revoked": gettext_noop("tokens revoked"),
    "halt_right_changed": gettext_noop("right to stop trading changed"),
    "created": gettext_noop("created"),
    "changed": gettext_noop("changed"),
    "deleted": gettext_noop("deleted"),
    "exported": gettext_noop("exported"),
    "acknowledged": gettext_noop("acknowledged"),
    "access_changed": gettext_noop("access changed"),
    "logged_in": gettext_noop("logged in"),
    "logged_out": gettext_noop("logged out"),
    "login_failed": gettext_noop("login failed"),
    "evidence_taken": gettext_noop("evidence taken"),
    "erased": gettext_noop("erased"),
}
"""Actions on objects that are not facts; a fact is called by the name of its table."""


@dataclass(frozen=True, slots=True)
class Line:
    """One journal entry, ready to be shown. `changes`: (name, before, after)."""

    entry_id: UUID
    at: datetime
    kind: str
    who: str
    why: str
    changes: list[tuple[str, str, str]]
    values: list[tuple[str, str]]


def history_lines(entries: Iterable[Entry]) -> list[Line]:
    """The entries as lines, in their order; names of people are read in one query."""
    rows = list(entries)
    names = actor_names(row.actor for row in rows)
    return [_line(row, names[row.actor]) for row in rows]


def _line(entry: Entry, who: str) -> Line:
    fact = entry_document(entry).get("fact") or {}
    changed = is_change(fact)
    return Line(
        entry_id=entry.pk,
        at=entry.recorded_at,
        kind=entry.kind_name,
        who=who,
        why=sentence_told(entry.why),
        changes=changes_of(fact) if changed else [],
        values=[] if changed else flattened(fact),
    )


def entry_document(entry: Entry) -> dict[str, Any]:
    """The record that the entry's canonical text spells."""
    document: dict[str, Any] = json.loads(entry.body)
    return document


def is_change(fact: Mapping[str, Any]) -> bool:
    """Whether a record tells of a change of something mutable, not of a fact."""
    return set(fact) == {"before", "after"}


def changes_of(fact: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(name, before, after) of every value that a change names, nested ones by their dotted path."""
    old, new = dict(flattened(fact["before"] or {})), dict(flattened(fact["after"] or {}))
    return [(name, old.get(name, ""), new.get(name, "")) for name in dict.fromkeys([*old, *new])]
