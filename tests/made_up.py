"""A made-up row of any table: every column filled by its type, nothing pointed at. For attacks on constraints."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from django.db import models

NOON = datetime(2025, 5, 13, 12, tzinfo=UTC)
VALUES: tuple[tuple[type[models.Field[Any, Any]], Callable[[], Any]], ...] = (
    (models.UUIDField, uuid.uuid4),
    (models.DateTimeField, lambda: NOON),
    (models.DateField, NOON.date),
    (models.TimeField, lambda: time(12)),
    (models.DecimalField, lambda: Decimal("0.5")),
    (models.FloatField, lambda: 0.5),
    (models.BooleanField, lambda: True),
    (models.IntegerField, lambda: 1),
    (models.JSONField, dict),
    (models.BinaryField, lambda: b"x" * 32),
    (models.TextField, lambda: "x"),
    (models.CharField, lambda: "x"),
)


def made_up(model: type[models.Model], **given: Any) -> models.Model:
    """An unsaved row; a foreign key holds a value that nobody has (it is checked at COMMIT, which must not come)."""
    values = {}
    for field in model._meta.local_concrete_fields:
        if field.primary_key and isinstance(field, models.AutoField):
            continue
        values[field.attname] = _value(field)
    return model(**{**values, **given})


def _value(field: models.Field[Any, Any]) -> Any:
    target = field
    while isinstance(target, models.ForeignKey):
        target = target.target_field
    for kind, make in VALUES:
        if isinstance(target, kind):
            return make()
    raise TypeError(f"no value for {field}")


def insert(*rows: models.Model) -> None:
    """Writes them as they are, past every `save`."""
    type(rows[0])._base_manager.bulk_create(rows)
