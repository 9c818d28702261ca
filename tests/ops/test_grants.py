"""Two roles on PostgreSQL: the site's own cannot change facts, whatever becomes of the triggers."""

import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core import checks
from django.db import connection
from psycopg import sql

from mia_site.ops.append_only import fact_models
from mia_site.ops.grants import FACT_RIGHTS, WORK_RIGHTS, rights_grant, site_role_check, table_rights


def test_facts_can_be_read_and_added_and_work_rows_can_be_changed() -> None:
    rights = table_rights()
    assert rights["audit_entry"] == FACT_RIGHTS
    assert all(rights[model._meta.db_table] == FACT_RIGHTS for model in fact_models())
    assert rights["ops_alert"] == WORK_RIGHTS
    assert rights["auth_user_groups"] == WORK_RIGHTS
    assert rights["django_migrations"] == ("SELECT",)


@pytest.fixture
def site_role(cloned_database: str) -> Iterator[tuple[str, str]]:
    """(owner's URL, the site's URL) of a database where the site's role has its rights and no others."""
    name, password = f"site_{secrets.token_hex(4)}", secrets.token_hex(8)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    rights_grant(cloned_database, name)
    place = urlsplit(cloned_database)
    yield cloned_database, place._replace(netloc=f"{name}:{password}@{place.hostname}:{place.port}").geturl()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name}")
        cursor.execute(f"DROP ROLE {name}")


@pytest.mark.postgres
def test_the_sites_role_cannot_change_a_fact_even_without_triggers(site_role: tuple[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
    with psycopg.connect(site_role[1], autocommit=True) as site:
        for statement in ("UPDATE audit_entry SET kind = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                site.execute(sql.SQL(statement))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            site.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
        assert site.execute("SELECT count(*) FROM audit_entry").fetchone() is not None
        site.execute("DELETE FROM ops_alert")


@pytest.mark.postgres
def test_a_site_that_owns_its_facts_is_warned_about(cloned_database: str) -> None:
    (warning,) = site_role_check(databases=["default"])
    assert (warning.id, warning.level) == ("ops.W001", checks.WARNING)
    assert settings.DATABASES["default"]["USER"] in warning.msg


def test_the_check_keeps_quiet_without_a_database_to_ask() -> None:
    assert site_role_check(databases=None) == []
