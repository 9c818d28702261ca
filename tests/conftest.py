"""The suite's start: a safe environment first, then Django, then the plugins that hold fixtures and hooks."""

from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

from tests import environment

if settings.configured:
    raise pytest.UsageError("unset DJANGO_SETTINGS_MODULE: tests/conftest.py loads it in a safe environment")
environment.prepare()
environment.set_django_up()

pytest_plugins = [
    "tests.databases",
    "tests.outside",
    "tests.second_run",
    "tests.servers.browser",
    "tests.servers.desk",
    "tests.servers.valkey",
    "tests.stillness",
]
PROCESS_FIXTURES = {"desk_processes", "valkey"}
BROWSER_FIXTURES = {"browsers"}

# The same examples in every run; `pytest --hypothesis-profile=explore` looks for new ones.
UNHURRIED = [hypothesis.HealthCheck.too_slow]
hypothesis.settings.register_profile(
    "steady", derandomize=True, database=None, deadline=None, suppress_health_check=UNHURRIED
)
hypothesis.settings.register_profile("explore", max_examples=1_000, deadline=None, suppress_health_check=UNHURRIED)
hypothesis.settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        wanted = set(getattr(item, "fixturenames", ()))
        if wanted & PROCESS_FIXTURES:
            item.add_marker("process")
        if wanted & BROWSER_FIXTURES:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real MIA files, beside the repository where there are any; a test that needs them skips elsewhere."""
    folder = environment.ROOT.parent / "shared" / "data" / "mia"
    if not folder.is_dir():
        pytest.skip(f"no real MIA files at {folder}")
    return folder
