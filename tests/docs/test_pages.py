"""The documents among themselves: what they name exists, what exists is named."""

import re

from tests.docs.pages import DOCS, page, relative, sections, table_cells
from tests.environment import ROOT


def test_every_dependency_has_its_reason() -> None:
    lines = page("requirements.txt").splitlines()
    wanted = {re.split(r"[\[=;<>]", line)[0] for line in lines if line and not line.startswith("#")}
    listed = {cell.strip("`") for cell in table_cells(sections(page("docs/architecture.md"), 2)["Dependencies"])}
    assert listed == wanted


def test_every_test_that_is_named_exists() -> None:
    named = {
        (relative(path), *match)
        for path in DOCS
        for match in re.findall(r"(tests/[\w/]+\.py)(?:::(\w+))?", path.read_text(encoding="utf-8"))
    }
    wrong = [
        (document, test, name)
        for document, test, name in named
        if not (ROOT / test).is_file() or (name and f"def {name}(" not in page(test))
    ]
    assert named
    assert wrong == []


def test_every_link_to_a_file_leads_somewhere() -> None:
    wrong = [
        (relative(path), target)
        for path in DOCS
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))
        if not (path.parent / target).exists()
    ]
    assert wrong == []


def test_every_document_that_the_code_names_exists() -> None:
    sources = [path for app in ("mia_site", "risk", "decisions") for path in (ROOT / app).rglob("*.py")]
    named = {name for path in sources for name in re.findall(r"docs/[\w/]+", path.read_text(encoding="utf-8"))}
    wrong = [name for name in named if not any(relative(path).startswith(name) for path in DOCS)]
    assert wrong == []
