"""The documents as tests read them: blocks by their mark, sections by their heading."""

import re
from pathlib import Path

from tests.environment import ROOT

DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def block(text: str, mark: str) -> str:
    """The fenced block directly under `<!-- mark -->`."""
    found = re.search(rf"^<!-- {mark} -->\n```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"there is no block under <!-- {mark} -->"
    return found[1]


def sections(text: str, level: int) -> dict[str, str]:
    """Heading of that level -> the text below it, to the next heading of that level or above."""
    parts = re.split(rf"^(#{{1,{level}}}) (.+)$", text, flags=re.MULTILINE)
    found = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return {heading: body for marks, heading, body in found if len(marks) == level}


def table_cells(text: str, column: int = 0) -> list[str]:
    """The cells of one column of the tables in `text`, without their headers."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]
    heads = {index for index, row in enumerate(rows) if set(row[0]) <= {"-", "|"}}
    return [row[column] for index, row in enumerate(rows) if index not in heads and index + 1 not in heads]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))
