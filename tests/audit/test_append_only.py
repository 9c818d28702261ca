"""Every append-only table attacked with raw SQL, as somebody with the database's own rights would."""

import secrets
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, models, transaction

from mia_site.ops.append_only import append_only_models, missing_triggers
from mia_site.ops.clock import database_now
from mia_site.ops.facts import FactIsImmutable
from tests.admin.pages import FACTORIES
from tests.environment import is_sqlite

MODELS: list[type[models.Model]] = [*append_only_models()]
each_table = pytest.mark.parametrize("model", MODELS, ids=[model._meta.label for model in MODELS])
Model = type[models.Model]

ATTACKS = {
    "update": "UPDATE {table} SET {column} = {column} WHERE {key} = {row}",
    "update of the key": "UPDATE {table} SET {key} = {key} WHERE {key} = {row}",
    "update of everything": "UPDATE {table} SET {column} = {column}",
    "delete": "DELETE FROM {table} WHERE {key} = {row}",
    "delete of everything": "DELETE FROM {table}",
    "upsert": (
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE {key} = {row} "
        "ON CONFLICT ({key}) DO UPDATE SET {column} = excluded.{column}"
    ),
}
SQLITE_ATTACKS = {
    "replace": "INSERT OR REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE {key} = {row}",
    "replace, the short word": "REPLACE INTO {table} ({columns}) SELECT {columns} FROM {table} WHERE {key} = {row}",
    "replace by the hidden row number": (
        "INSERT OR REPLACE INTO {table} (rowid, {columns}) SELECT rowid, {others} FROM {table} WHERE {key} = {row}"
    ),
    "update or replace": "UPDATE OR REPLACE {table} SET {column} = {column} WHERE {key} = {row}",
    "update of the hidden row number": "UPDATE {table} SET rowid = rowid + 1000 WHERE {key} = {row}",
}
POSTGRESQL_ATTACKS = {
    "truncate": "TRUNCATE {table}",
    "truncate cascade": "TRUNCATE {table} CASCADE",
    "merge": (
        "MERGE INTO {table} AS kept USING (SELECT {key} FROM {table} WHERE {key} = {row}) AS told "
        "ON kept.{key} = told.{key} WHEN MATCHED THEN DELETE"
    ),
    "update as a replica": "SET LOCAL session_replication_role = replica; UPDATE {table} SET {column} = {column}",
    "delete as a replica": "SET LOCAL session_replication_role = replica; DELETE FROM {table}",
    "truncate as a replica": "SET LOCAL session_replication_role = replica; TRUNCATE {table} CASCADE",
}

REFUSALS = ("append-only", "cannot truncate a table referenced in a foreign key")
"""By the table's own triggers; PostgreSQL refuses some statements before it comes to them."""


def all_attacks() -> dict[str, str]:
    return ATTACKS | (SQLITE_ATTACKS if is_sqlite() else POSTGRESQL_ATTACKS)


def a_row(model: Model) -> models.Model:
    """A row of the table: the one that is there, a factory's, or one of plain values."""
    found: models.Model | None = model._default_manager.first()
    if found is not None:
        return found
    made = FACTORIES.get(model._meta.label_lower)
    if made is not None:
        made()
        return model._default_manager.all()[0]
    plain = model(**{field.attname: _plain(field) for field in model._meta.concrete_fields})
    plain.save()
    return plain


def _plain(field: "models.Field[Any, Any]") -> Any:
    if isinstance(field, models.ForeignKey):
        return a_row(field.related_model).pk
    if isinstance(field, models.BinaryField):
        return secrets.token_bytes(32)
    values: dict[type[models.Field[Any, Any]], Any] = {
        models.UUIDField: uuid.uuid4(),
        models.DateTimeField: database_now(),
        models.BooleanField: True,
        models.IntegerField: secrets.randbelow(2**31),
        models.FloatField: 0.5,
        models.DecimalField: 1,
        models.JSONField: {},
    }
    return next((value for kind, value in values.items() if isinstance(field, kind)), secrets.token_hex(8))


def statements(model: Model, row: models.Model) -> Iterator[tuple[str, str]]:
    """Each attack on `row`, spelled out. `others`: its columns, but with another value in each unique one."""
    quote = connection.ops.quote_name
    names = [str(field.column) for field in model._meta.concrete_fields]
    key = str(model._meta.pk.column)
    parts = {
        "table": quote(model._meta.db_table),
        "key": quote(key),
        "row": _literal(row.pk),
        "column": quote(next(name for name in reversed(names) if name != key)),
        "columns": ", ".join(map(quote, names)),
        "others": ", ".join(_other(field) for field in model._meta.concrete_fields),
    }
    for name, text in all_attacks().items():
        yield name, text.format(**parts)


def _literal(key: Any) -> str:
    if isinstance(key, uuid.UUID):
        return f"'{key.hex}'"
    return str(int(key))


def _other(field: "models.Field[Any, Any]") -> str:
    """A unique column gets a value that no row has; the rest are copied."""
    if not field.unique:
        return connection.ops.quote_name(str(field.column))
    return "987654321" if isinstance(field, models.IntegerField) else f"'{uuid.uuid4().hex}'"


def contents(model: Model) -> list[dict[str, Any]]:
    return [dict(row) for row in model._default_manager.order_by("pk").values()]


def attack_all(model: Model) -> None:
    """Fails unless every attack is refused and leaves each row as it was."""
    row = a_row(model)
    connection.check_constraints()
    before = contents(model)
    for name, statement in statements(model, row):
        told = refusal(statement)
        assert any(word in told for word in REFUSALS), f"{name} went through: {statement} {told}"
    assert contents(model) == before


def refusal(statement: str) -> str:
    """What the database says against the statement, which is undone in any case; "" for nothing."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            transaction.set_rollback(True)
    except DatabaseError as error:
        return str(error)
    return ""


@each_table
def test_no_statement_changes_or_removes_a_row(model: Model, db: None) -> None:
    attack_all(model)


@each_table
def test_python_says_it_before_the_database_does(model: Model, db: None) -> None:
    row = a_row(model)
    with pytest.raises(FactIsImmutable):
        row.save()
    with pytest.raises(FactIsImmutable):
        row.delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        model._default_manager.filter(pk=row.pk)._raw_delete(using="default")


def unique_besides_the_key() -> list[tuple[Model, tuple[str, ...]]]:
    """(model, fields) of what else is unique: another way for a REPLACE to push a row out."""
    found: list[tuple[Model, tuple[str, ...]]] = []
    for model in MODELS:
        found += [(model, (field.name,)) for field in model._meta.fields if field.unique and not field.primary_key]
        found += [
            (model, tuple(constraint.fields))
            for constraint in model._meta.constraints
            if isinstance(constraint, models.UniqueConstraint)
        ]
    return found


@pytest.mark.parametrize(
    ("model", "fields"),
    [pytest.param(*case, id=f"{case[0]._meta.label}: {', '.join(case[1])}") for case in unique_besides_the_key()],
)
def test_no_new_row_pushes_an_old_one_out(model: Model, fields: tuple[str, ...], db: None) -> None:
    row = a_row(model)
    before = contents(model)
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = [
        connection.ops.quote_name(str(field.column)) if field.name in fields or not field.unique else _other(field)
        for field in model._meta.concrete_fields
    ]
    names = ", ".join(map(connection.ops.quote_name, columns))
    table, key = model._meta.db_table, model._meta.pk.column
    verb = "INSERT OR REPLACE" if is_sqlite() else "INSERT"
    copy = f'{verb} INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}" WHERE "{key}" = '
    assert refusal(copy + _literal(row.pk))
    assert contents(model) == before


def without_recursion() -> None:
    """As a plain SQLite shell connects: a REPLACE fires no DELETE trigger."""
    if is_sqlite():
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA recursive_triggers = OFF")


def test_a_connection_that_sets_nothing_up_changes_no_row_either(cloned_database: str) -> None:
    without_recursion()
    for model in MODELS:
        attack_all(model)


def test_the_triggers_are_there_again_after_a_migration_that_rebuilds_its_tables(cloned_database: str) -> None:
    """On SQLite a changed column means a new table, and the triggers go with the old one."""
    if not is_sqlite():
        pytest.skip("PostgreSQL rebuilds no table")
    for model in MODELS:
        with connection.schema_editor() as editor:
            editor._remake_table(model)  # type: ignore[attr-defined]
    assert len(missing_triggers(connection)) == 3 * len(MODELS)
    call_command("migrate", verbosity=0)
    assert missing_triggers(connection) == []
    for model in MODELS:
        attack_all(model)


def test_a_table_that_loses_its_triggers_is_named(db: None) -> None:
    table = "audit_entry"
    with connection.cursor() as cursor:
        name = f"{table}_no_update" if is_sqlite() else f"{table}_no_change"
        cursor.execute(f'DROP TRIGGER "{name}"' + ("" if is_sqlite() else f' ON "{table}"'))
    assert missing_triggers(connection) == [name]


def test_a_trigger_that_was_replaced_by_an_empty_one_of_its_name_is_named(db: None) -> None:
    table = "audit_entry"
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            name = f"{table}_no_update"
            cursor.execute(f'DROP TRIGGER "{name}"')
            cursor.execute(f'CREATE TRIGGER "{name}" BEFORE UPDATE ON "{table}" BEGIN SELECT 1; END')
        else:
            name = f"{table}_no_change"
            cursor.execute(f'DROP TRIGGER "{name}" ON "{table}"')
            cursor.execute("CREATE FUNCTION harmless() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$")
            cursor.execute(
                f'CREATE TRIGGER "{name}" BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW EXECUTE FUNCTION harmless()'
            )
            cursor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"')

    assert missing_triggers(connection) == [name]
