"""The desk's clock: the database's where it has one, so that every process judges by the same time."""

from datetime import UTC, datetime

from django.db import connection


def database_now() -> datetime:
    """Now, aware, UTC, microseconds. On PostgreSQL inside a transaction it moves on (`clock_timestamp`)."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            row: tuple[datetime] = cursor.fetchone()
        return row[0].astimezone(UTC)
    return datetime.now(UTC)
