"""The databases of the suite.

Facts can be neither deleted nor truncated, so no test flushes: an ordinary one (`db`) is rolled back, and one
that commits (`cloned_database`) works on a copy of a template that is dropped afterwards.
"""

import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from tests.environment import is_sqlite

FLUSHING = {"transactional_db", "live_server", "django_db_reset_sequences", "django_db_serialized_rollback"}


def refuse_flushing(items: list[pytest.Item]) -> None:
    """UsageError naming a test whose clean-up would flush the tables, or that mixes the two databases."""
    for item in items:
        wanted = set(getattr(item, "fixturenames", ()))
        marker = item.get_closest_marker("django_db")
        flushing = sorted(wanted & FLUSHING)
        if flushing or (marker and (marker.args or marker.kwargs)):
            raise pytest.UsageError(
                f"{item.nodeid}: {', '.join(flushing) or 'a django_db mark with arguments'} would flush "
                "append-only tables; a test that commits takes the fixture cloned_database"
            )
        if "cloned_database" in wanted and (marker or "db" in wanted):
            raise pytest.UsageError(f"{item.nodeid}: takes db and cloned_database, which are two databases; choose one")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    refuse_flushing(items)
    for item in items:
        if item.get_closest_marker("postgres") and is_sqlite():
            item.add_marker(pytest.mark.skip(reason="only PostgreSQL has what this needs"))


def pytest_report_header() -> str:
    return f"database: {'SQLite' if is_sqlite() else 'PostgreSQL'}"


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[None]:
    """Creates and migrates the test database, also for a session whose tests only clone it."""
    verbosity = max(0, request.config.option.verbose)
    with django_db_blocker.unblock():
        before = setup_databases(verbosity, interactive=False, serialized_aliases=[])
    yield
    with django_db_blocker.unblock():
        teardown_databases(before, verbosity)


def server_run(*statements: str) -> None:
    """PostgreSQL: statements on the server that no transaction and no database of the suite holds."""
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture(scope="session")
def database_template(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The migrated database, put aside, nobody connected: a file's path on SQLite, a name on PostgreSQL."""
    with django_db_blocker.unblock():
        name = str(connection.settings_dict["NAME"])
        connection.close()
        if is_sqlite():
            template = f"{name}.template"
            with closing(sqlite3.connect(name)) as source, closing(sqlite3.connect(template)) as target:
                source.backup(target)
            yield template
            return
        template = f"{name}_template"
        server_run(f'DROP DATABASE IF EXISTS "{template}"', f'CREATE DATABASE "{template}" TEMPLATE "{name}"')
    yield template
    with django_db_blocker.unblock():
        server_run(f'DROP DATABASE "{template}" WITH (FORCE)')


def _clone(template: str) -> str:
    """Copies the template; returns the copy's name."""
    if is_sqlite():
        name = f"{template.removesuffix('.template')}.{secrets.token_hex(4)}"
        shutil.copyfile(template, name)
        return name
    name = f"{template.removesuffix('_template')}_{secrets.token_hex(4)}"
    server_run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return name


def _drop(name: str) -> None:
    if is_sqlite():
        for ending in ("", "-wal", "-shm"):
            Path(f"{name}{ending}").unlink(missing_ok=True)
    else:
        server_run(f'DROP DATABASE "{name}" WITH (FORCE)')


def _url(name: str) -> str:
    if is_sqlite():
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{quote(name)}"))


@contextmanager
def clone(template: str) -> Iterator[str]:
    """Leads Django's default connection to a copy of the template for a while; gives its DATABASE_URL."""
    connection.close()
    before, name = connection.settings_dict["NAME"], _clone(template)
    connection.settings_dict["NAME"] = name
    ContentType.objects.clear_cache()
    try:
        yield _url(name)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        ContentType.objects.clear_cache()
        _drop(name)


@pytest.fixture
def cloned_database(database_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """A migrated database of the test's own, in which commits are real.

    Django's default connection leads to it, in threads too (tests.threads.at_once). Gives its DATABASE_URL,
    for processes that the test starts.
    """
    with django_db_blocker.unblock(), clone(database_template) as url:
        yield url
