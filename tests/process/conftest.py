"""Every test in here starts real processes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.databases import clone
from tests.environment import is_sqlite
from tests.process.desk_up import DeskUp
from tests.servers.desk import Desk

HERE = Path(__file__).parent
ON_BOTH = {"cloned_database", "shared_desk"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks them; those that start on the SQLite of a fresh machine need no second run on PostgreSQL."""
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        item.add_marker("process")
        if not is_sqlite() and not ON_BOTH & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason="starts on its own SQLite: seen in the first run"))


@pytest.fixture
def desk_up(tmp_path: Path) -> Iterator[DeskUp]:
    """A fresh data directory of the test's own; what the test leaves running is killed."""
    desk = DeskUp(tmp_path)
    yield desk
    if desk.process is not None:
        desk.process.kill()


@pytest.fixture(scope="module")
def running_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskUp]:
    """One desk for the tests of a module that leave it whole."""
    desk = DeskUp(tmp_path_factory.mktemp("desk"))
    desk.start()
    yield desk
    desk.stop()


@pytest.fixture(scope="module")
def shared_desk(
    database_template: str, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """Processes for all tests of a module, on one cloned database: each test takes an account of its own."""
    folder = tmp_path_factory.mktemp("shared")
    with django_db_blocker.unblock(), clone(database_template) as url:
        desk = Desk(url, folder / "data", folder / "logs")
        yield desk
        desk.stop()
