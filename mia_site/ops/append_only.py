"""Append-only tables, held by the database itself (docs/invariants.md).

Triggers refuse UPDATE and DELETE, and on SQLite the INSERT that would replace a row (``INSERT OR REPLACE`` deletes
without firing a DELETE trigger); on PostgreSQL TRUNCATE too, and they fire ALWAYS, also for a replication role.
SQLite drops triggers when a migration rebuilds a table, therefore they are put back after every migrate.
"""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.operations.base import Operation

from mia_site.ops.facts import AppendOnly, Fact

MESSAGE = "append-only"
FUNCTION = "mia_append_only"
_BODY = f" BEGIN RAISE EXCEPTION '{MESSAGE}: %', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END "
_ROW_CHANGE, _TRUNCATE = 1 | 2 | 8 | 16, 2 | 32
"""pg_trigger.tgtype: for each row, before, delete, update; before, truncate."""
_SQLITE_ROW = "rowid = NEW.rowid"
"""A REPLACE may also name the hidden row number of the row that it pushes out (an INSERT that names none has -1)."""


def append_only_models() -> list[type[AppendOnly]]:
    """Every table that the triggers protect, by label: the facts, and the ledger over them."""
    found = [model for model in apps.get_models() if issubclass(model, AppendOnly) and not model._meta.proxy]
    return sorted(found, key=lambda model: model._meta.label)


def fact_models() -> list[type[Fact]]:
    """Every concrete fact of the installed apps, by label."""
    return [model for model in append_only_models() if issubclass(model, Fact)]


def trigger_names(table: str, vendor: str) -> list[str]:
    """The triggers that one fact table has on `vendor`."""
    verbs = ["update", "delete", "replace"] if vendor == "sqlite" else ["change", "truncate"]
    return [f"{table}_no_{verb}" for verb in verbs]


def _unique_sets(model: type[models.Model]) -> Iterator[list[str]]:
    """Column groups by which an INSERT OR REPLACE could push an existing row out."""
    for field in model._meta.local_concrete_fields:
        if field.unique and field.column:
            yield [field.column]
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields:
            fields = {field.name: field.column for field in model._meta.local_concrete_fields}
            yield [str(fields[name]) for name in constraint.fields]


def _sqlite_sql(model: type[models.Model]) -> Iterator[str]:
    table = model._meta.db_table
    refuse = f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}: {table}'); END"
    taken = " OR ".join(
        "(" + " AND ".join(f'"{column}" = NEW."{column}"' for column in columns) + ")"
        for columns in _unique_sets(model)
    )
    taken += f" OR {_SQLITE_ROW}"
    for name in trigger_names(table, "sqlite"):
        yield f'DROP TRIGGER IF EXISTS "{name}"'
    yield f'CREATE TRIGGER "{table}_no_update" BEFORE UPDATE ON "{table}" {refuse}'
    yield f'CREATE TRIGGER "{table}_no_delete" BEFORE DELETE ON "{table}" {refuse}'
    replaced = f'EXISTS (SELECT 1 FROM "{table}" WHERE {taken})'  # noqa: S608 - names come from the models
    yield f'CREATE TRIGGER "{table}_no_replace" BEFORE INSERT ON "{table}" WHEN {replaced} {refuse}'


def _postgresql_sql(model: type[models.Model]) -> Iterator[str]:
    table = model._meta.db_table
    yield f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS $${_BODY}$$"
    change, truncate = trigger_names(table, "postgresql")
    yield f'DROP TRIGGER IF EXISTS "{change}" ON "{table}"'
    yield f'DROP TRIGGER IF EXISTS "{truncate}" ON "{table}"'
    yield (f'CREATE TRIGGER "{change}" BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()')
    yield (f'CREATE TRIGGER "{truncate}" BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()')
    for name in (change, truncate):
        yield f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"'


def protect(connection: BaseDatabaseWrapper, model: type[models.Model]) -> None:
    """Puts the triggers of one table in place, replacing what was there."""
    build = _sqlite_sql if connection.vendor == "sqlite" else _postgresql_sql
    with connection.cursor() as cursor:
        for statement in build(model):
            cursor.execute(statement)


def wanted_triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Every trigger that the list of tables asks for -> what it must do, as `installed_triggers` tells it."""
    if connection.vendor == "sqlite":
        statements = (statement for model in append_only_models() for statement in _sqlite_sql(model))
        return {text.split('"', 2)[1]: text for text in statements if text.startswith("CREATE TRIGGER")}
    wanted: dict[str, str] = {}
    for model in append_only_models():
        table = model._meta.db_table
        change, truncate = trigger_names(table, "postgresql")
        wanted |= {change: f"{_ROW_CHANGE} {table} {_BODY}", truncate: f"{_TRUNCATE} {table} {_BODY}"}
    return wanted


def installed_triggers(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """Triggers that are in the database and will fire -> their text (SQLite), or when, on what and what they run."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname, tgtype || ' ' || relname || ' ' || prosrc FROM pg_trigger "
        "JOIN pg_proc ON pg_proc.oid = tgfoid JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE NOT tgisinternal AND tgenabled = 'A' AND tgqual IS NULL"
    )
    with connection.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())


def missing_triggers(connection: BaseDatabaseWrapper) -> list[str]:
    """What the list of tables asks for and the database does not have, or has under another meaning; empty when all are
    protected."""
    installed = installed_triggers(connection)
    return sorted(name for name, text in wanted_triggers(connection).items() if installed.get(name) != text)


def protect_after_migrate(app_config: Any, using: str, **_: Any) -> None:
    """`post_migrate` of each app: reinstalls the triggers of its tables."""
    from django.db import connections

    connection = connections[using]
    tables = set(connection.introspection.table_names())
    for model in append_only_models():
        if model._meta.app_label == app_config.label and model._meta.db_table in tables:
            protect(connection, model)


class ProtectFacts(Operation):
    """Migration operation: triggers on the named models, from the migration that creates their tables on."""

    reversible = True

    def __init__(self, *model_names: str) -> None:
        self.model_names = model_names

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, list(self.model_names), {}

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Triggers change no model state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for name in self.model_names:
            model = to_state.apps.get_model(app_label, name)
            build = _sqlite_sql if schema_editor.connection.vendor == "sqlite" else _postgresql_sql
            for statement in build(model):
                schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        for name in self.model_names:
            table = from_state.apps.get_model(app_label, name)._meta.db_table
            on = "" if schema_editor.connection.vendor == "sqlite" else f' ON "{table}"'
            for trigger in trigger_names(table, schema_editor.connection.vendor):
                schema_editor.execute(f'DROP TRIGGER IF EXISTS "{trigger}"{on}')

    def describe(self) -> str:
        return f"Append-only triggers on {', '.join(self.model_names)}"
