"""What the database itself refuses (docs/invariants.md): rows that break a constraint, written past every `save`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, models, transaction

from mia_site.ops.append_only import append_only_models
from tests.docs.pages import page
from tests.made_up import NOON, insert, made_up

pytestmark = pytest.mark.django_db
TABLES = append_only_models()
OURS = [model for app in ("ops", "audit", "risk", "decisions") for model in apps.get_app_config(app).get_models()]
UNIQUE = [
    pytest.param(model, constraint, id=constraint.name)
    for model in OURS
    for constraint in model._meta.constraints
    if isinstance(constraint, models.UniqueConstraint)
]
UNIQUE_COLUMNS = [
    pytest.param(model, field.attname, id=f"{model._meta.db_table}.{field.attname}")
    for model in OURS
    for field in model._meta.local_concrete_fields
    if field.unique and not isinstance(field, models.AutoField)
]
FORBIDDEN: dict[str, dict[str, Any]] = {
    "ops_alert_priority_1_to_5": {"priority": 6},
    "ops_delivery_status": {"status": "lost"},
    "risk_desk_is_one_row": {"id": 2},
    "risk_event_impact_0_to_1": {"impact": 2},
    "risk_session_opens_before_it_closes": {"opens_at": NOON, "closes_at": NOON},
    "risk_session_override_says_something": {"closed": False, "opens_at": None, "closes_at": None},
    "risk_source_file_or_address": {"path": "", "url": ""},
}
"""For each check, a row that it must refuse."""
VALID: dict[str, dict[str, Any]] = {
    "ops_alertdelivery": {"status": "sent"},
    "risk_calendarsource": {"url": ""},
    "risk_desk": {"id": 1},
    "risk_tradingsession": {"opens_at": NOON, "closes_at": NOON.replace(hour=20)},
}
"""Values that a table's checks want, where made-up ones would not do."""
CONDITIONS: dict[str, dict[str, Any]] = {
    "risk_event_undated_once": {"start_at": None},
    "risk_stop_desk_once": {"account_id": None},
    "risk_window_open_once": {"closed_at": None},
}
"""Of which rows a unique constraint speaks, where it does not speak of all."""


@contextmanager
def _undone() -> Iterator[None]:
    """Whatever is written in the block is taken back, so that foreign keys to nowhere never reach a COMMIT."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


# Unique


@pytest.mark.parametrize(("model", "constraint"), UNIQUE)
def test_what_must_be_unique_is_refused_a_second_time(
    model: type[models.Model], constraint: models.UniqueConstraint
) -> None:
    first, second = _two(model, **CONDITIONS.get(constraint.name, {}))
    for field in model._meta.local_concrete_fields:
        if field.name in constraint.fields:
            setattr(second, field.attname, getattr(first, field.attname))
    with _undone():
        insert(first)
        _refused(second)


@pytest.mark.parametrize(("model", "column"), UNIQUE_COLUMNS)
def test_a_unique_column_holds_a_value_once(model: type[models.Model], column: str) -> None:
    first, second = _two(model)
    setattr(second, column, getattr(first, column))
    with _undone():
        insert(first)
        _refused(second)


def _two(model: type[models.Model], **given: Any) -> tuple[models.Model, models.Model]:
    values = {**VALID.get(model._meta.db_table, {}), **given}
    return made_up(model, **values), made_up(model, **values)


def _refused(row: models.Model) -> None:
    """By the constraint or, on SQLite, by the trigger that is there for INSERT OR REPLACE."""
    with pytest.raises(DatabaseError) as told, transaction.atomic():
        insert(row)
    assert isinstance(told.value, IntegrityError) or "append-only" in str(told.value)


# Checked


def _checks() -> dict[str, type[models.Model]]:
    return {
        constraint.name: model
        for model in OURS
        for constraint in model._meta.constraints
        if isinstance(constraint, models.CheckConstraint)
    }


def test_every_check_has_a_row_that_it_must_refuse() -> None:
    assert _checks().keys() == FORBIDDEN.keys()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_row_against_a_check_is_refused(name: str) -> None:
    with _undone(), pytest.raises(IntegrityError, match=name), transaction.atomic():
        insert(made_up(_checks()[name], **FORBIDDEN[name]))


# Written down


def test_every_constraint_and_every_append_only_table_is_in_the_document() -> None:
    text = page("docs/invariants.md")
    names = [constraint.name for model in OURS for constraint in model._meta.constraints]
    tables = [model._meta.db_table for model in TABLES]
    assert [name for name in (*names, *tables) if f"`{name}`" not in text] == []
