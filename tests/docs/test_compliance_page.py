"""docs/compliance.md and docs/auditability.md: the tests they name exist, the commands they show do what they say."""

import ast
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from mia_site.audit.canonical import leaf_hash
from mia_site.audit.key_facts import verifier_keys
from mia_site.audit.models import Checkpoint, Entry
from tests.audit.ledgers import ledger_grow
from tests.environment import ROOT

PAGES = [ROOT / "docs" / name for name in ("compliance.md", "auditability.md")]
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@cache
def names_in(path: str) -> set[str]:
    """Names of the test functions in a file."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_test_that_is_named_exists(page: Path) -> None:
    named = NAMED.findall(page.read_text(encoding="utf-8"))

    missing = [f"{path}::{name}" for path, name in named if name and name not in names_in(path)]

    assert len(named) >= 10
    assert missing == []
    assert all((ROOT / path).is_file() for path, _name in named)


def test_a_clause_is_shown_by_a_test_or_is_somebody_elses_job_and_says_where_it_was_read() -> None:
    page = PAGES[0].read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.partition("## Rules,")[2].splitlines() if line[:2] == "| "]
    clauses = [row for row in rows if row[-1] != "read"]

    assert len(clauses) > 30
    for *_, shown, read in clauses:
        assert NAMED.search(shown) or "operator's job" in shown or shown == "—", shown
        assert read in {"text", "about, unverified", "no, unverified"}, read


def test_the_score_is_the_sum_of_its_rows() -> None:
    page = PAGES[1].read_text(encoding="utf-8").partition("## Score")[2]
    scores = [int(found) for found in re.findall(r"^\| [a-z -]+ \| ([012]) \|", page, re.MULTILINE)]

    assert len(scores) == 10
    assert f"\n{sum(scores)} of 20.\n" in page


def block(name: str) -> str:
    """The commands under ``<!-- name -->``."""
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", PAGES[0].read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


def shell(commands: str, folder: Path, **variables: str) -> tuple[int, str]:
    """Runs them as they are pasted."""
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **variables}
    told = subprocess.run(
        ["sh", "-c", commands], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return told.returncode, told.stdout


@pytest.mark.django_db
def test_openssl_verifies_a_checkpoint_as_the_page_says(outside: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    ledger_grow(3)
    note, key = Checkpoint.objects.latest("number").note, verifier_keys()[0]
    (tmp_path / "checkpoint.note").write_text(note, encoding="utf-8")

    assert shell(block("openssl"), tmp_path, VKEY=key) == (0, "Signature Verified Successfully\n")

    (tmp_path / "checkpoint.note").write_text(note.replace("time 2", "time 3"), encoding="utf-8")
    assert shell(block("openssl"), tmp_path, VKEY=key)[0] == 1


@pytest.mark.django_db
def test_coreutils_give_the_leaf_as_the_page_says(outside: Path, tmp_path: Path) -> None:
    ledger_grow(1)
    body = Entry.objects.latest("id").body.encode()
    (tmp_path / "record").write_bytes(body)

    assert shell(block("leaf"), tmp_path)[1].split()[0] == leaf_hash(body).hex()
