"""Signed notes: those in the database, and those that were published outside it."""

from collections.abc import Iterator

from mia_site.audit.checkpoint import CheckpointError, Gap, Head, head_parse
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.ledger import gaps, tree_of
from mia_site.audit.models import Checkpoint
from mia_site.audit.note import NoteError, open_note
from mia_site.audit.publishing import published_all, rank
from mia_site.audit.tree import Tree
from mia_site.audit.verification.findings import Finding, Position, Stage, Step

STRETCH = 2_000


def notes_run(position: Position) -> Step:
    """The next checkpoints, by number: none is missing, each is signed and says what its columns say."""
    after = int(position.get("number", 0))
    rows = list(Checkpoint.objects.filter(number__gt=after).order_by("number")[:STRETCH])
    keys = verifier_keys()
    findings = []
    for row in rows:
        if row.number != after + 1:
            findings.append(
                Finding(
                    "checkpoint_missing", f"checkpoint number {after + 1}", "number", str(after + 1), str(row.number)
                )
            )
        after = row.number
        findings += _note_findings(row, keys)
    return Step({"number": after} if rows else None, len(rows), findings)


def _note_findings(row: Checkpoint, keys: list[str]) -> Iterator[Finding]:
    where = f"checkpoint {row.size}"
    try:
        head = _head(row.note, keys)
    except (NoteError, CheckpointError) as error:
        yield Finding("note_invalid", where, "note", "signed by a key of the desk", str(error))
        return
    for name, expected, found in (
        ("size", str(head.size), str(row.size)),
        ("root", head.root.hex(), bytes(row.root).hex()),
        ("sealed_at", head.at.isoformat(), row.sealed_at.isoformat()),
    ):
        if expected != found:
            yield Finding("column_changed", where, name, expected, found)


def _head(note: str, keys: list[str]) -> Head:
    trouble: Exception = NoteError("no key is known")
    for key in keys:
        try:
            return head_parse(open_note(note, key))
        except NoteError as error:
            trouble = error
    raise trouble


def outside_run(position: Position) -> Step:
    """Every note that was published outside still holds for the tree in this database, or lies in a declared gap."""
    del position
    newest = Checkpoint.objects.order_by("-size").first()
    tree, declared = tree_of(newest.size if newest else 0), gaps()
    here = (len(declared), tree.size)
    findings, checked = [], 0
    for path, told in published_all(verifier_keys()):
        checked += 1
        if told is None:
            findings.append(
                Finding("note_invalid", f"published {path.name}", "note", "signed by a key of the desk", "")
            )
            continue
        head = told[0]
        if head.gaps != declared[: len(head.gaps)]:
            findings.append(Finding("rolled_back", f"published {path.name}", "restores", str(len(head.gaps)), ""))
        elif rank(head) > here:
            findings.append(Finding("rolled_back", f"published {path.name}", "size", str(head.size), str(tree.size)))
        elif not _lost(head, declared) and not _holds(tree, head):
            findings.append(Finding("rewritten", f"published {path.name}", "root", head.root.hex(), "another"))
    return Step(None, checked, findings)


def _lost(head: Head, declared: tuple[Gap, ...]) -> bool:
    """Whether the note tells of leaves that a later, declared restore lost."""
    return any(head.size > gap.kept for gap in declared[len(head.gaps) :])


def _holds(tree: Tree, head: Head) -> bool:
    try:
        return tree.root(head.size) == head.root
    except LookupError:
        return False


NOTES = Stage("checkpoints", False, notes_run, Checkpoint.objects.count)
OUTSIDE = Stage("published checkpoints", False, outside_run, lambda: 0)
