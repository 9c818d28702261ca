"""check_compliance: it passes on this repository and a fresh desk, and each check finds the fault planted for it."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from decisions.compliance import Check, compliance_run, documents
from decisions.compliance.alert_codes import codes_raised
from decisions.compliance.found import Found
from mia_site.ops.append_only import trigger_names
from risk.models import FeatureSet
from risk.sources.withdrawn import NAMES
from tests.environment import ROOT
from tests.factories import AlertFactory, DecisionFactory, FeatureSetFactory

pytestmark = pytest.mark.django_db
NOWHERE = ROOT / "nowhere"
"""No code and no documents: for checks of the rest."""
FEED = NAMES[0]
DOCUMENTS = ("docs/registry.md", "docs/reasons.md")
EVERY = {
    "code", "settings", "feature sets", "decisions", "generated files", "append-only triggers", "reason codes",
    "alert codes", "roles", "secrets",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _private_places(settings: Settings, tmp_path: Path) -> None:
    """A data directory and keys of the test's own, closed to others."""
    settings.DATA_DIR, settings.KEYS_DIR = tmp_path / "data", tmp_path / "data" / "keys"
    for folder in (Path(settings.DATA_DIR) / "secrets", Path(settings.KEYS_DIR)):
        folder.mkdir(mode=0o700, parents=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small code base that complies: one module, the real documents."""
    base = tmp_path / "tree"
    (base / "risk").mkdir(parents=True)
    (base / "risk" / "rule.py").write_text('"""A rule on the top 150 features."""\n')
    (base / "docs").mkdir()
    for name in DOCUMENTS:
        shutil.copy(ROOT / name, base / name)
    return base


def _check(name: str, base: Path = NOWHERE, **given: Any) -> Check:
    return next(check for check in compliance_run(base, **given) if check.name == name)


# The repository itself


def test_this_repository_complies() -> None:
    checks = compliance_run(ROOT)
    assert {check.name for check in checks} == EVERY
    assert [check for check in checks if not check.ok] == []
    assert all(check.detail and not check.fix for check in checks)


def test_a_small_tree_complies(tree: Path) -> None:
    assert [check for check in compliance_run(tree) if not check.ok] == []


# Code and settings


@pytest.mark.parametrize(
    "line",
    [f"{FEED}_bid = 1", f"from {NAMES[1]} import ticks", "320 features", "feature_count = 81", "n_features: 320"],
)
def test_a_withdrawn_word_in_the_code_is_found_with_its_place(tree: Path, line: str) -> None:
    (tree / "risk" / "feed.py").write_text(f'"""A feed."""\n\n{line}\n')
    check = _check("code", tree)
    assert not check.ok
    assert check.detail.startswith("risk/feed.py:3 ")


def test_the_numbers_alone_are_no_withdrawn_set(tree: Path) -> None:
    (tree / "risk" / "width.py").write_text("WIDTH = 320\nPORT = 81\n")
    assert _check("code", tree).ok


def test_no_code_at_all_does_not_comply(tmp_path: Path) -> None:
    assert not _check("code", tmp_path).ok


def test_a_code_file_that_is_no_text_fails_the_check_instead_of_it(tree: Path) -> None:
    (tree / "risk" / "broken.py").write_bytes(b"\xff\xfe")
    check = _check("code", tree)
    assert not check.ok
    assert check.detail.startswith("UnicodeDecodeError")


def test_a_setting_that_names_a_withdrawn_feed_is_named_and_its_value_is_not_shown(settings: Settings) -> None:
    settings.MARKET_SOURCES = {"primary": [f"{FEED}://user:secret@feed"]}
    check = _check("settings")
    assert (check.ok, check.detail) == (False, "MARKET_SOURCES")
    assert "secret" not in repr(check)


# Database


@pytest.mark.parametrize("size", [149, 320, 81])
def test_a_feature_set_of_a_size_that_nobody_chose_is_found(size: int) -> None:
    _set_of(size)
    check = _check("feature sets")
    assert (check.ok, check.detail) == (False, f"v1: {size} features")


def test_another_size_is_fine_where_it_was_chosen_unless_it_is_a_withdrawn_one() -> None:
    _set_of(40)
    assert _check("feature sets", feature_counts=[40]).ok
    _set_of(320, version=2)
    assert not _check("feature sets", feature_counts=[40, 320]).ok


def test_a_feature_of_a_withdrawn_feed_is_found() -> None:
    _set_of(150, first=f"{FEED}_imbalance")
    assert _check("feature sets").detail == f"v1: {FEED}_imbalance"


def _set_of(size: int, *, version: int = 1, first: str = "ofi_score") -> FeatureSet:
    names = [first, *(f"feature_{place:03d}" for place in range(1, size))]
    row: FeatureSet = FeatureSetFactory(version=version, count=size, names=names, importances=[0.01] * size)
    return row


@pytest.mark.parametrize("context", [{f"{FEED}_bid": 1.0}, {"features": {f"{FEED}_bid": 1.0}}])
def test_a_decision_that_carried_a_withdrawn_feature_is_found(context: dict[str, Any]) -> None:
    DecisionFactory(context={"vix": 17.2})
    bad = DecisionFactory(context=context)
    check = _check("decisions")
    assert (check.ok, check.detail) == (False, f"{bad.id}: {FEED}_bid")


def test_a_decision_that_carried_a_withdrawn_set_is_found() -> None:
    bad = DecisionFactory(context={"features": {f"f{place}": 0.5 for place in range(81)}})
    assert _check("decisions").detail == f"{bad.id}: 81 features"


def test_a_trigger_that_is_gone_is_named() -> None:
    name = trigger_names("risk_snapshot", connection.vendor)[0]
    on = "" if connection.vendor == "sqlite" else " ON risk_snapshot"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {name}{on}")
    check = _check("append-only triggers")
    assert (check.ok, check.detail, check.fix) == (False, name, "manage.py migrate")


def test_a_role_that_is_gone_is_named() -> None:
    Group.objects.get(name="risk approver").delete()
    assert _check("roles").detail == "missing: risk approver"


def test_a_role_that_may_write_facts_by_hand_is_found() -> None:
    may = Permission.objects.get(content_type__app_label="decisions", codename="change_decision")
    Group.objects.get(name="risk manager").permissions.add(may)
    assert _check("roles").detail == "risk manager: decisions.change_decision"


def test_a_secret_that_others_can_read_is_found(settings: Settings) -> None:
    path = Path(settings.DATA_DIR) / "secrets" / "django"
    path.write_text("secret")
    path.chmod(0o644)
    check = _check("secrets")
    assert (check.ok, check.detail) == (False, f"{path} 644")
    path.chmod(0o600)
    assert _check("secrets").ok


def test_a_folder_of_keys_that_others_can_enter_is_found(settings: Settings) -> None:
    Path(settings.KEYS_DIR).chmod(0o755)
    assert _check("secrets").detail == f"{settings.KEYS_DIR} 755"


# Documents


def _edit(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text(encoding="utf-8")
    changed = change(text)
    assert changed != text
    path.write_text(changed, encoding="utf-8")


def test_a_column_that_the_registry_lacks_is_found(tree: Path) -> None:
    _edit(tree / "docs/registry.md", lambda text: text.replace("| `regime_probs` |", "| regime |", 1))
    check = _check("generated files", tree)
    assert not check.ok
    assert check.detail.startswith("logs/trading/decision_log.csv: ")


def test_columns_in_another_order_are_found(tree: Path) -> None:
    def swapped(text: str) -> str:
        return text.replace("| `trade_id` |", "| `x` |", 1).replace("| `decision` |", "| `trade_id` |", 1)

    _edit(tree / "docs/registry.md", lambda text: swapped(text).replace("| `x` |", "| `decision` |", 1))
    assert not _check("generated files", tree).ok


def test_a_file_that_is_documented_and_not_written_is_found(tree: Path) -> None:
    extra = "\n### `logs/trading/other.csv`\n\n| column | holds |\n|---|---|\n| `timestamp` | time |\n"
    _edit(tree / "docs/registry.md", lambda text: text + extra)
    assert _check("generated files", tree).detail == "logs/trading/other.csv: - <> timestamp"


def test_a_registry_that_is_gone_fails_its_check_alone(tree: Path) -> None:
    (tree / "docs/registry.md").unlink()
    assert [check.name for check in compliance_run(tree) if not check.ok] == ["generated files"]


@pytest.mark.parametrize("lost", ["| blackout |", "### blackout\n"])
def test_a_reason_code_without_its_row_or_its_section_is_found(tree: Path, lost: str) -> None:
    _edit(tree / "docs/reasons.md", lambda text: text.replace(lost, "", 1))
    check = _check("reason codes", tree)
    assert (check.ok, check.detail) == (False, "blackout")


def test_an_alert_that_the_code_raises_without_a_sentence_is_found(tree: Path) -> None:
    (tree / "risk" / "noise.py").write_text('def shout():\n    alert_raise("nobody_wrote_this", priority=3)\n')
    assert _check("alert codes", tree).detail == "nobody_wrote_this"


def test_an_alert_that_was_once_raised_without_a_sentence_is_found() -> None:
    AlertFactory(code="from_an_older_release", created_at=datetime(2025, 5, 13, tzinfo=UTC))
    assert _check("alert codes").detail == "from_an_older_release"


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ('alert_raise("a")', {"a"}),
        ("alert_raise(code=CODE)", {"constant"}),
        ('alert_raise("a" if x else "b")', {"a", "b"}),
        ('code = "c"\n    alert_raise_outside(code)', {"c"}),
        ('code, priority = ("d", 1) if x else ("e", 2)\n    alert_raise(code, priority=priority)', {"d", "e"}),
        ('_tell("f", x)', {"f"}),
        ("alert_raise(x.code)", set()),
    ],
)
def test_codes_are_read_where_they_are_raised(tmp_path: Path, body: str, codes: set[str]) -> None:
    path = tmp_path / "module.py"
    path.write_text(
        f'CODE = "constant"\n\ndef raises(x):\n    {body}\n\ndef _tell(code, x):\n    alert_raise(code, params=x)\n'
    )
    assert codes_raised([path]) == codes


def test_every_written_file_has_columns() -> None:
    assert all(documents.schemas_written().values())


# The command


def _command(*arguments: str) -> str:
    out = StringIO()
    call_command("check_compliance", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_one_line_a_check_and_that_all_is_well(settings: Settings, tree: Path) -> None:
    settings.BASE_DIR = tree
    lines = _command().splitlines()
    assert len(lines) == len(EVERY) + 1
    assert all(line.startswith("ok  ") for line in lines[:-1])
    assert lines[-1] == "The desk complies."


def test_the_command_ends_with_1_and_says_what_to_do(settings: Settings, tree: Path) -> None:
    settings.BASE_DIR = tree
    _set_of(320)
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 check failed\.") as raised:
        call_command("check_compliance", stdout=out)
    assert raised.value.returncode == 1
    assert "NO  feature sets: v1: 320 features  ->  import a feature_importance.csv" in out.getvalue()


def test_the_answer_for_machines_is_one_json_object(settings: Settings, tree: Path) -> None:
    settings.BASE_DIR = tree
    answer = json.loads(_command("--json"))
    assert answer["ok"] is True
    assert {check["name"] for check in answer["checks"]} == EVERY


def test_only_the_first_few_faults_are_shown() -> None:
    check = Found([str(number) for number in range(8)], "fine", "mend it").check("numbers")
    assert (check.detail, check.fix) == ("0; 1; 2; 3; 4; +3", "mend it")
