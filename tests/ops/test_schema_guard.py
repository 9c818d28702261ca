"""Is the database's schema this code's, older, or newer?"""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from mia_site.ops.schema_guard import schema_state

pytestmark = pytest.mark.django_db


def test_a_current_database_has_nothing_pending_and_nothing_unknown() -> None:
    state = schema_state(connection)
    assert (state.pending, state.unknown, state.is_new) == ([], [], False)


def test_a_migration_from_the_future_is_unknown() -> None:
    MigrationRecorder(connection).record_applied("decisions", "0099_partitions")
    assert schema_state(connection).unknown == ["decisions.0099_partitions"]


def test_a_migration_that_is_not_applied_is_pending() -> None:
    MigrationRecorder(connection).record_unapplied("sessions", "0001_initial")
    assert schema_state(connection).pending == ["sessions.0001_initial"]


def test_an_empty_database_is_new() -> None:
    MigrationRecorder.Migration.objects.all().delete()
    state = schema_state(connection)
    assert state.is_new
    assert "risk.0001_initial" in state.pending
