"""What `manage.py up` does before it starts a process: a place for the data, and a database this code can serve."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mia_site.ops.alerts import alert_raise
from mia_site.ops.append_only import missing_triggers
from mia_site.ops.backups import BackupFailed, backup_before_migrate
from mia_site.ops.grants import RoleRefused, rights_grant
from mia_site.ops.schema_guard import SchemaState, schema_state
from mia_site.ops.supervisor.console import Console
from mia_site.ops.supervisor.lock import Refused
from mia_site.ops.supervisor.texts import TRIGGERS_MISSING

FOLDERS = ("secrets", "keys", "log", "run", "backups", "redis", "metrics", "static")


def data_dir_prepare(data_dir: Path) -> None:
    """Makes the data directory and its folders, closed to other users. Raises `Refused`."""
    os.umask(0o077)
    try:
        for name in FOLDERS:
            (data_dir / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for private in ("secrets", "keys"):
            (data_dir / private).chmod(0o700)
    except OSError as error:
        raise Refused(
            _("The data directory %(path)s cannot be used: %(error)s.") % {"path": data_dir, "error": error.strerror}
        ) from error


def schema_prepare(console: Console, data_dir: Path) -> None:
    """Leaves a database with this code's schema and all triggers. Raises `Refused` and changes nothing then.

    A newer schema is refused; an older one is copied (SQLite), then migrated; missing triggers are put back and told.
    """
    _rights_grant()
    state = _schema_read()
    if state.unknown:
        raise Refused(
            _("The database was written by a newer release (it has %(names)s, which this one does not know). "
              "Start that release, or restore a backup into another data directory.")
            % {"names": ", ".join(state.unknown[:3])}
        )  # fmt: skip
    missing = [] if state.pending else missing_triggers(connection)
    if not state.pending and not missing:
        return
    if state.pending and not state.is_new:
        _backup(console, data_dir)
    _migrate(console, data_dir, len(state.pending))
    if still := missing_triggers(connection):
        raise Refused(
            _("These append-only triggers are missing after migrate: %(names)s") % {"names": ", ".join(still)}
        )
    if missing:
        names = ", ".join(missing)
        console.event("database", "triggers", _("were missing and are back: %(names)s") % {"names": names}, bad=True)
        alert_raise(TRIGGERS_MISSING, priority=5, params={"triggers": names}, dedup_key=names)


def _schema_read() -> SchemaState:
    try:
        return schema_state(connection)
    except DatabaseError as error:
        text = str(error).strip().splitlines()
        raise Refused(
            _("The database cannot be used: %(error)s") % {"error": text[0] if text else repr(error)}
        ) from error


def _backup(console: Console, data_dir: Path) -> None:
    if connection.vendor != "sqlite":
        console.event("database", "migrating", _("no copy is made of PostgreSQL; use your own backup"))
        return
    try:
        path = backup_before_migrate(connection, data_dir / "backups", datetime.now(UTC))
    except BackupFailed as error:
        raise Refused(str(error)) from error
    console.event("database", "copied", str(path))


def _migrate(console: Console, data_dir: Path, count: int) -> None:
    """In a process of its own, as the owner of the tables where there is one."""
    what = ngettext("%(count)d migration", "%(count)d migrations", count) % {"count": count}
    console.event("database", "migrating", what)
    connection.close()
    environment = dict(os.environ)
    if settings.DATABASE_OWNER_URL:
        environment["DATABASE_URL"] = settings.DATABASE_OWNER_URL
    log = data_dir / "log" / "migrate.log"
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "--no-input"]
    with log.open("ab") as output:
        result = subprocess.run(  # noqa: S603 - this program itself
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if result.returncode != 0:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        raise Refused(_("The migration failed (%(log)s): %(last)s") % {"log": log, "last": "".join(last)})
    _rights_grant()
    console.event("database", "migrated", good=True)


def _rights_grant() -> None:
    """PostgreSQL with an owner: the site's role gets its rights, also those that an operator forgot."""
    if not settings.DATABASE_OWNER_URL:
        return
    if connection.vendor != "postgresql":
        raise Refused(_("DATABASE_OWNER_URL is for PostgreSQL; DATABASE_URL names another database."))
    try:
        rights_grant(settings.DATABASE_OWNER_URL, str(connection.settings_dict["USER"]))
    except RoleRefused as error:
        raise Refused(str(error)) from error
    except psycopg.Error as error:
        raise Refused(_("The database's owner cannot be used: %(error)s") % {"error": str(error).strip()}) from error
