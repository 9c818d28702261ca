"""What stands between a start and the database: is its schema ours, older, or newer than this code?"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Migrations as ``app.name``: `unknown` are applied but not in this code, `pending` the opposite."""

    applied: int
    pending: list[str]
    unknown: list[str]

    @property
    def is_new(self) -> bool:
        """A database that nothing was ever migrated into."""
        return self.applied == 0


def schema_state(connection: BaseDatabaseWrapper) -> SchemaState:
    """Compares the database's list of applied migrations with the code's.

    A migration that a squashed one replaces is known. Raises what the database raises.
    """
    executor = MigrationExecutor(connection)
    loader = executor.loader
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    applied = set(loader.applied_migrations)
    plan = executor.migration_plan(loader.graph.leaf_nodes())
    pending = [(migration.app_label, migration.name) for migration, _ in plan]
    return SchemaState(len(applied), _names(pending), _names(applied - known))


def _names(keys: Iterable[tuple[str, str]]) -> list[str]:
    return sorted(f"{app}.{name}" for app, name in keys)
