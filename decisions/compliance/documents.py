"""Documents against the code: generated files, reason codes, alert codes."""

import csv
import re
from datetime import UTC, datetime
from pathlib import Path

from django.utils.translation import gettext as _

from decisions.compliance.alert_codes import codes_raised
from decisions.compliance.found import Found
from decisions.compliance.words import code_files
from decisions.export import COLUMNS, tree_parts
from mia_site.ops.alert_texts import alert_codes
from mia_site.ops.channels import Message
from mia_site.ops.models import Alert
from risk.export import Period
from risk.models import Account
from risk.rules.codes import ReasonCode
from risk.sources.risk_snapshot import KEYS

REGISTRY = "docs/registry.md"
REASONS = "docs/reasons.md"
SNAPSHOT = "risk_YYYYMMDD_HHMMSS.json"
DECISIONS = "decisions-CODE.csv"
ALERTS = "alerts/critical.log"
_SECTION = re.compile(r"^### `(?P<path>[^`]+)`$(?P<body>.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^\| `(?P<name>[^`]+)` \|", re.MULTILINE)


def schemas_written() -> dict[str, tuple[str, ...]]:
    """Every generated file with a schema of its own -> its columns or keys, as the code writes them."""
    parts = tree_parts(Account(), Period())
    files = {part.path: tuple(next(csv.reader([part.header.decode()]))) for part in parts if part.header is not None}
    folders = {f"{part.path}/{SNAPSHOT}": KEYS for part in parts if part.header is None}
    message = Message("", "", 1, "", "", {}, datetime(2025, 5, 13, tzinfo=UTC), 0)
    exported = tuple(column.name for column in COLUMNS)
    return {**files, **folders, DECISIONS: exported, ALERTS: tuple(message.as_dict())}


def schemas_documented(text: str) -> dict[str, tuple[str, ...]]:
    """The same, read from the registry: one section a file, one row of its table a column."""
    return {
        section["path"]: tuple(row["name"] for row in _COLUMN.finditer(section["body"]))
        for section in _SECTION.finditer(text)
    }


def generated_files(base_dir: Path) -> Found:
    """Each generated file is in the registry, with the columns that are written, in their order."""
    written = schemas_written()
    documented = schemas_documented((base_dir / REGISTRY).read_text(encoding="utf-8"))
    wrong = [
        f"{path}: {', '.join(written.get(path, ())) or '-'} <> {', '.join(documented.get(path, ())) or '-'}"
        for path in sorted(written.keys() | documented.keys())
        if written.get(path) != documented.get(path)
    ]
    fine = _("written as documented; files: %(count)d") % {"count": len(written)}
    return Found(wrong, fine, _("correct the section of the file in %(path)s") % {"path": REGISTRY})


def reason_codes(base_dir: Path) -> Found:
    """Each code has its row in the table and its section."""
    text = (base_dir / REASONS).read_text(encoding="utf-8")
    documented = set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) & set(
        re.findall(r"^\| (\w+) \|", text, re.MULTILINE)
    )
    wrong = [code.value for code in ReasonCode if code.value not in documented]
    fine = _("each is documented; codes: %(count)d") % {"count": len(ReasonCode)}
    return Found(wrong, fine, _("describe them in %(path)s") % {"path": REASONS})


def alert_texts(base_dir: Path) -> Found:
    """Each code that the code raises, or that was ever raised on this desk, has a sentence."""
    known = alert_codes()
    raised = codes_raised(path for path in code_files(base_dir) if path.suffix == ".py")
    recorded = set(Alert.objects.order_by().values_list("code", flat=True).distinct())
    wrong = sorted((raised | recorded) - known.keys())
    fine = _("each has its sentence; codes: %(count)d") % {"count": len(known)}
    return Found(wrong, fine, _("register a sentence: alert_texts_register"))
