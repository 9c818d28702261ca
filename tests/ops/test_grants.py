"""Two roles on PostgreSQL: the site's own cannot change facts, whatever becomes of the triggers."""

import io
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core import checks
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg import sql
from pytest_django import Settings

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


# The command


def said(*words: str) -> str:
    """What `setup_database_role` prints."""
    out = io.StringIO()
    call_command("setup_database_role", *words, stdout=out)
    return out.getvalue()


def test_the_statements_are_printed_for_somebody_else_to_run() -> None:
    text = said("--role", 'odd "name"')

    assert text.startswith('REVOKE ALL ON ALL TABLES IN SCHEMA public FROM "odd ""name""";\n')
    assert 'GRANT SELECT, INSERT ON "audit_entry" TO "odd ""name""";\n' in text
    assert 'GRANT SELECT, INSERT, UPDATE, DELETE ON "ops_alert" TO "odd ""name""";\n' in text
    assert text.count(";\n") == len(table_rights()) + 3


def test_to_apply_them_the_owner_must_be_known(settings: Settings) -> None:
    settings.DATABASE_OWNER_URL = ""
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL"):
        said("--role", "mia_site", "--apply")
    settings.DATABASE_OWNER_URL = "postgres://nobody:x@127.0.0.1:1/none"
    with pytest.raises(CommandError, match="owner cannot be used"):
        said("--role", "mia_site", "--apply")


@pytest.mark.postgres
def test_applied_or_pasted_the_site_may_add_facts_and_change_none(cloned_database: str, settings: Settings) -> None:
    name = f"site_{secrets.token_hex(4)}"
    settings.DATABASE_OWNER_URL = cloned_database
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
        try:
            assert f"{name}: " in said("--role", name, "--apply")
            assert rights_of(name, "audit_entry") == {"SELECT", "INSERT"}
            cursor.execute(f"GRANT ALL ON audit_entry TO {name}")
            cursor.execute(said("--role", name))
            assert rights_of(name, "audit_entry") == {"SELECT", "INSERT"}
            assert rights_of(name, "ops_alert") == {"SELECT", "INSERT", "UPDATE", "DELETE"}
        finally:
            cursor.execute(f"DROP OWNED BY {name}")
            cursor.execute(f"DROP ROLE {name}")


def rights_of(role: str, table: str) -> set[str]:
    """What a role may do on a table."""
    query = "SELECT privilege_type FROM information_schema.role_table_grants WHERE grantee = %s AND table_name = %s"
    with connection.cursor() as cursor:
        cursor.execute(query, [role, table])
        return {row[0] for row in cursor.fetchall()}


@pytest.mark.postgres
def test_the_owner_is_not_made_the_sites_role(cloned_database: str, settings: Settings) -> None:
    settings.DATABASE_OWNER_URL = cloned_database
    with pytest.raises(CommandError, match="owns the tables"):
        said("--apply")
