"""Export of a filtered list: streamed, in constant memory, whatever its length."""

import base64
import csv
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.db import models
from django.db.models import QuerySet
from django.http import StreamingHttpResponse

from mia_site.ops.spreadsheets import cell_text

CHUNK = 2_000
ACCOUNT = "account"
CONTENT = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an export: its stable name and how its value is read from a row."""

    name: str
    read: Callable[[Any], Any]


def model_columns(model: type[models.Model], leave_out: Sequence[str] = ()) -> list[Column]:
    """Every stored column of `model`, under its own name (an account by its code); bytes as base64."""
    return [
        Column(ACCOUNT, _account) if field.attname == "account_id" else Column(field.attname, _reader(field.attname))
        for field in model._meta.concrete_fields
        if field.attname not in leave_out
    ]


def _account(row: Any) -> str | None:
    return None if row.account_id is None else str(row.account)


def _reader(name: str) -> Callable[[Any], Any]:
    return lambda row: getattr(row, name)


def _with_account(rows: QuerySet[Any]) -> QuerySet[Any]:
    known = any(field.attname == "account_id" for field in rows.model._meta.concrete_fields)
    return rows.select_related(ACCOUNT) if known else rows


def export_stream(rows: QuerySet[Any], columns: Sequence[Column], kind: str) -> Iterator[bytes]:
    """The whole export, piece by piece. `kind`: ``csv`` or ``json``."""
    write = _csv if kind == "csv" else _json
    return write(_with_account(rows).iterator(chunk_size=CHUNK), columns)


def export_response(rows: QuerySet[Any], columns: Sequence[Column], kind: str, name: str) -> StreamingHttpResponse:
    """A download named ``name.csv`` or ``name.json``."""
    response = StreamingHttpResponse(export_stream(rows, columns, kind), content_type=CONTENT[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


class _Line:
    """What `csv.writer` writes to: hands each line back instead of keeping it."""

    def write(self, text: str) -> str:
        return text


def _csv(rows: Iterator[Any], columns: Sequence[Column]) -> Iterator[bytes]:
    writer = csv.writer(_Line())
    yield writer.writerow([column.name for column in columns]).encode()
    for row in rows:
        cells = [csv_cell(column.read(row)) for column in columns]
        yield writer.writerow(cells).encode()


def csv_cell(value: Any) -> str:
    """A value as CSV text. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float | Decimal | UUID | date):
        return str(plain(value))
    return cell_text(value if isinstance(value, str) else str(plain(value)))


def _json(rows: Iterator[Any], columns: Sequence[Column]) -> Iterator[bytes]:
    yield b"["
    separator = b"\n"
    for row in rows:
        document = {column.name: json_value(column.read(row)) for column in columns}
        yield separator + orjson.dumps(document)
        separator = b",\n"
    yield b"\n]\n"


def json_value(value: Any) -> Any:
    """A value as JSON: documents as they are, the rest as `plain`."""
    return value if isinstance(value, dict | list | bool | int | float) or value is None else str(plain(value))


def plain(value: Any) -> Any:
    """Times in UTC as ISO 8601, decimals without exponent, bytes as base64, documents as JSON text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, dict | list):
        return json.dumps(value, sort_keys=True, ensure_ascii=False)
    return value
