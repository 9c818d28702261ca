"""A database for a benchmark: migrated, on a PostgreSQL with fsync on that the benchmark starts and names."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.postgres import NoPostgreSQL, postgresql

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "4GB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
}


@contextmanager
def benchmark_database() -> Iterator[str]:
    """Django set up on a fresh database; gives the server's name and version. `DATABASE_URL` chooses it."""
    with tempfile.TemporaryDirectory(prefix="mia-bench-") as data_dir, durable_server() as url:
        os.environ.update(DATABASE_URL=url, MIA_DATA_DIR=data_dir, DJANGO_SETTINGS_MODULE="mia_site.settings")
        os.environ["MIA_TIMINGS_BACKGROUND"] = "0"
        import django

        django.setup()
        database_make()
        yield _version()


@contextmanager
def durable_server() -> Iterator[str]:
    """URL of the server that `DATABASE_URL` names, else of one that this starts."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    try:
        with postgresql(DURABLE, of_the_machine=True) as url:
            yield url
    except NoPostgreSQL:
        with postgresql(DURABLE) as url:
            yield url


def database_make() -> None:
    """Creates the database that the settings name, where its server has none of that name, and migrates it."""
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor == "postgresql":
        name = str(connection.settings_dict["NAME"])
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone() is None:
                cursor.execute(f'CREATE DATABASE "{name}"')
    call_command("migrate", verbosity=0)


def _version() -> str:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        row: tuple[str] = cursor.fetchone()
    return row[0].split(" on ")[0]


def rows_multiply(model: Any, code: str, count: int, changed: dict[str, str]) -> None:
    """So many copies of one row of the account, made inside the server; `changed` columns are SQL of the number n."""
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields]
    chosen = ", ".join(changed.get(column, f'"{column}"') for column in columns)
    named = ", ".join(f'"{column}"' for column in columns)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({named}) SELECT {chosen} FROM (SELECT * FROM "{table}" WHERE account_id = '
            "(SELECT id FROM risk_account WHERE code = %(code)s) LIMIT 1) one, generate_series(1, %(count)s) n",
            {"code": code, "count": count},
        )
