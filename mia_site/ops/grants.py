"""PostgreSQL with two roles (DESIGN 4.10): one owns and migrates the tables, the site's own may not change facts."""

from collections.abc import Collection, Sequence
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings
from django.core import checks
from django.db import connections
from psycopg import sql

from mia_site.ops.append_only import append_only_models

WORK_RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")
FACT_RIGHTS = ("SELECT", "INSERT")


class RoleRefused(ValueError):
    """The role cannot be the site's, with the reason."""


def table_rights() -> dict[str, tuple[str, ...]]:
    """What the site may do on each table: read and add facts, and ordinary work on the rest."""
    facts = {model._meta.db_table for model in append_only_models()}
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    rights = {table: FACT_RIGHTS if table in facts else WORK_RIGHTS for table in sorted(tables)}
    return {**rights, "django_migrations": ("SELECT",)}


def rights_statements(role: str, tables: Collection[str] | None = None) -> list[sql.Composed]:
    """What gives `role` exactly `table_rights`; on `tables` alone, where they are known."""
    name = sql.Identifier(role)
    statements = [
        sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {}").format(name),
        sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(name),
        sql.SQL("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name),
    ]
    for table, rights in table_rights().items():
        if tables is None or table in tables:
            listed = sql.SQL(", ").join(sql.SQL(right) for right in rights)
            statements.append(sql.SQL("GRANT {} ON {} TO {}").format(listed, sql.Identifier(table), name))
    return statements


def rights_grant(owner_url: str, role: str) -> None:
    """Gives `role` exactly `table_rights` on the tables there are, in one transaction, as the owner.

    Raises `psycopg.Error`; `RoleRefused` where `role` is the owner itself.
    """
    with psycopg.connect(owner_url, connect_timeout=5) as connection:
        if connection.info.user == role:
            raise RoleRefused(f"{role!r} owns the tables; the site needs a role of its own.")
        present = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        for statement in rights_statements(role, present):
            connection.execute(statement)


@checks.register(checks.Tags.database)
def site_role_check(databases: Sequence[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Warns on PostgreSQL if the site's role could change facts by switching the triggers off."""
    if "default" not in (databases or ()) or connections["default"].vendor != "postgresql":
        return []
    owned = [table for table in _tables_present() if _may(table, "UPDATE")]
    if not owned:
        return []
    return [
        checks.Warning(
            f"The database role {settings.DATABASES['default'].get('USER')!r} may change recorded facts "
            f"({owned[0]} and {len(owned) - 1} more); only triggers stop it.",
            hint="Migrate with DATABASE_OWNER_URL, and let DATABASE_URL name a role that owns nothing.",
            id="ops.W001",
        )
    ]


def _tables_present() -> list[str]:
    present = set(connections["default"].introspection.table_names())
    return [table for table in (model._meta.db_table for model in append_only_models()) if table in present]


def _may(table: str, right: str) -> bool:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(current_user, quote_ident(%s), %s)", [table, right])
        row = cursor.fetchone()
    return bool(row and row[0])
