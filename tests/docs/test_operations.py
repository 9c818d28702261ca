"""docs/operations.md against the code: variables, commands, tasks, alerts, metrics."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from django.core.management import get_commands
from prometheus_client import REGISTRY

from mia_site.celery import PERIODS
from mia_site.ops import registry
from mia_site.ops.alert_texts import alert_codes
from tests.docs.pages import page, sections, table_cells
from tests.environment import ROOT

PAGE = page("docs/operations.md")
APPS = ("mia_site", "risk", "decisions")
OURS = {"mia_site.ops", "mia_site.audit", "risk", "decisions"}


def _named(cells: list[str]) -> set[str]:
    return {name for cell in cells for name in re.findall(r"`([\w.]+)", cell)}


def _table(heading: str, level: int = 2) -> set[str]:
    return _named(table_cells(sections(PAGE, level)[heading]))


def _read(path: Path) -> Iterator[str]:
    """Names of the variables that a module reads: `env.text("X")`, `os.environ.get("X")`, `os.environ["X"]`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner, name = ast.unparse(node.func.value), node.args[0]
        elif isinstance(node, ast.Subscript):
            owner, name = ast.unparse(node.value), node.slice
        else:
            continue
        if owner in {"env", "os.environ"} and isinstance(name, ast.Constant):
            yield str(name.value)


def _sources() -> list[Path]:
    return [
        ROOT / "manage.py",
        *(path for app in ("mia_site", "risk", "decisions") for path in (ROOT / app).rglob("*.py")),
    ]


def test_every_variable_that_the_code_reads_is_listed_and_no_other() -> None:
    read = {name for path in _sources() for name in _read(path)}
    assert {"MIA_DATA_DIR", "DATABASE_URL", "MIA_WEB_WORKERS"} <= read
    assert _table("Environment") == read


def test_every_command_is_listed() -> None:
    ours = {name for name, app in get_commands().items() if app in OURS}
    assert {"up", "halt", "import_mia"} <= ours
    listed = {name for cell in table_cells(sections(PAGE, 2)["Commands"]) for name in re.findall(r"`(\w+)", cell)}
    assert ours == listed


def test_every_task_of_the_schedule_is_listed() -> None:
    assert _table("Tasks", 3) == set(PERIODS)


def test_every_alert_says_what_to_do() -> None:
    assert _table("What to do when it says", 3) == set(alert_codes())


def test_every_metric_is_listed() -> None:
    ours = {metric.name for metric in REGISTRY.collect() if metric.name.startswith("mia_")}
    gauges = {gauge.name for gauge in registry.gauges_run()}
    listed = {name.removesuffix("_total") for name in _table("Watching it")}
    assert ours | gauges <= listed
