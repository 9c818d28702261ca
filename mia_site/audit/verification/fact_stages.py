"""Deep: every column against the canonical text, every entry against its fact and back, the queue, the commitments."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
from django.apps import apps
from django.db import models

from mia_site.audit.canonical import NotCanonical, normalise
from mia_site.audit.journal import canonical_fields, personal_commitment
from mia_site.audit.models import Entry, LedgerLeaf, PendingEntry, PersonalData
from mia_site.audit.verification.findings import Finding, Position, Stage, Step, commitment_of
from mia_site.ops.append_only import fact_models
from mia_site.ops.facts import Fact
from mia_site.ops.ids import uuid7_time

STRETCH = 1_000
CLOCKS_APART = timedelta(minutes=5)
"""How far an id's time (the host's) and the time recorded (the database's) may be apart."""
COPIES = {"kind": "kind_name", "account": "account", "actor": "actor", "why": "why", "request_id": "request_id"}


def _page(rows: models.QuerySet[Any], position: Position) -> models.QuerySet[Any]:
    after = position.get("after")
    return (rows.filter(pk__gt=after) if after else rows).order_by("pk")[:STRETCH]


def _span(rows: Sequence[Any]) -> tuple[UUID, UUID]:
    """The first and the last id: a range is asked for at once, a thousand ids are each written, sent and parsed."""
    return (rows[0].pk, rows[-1].pk) if rows else (UUID(int=0), UUID(int=0))


def _step(rows: Sequence[Any], findings: list[Finding]) -> Step:
    return Step({"after": str(rows[-1].pk)} if rows else None, len(rows), findings)


def queue_run(position: Position) -> Step:
    """What waits for the ledger is what was recorded, and has no place there yet."""
    rows = list(_page(PendingEntry.objects.all(), position))
    ids = [row.entry_id for row in rows]
    entries = Entry.objects.in_bulk(ids)
    placed = set(LedgerLeaf.objects.filter(entry_id__in=ids).values_list("entry_id", flat=True))
    findings = []
    for row in rows:
        entry = entries.get(row.entry_id)
        if entry is None:
            findings.append(Finding("entry_missing", f"entry {row.entry_id} (waiting)"))
        elif bytes(entry.leaf_hash) != bytes(row.leaf_hash):
            expected, found = bytes(entry.leaf_hash).hex(), bytes(row.leaf_hash).hex()
            findings.append(Finding("column_changed", f"waiting {row.entry_id}", "leaf_hash", expected, found))
        if row.entry_id in placed:
            findings.append(Finding("placed_and_waiting", f"entry {row.entry_id}"))
    return _step(rows, findings)


def entries_run(position: Position) -> Step:
    """Each entry: its columns say what its text says, it has a place or waits for one, and its fact is there."""
    rows = list(_page(Entry.objects.all(), position))
    span = _span(rows)
    placed = set(LedgerLeaf.objects.filter(entry_id__range=span).values_list("entry_id", flat=True))
    placed |= set(PendingEntry.objects.filter(entry_id__range=span).values_list("entry_id", flat=True))
    personal = {row.entry_id: row for row in PersonalData.objects.filter(entry_id__range=span)}
    findings: list[Finding] = []
    for row in rows:
        findings += _entry_findings(row, personal.get(row.pk))
        if row.pk not in placed:
            findings.append(Finding("not_queued", f"entry {row.pk}", "", "a place in the ledger, or in its queue", ""))
    findings += _facts_missing(rows)
    return _step(rows, findings)


def _entry_findings(row: Entry, personal: PersonalData | None) -> Iterator[Finding]:
    try:
        record = orjson.loads(row.body)
    except ValueError:
        yield Finding("text_changed", f"entry {row.pk}", "body", "JSON", row.body[:80])
        return
    expected = {column: record.get(name) for name, column in COPIES.items()}
    expected |= {"id": record.get("id"), "object": record.get("object"), "recorded_at": record.get("at")}
    found = {column: getattr(row, column) for column in COPIES.values()}
    found |= {"id": row.pk, "object": f"{row.object_type}:{row.object_id}", "recorded_at": row.recorded_at}
    yield from _differences("entry", row, expected, found)
    at = uuid7_time(row.pk)
    if abs(at - row.recorded_at) > CLOCKS_APART:
        yield Finding("dated_back", f"entry {row.pk}", "recorded_at", str(at), str(row.recorded_at))
    if personal is not None and personal_commitment(personal) != record.get("personal"):
        where, told = f"personal data of entry {row.pk}", str(record.get("personal"))
        yield Finding("column_changed", where, "data", told, "another")


def _facts_missing(rows: Sequence[Entry]) -> Iterator[Finding]:
    by_model: dict[str, list[Entry]] = {}
    for row in rows:
        by_model.setdefault(row.object_type, []).append(row)
    labels = {model._meta.label_lower: model for model in fact_models() if model is not Entry}
    for label, entries in by_model.items():
        if label not in labels:
            continue
        facts = labels[label]._default_manager.filter(pk__range=_span(entries))
        present = set(facts.values_list("pk", flat=True))
        for row in entries:
            if row.kind_name == labels[label].kind and row.pk not in present:
                yield Finding("fact_missing", f"{label} {row.pk}", "", "the fact of its entry", "")


def facts_run(label: str, position: Position) -> Step:
    """Each row of one kind of fact: it has its entry, and every column is as the entry's text has it."""
    model = apps.get_model(label)
    page = _page(model._default_manager.all(), position)
    rows = list(page)
    bodies = dict(Entry.objects.filter(pk__in=page.values("pk")).values_list("pk", "body"))
    check = commitment_of(label)
    findings: list[Finding] = []
    for row in rows:
        findings += _fact_findings(label, row, bodies)
    if check is not None:
        findings += check(rows)
    return _step(rows, findings)


def _fact_findings(label: str, row: Fact, bodies: Mapping[UUID, str]) -> Iterator[Finding]:
    if row.pk not in bodies:
        yield Finding("entry_missing", f"{label} {row.pk}", "", "a journal entry", "")
        return
    expected = orjson.loads(bodies[row.pk]).get("fact")
    yield from _differences(label, row, expected if isinstance(expected, dict) else {}, canonical_fields(row))


def _differences(what: str, row: Fact, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[Finding]:
    with suppress(NotCanonical):  # a value that has no canonical form differs too, and is named below
        if normalise(found) == expected:
            return
    for name in sorted(expected.keys() | found.keys()):
        told, here = expected.get(name), _plain(found.get(name))
        if told != here:
            yield Finding("column_changed", f"{what} {row.pk}", name, _text(told), _text(here))


def _plain(value: Any) -> Any:
    """A value as the canonical text spells it."""
    try:
        return normalise(value)
    except NotCanonical as error:
        return f"not canonical: {error}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)


def _facts_stage(model: type[Fact]) -> Stage:
    label = model._meta.label_lower
    return Stage(label, True, lambda position: facts_run(label, position), model._default_manager.count)


def fact_stages() -> list[Stage]:
    """One for each table of facts that have entries of their own."""
    return [_facts_stage(model) for model in _with_entries(fact_models())]


def _with_entries(found: Iterable[type[Fact]]) -> Iterator[type[Fact]]:
    return (model for model in found if model is not Entry and model.committed_by is None)


QUEUE = Stage("queue", False, queue_run, PendingEntry.objects.count)
ENTRIES = Stage("journal entries", True, entries_run, Entry.objects.count)
