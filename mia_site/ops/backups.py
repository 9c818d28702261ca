"""Copies of the database that are whole at one moment, and the signing keys kept apart from them.

A backup directory holds ``manifest.json`` (what, when, SHA-256 of each file), the database (``database.sqlite3`` or
``database.dump``), the published checkpoints (``checkpoints.tar``) and ``keys/``. Whoever holds database and keys could
sign a changed history: store ``keys/`` elsewhere.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from datetime import datetime
from pathlib import Path

from django.db.backends.base.base import BaseDatabaseWrapper

from mia_site.ops.schema_guard import schema_state

SQLITE_NAME = "database.sqlite3"
DUMP_NAME = "database.dump"
MANIFEST = "manifest.json"
KEYS = "keys"
CHECKPOINTS = "checkpoints.tar"
NOTE_NAME = re.compile(r"(?:[0-9-]+/)?[0-9a-z-]+\.note", re.ASCII)
KEEP_BEFORE_MIGRATE = 5


class BackupFailed(Exception):
    """No backup was made, or none was restored; the text says why and what to do."""


def backup_before_migrate(connection: BaseDatabaseWrapper, directory: Path, now: datetime) -> Path:
    """Copies a SQLite database to ``directory/before-migrate-….sqlite3`` and keeps the newest five such copies."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = directory / f"before-migrate-{now:%Y%m%dT%H%M%S%f}Z.sqlite3"
    sqlite_copy(connection, target)
    for old in sorted(directory.glob("before-migrate-*.sqlite3"))[:-KEEP_BEFORE_MIGRATE]:
        old.unlink()
    return target


def sqlite_copy(connection: BaseDatabaseWrapper, target: Path) -> None:
    """A consistent copy while others write (SQLite's backup API), checked and on disk when this returns.

    Raises `BackupFailed`; nothing is left at `target` then.
    """
    _room_check(Path(str(connection.settings_dict["NAME"])).stat().st_size, target.parent)
    draft = target.with_name(f".{target.name}.draft")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    try:
        connection.ensure_connection()
        copy = sqlite3.connect(draft)
        try:
            connection.connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            (verdict,) = copy.execute("PRAGMA quick_check").fetchone()
        finally:
            copy.close()
        if verdict != "ok":
            raise BackupFailed(f"The copy of the database is damaged: {verdict}")
        _settle(draft, target)
    except (sqlite3.Error, OSError) as error:
        raise BackupFailed(f"The database could not be copied to {target}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)


def backup_create(
    connection: BaseDatabaseWrapper, keys_dir: Path, directory: Path, now: datetime, *, checkpoints: Path | None = None
) -> list[str]:
    """Writes a backup into `directory`, which must be new or empty; returns the names of its files.

    `checkpoints`: the folder that they are published in. It appears there whole or not at all. Raises `BackupFailed`.
    """
    if directory.exists() and any(directory.iterdir()):
        raise BackupFailed(f"{directory} is not empty; a backup needs a directory of its own.")
    if schema_state(connection).is_new:
        raise BackupFailed(f"The database {connection.settings_dict['NAME']} is empty: is it the desk's?")
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        noted = _notes_pack(checkpoints, draft) if checkpoints else []
        names = _backup_write(connection, keys_dir, draft, now, noted)
        draft.replace(directory)
    except BaseException:
        shutil.rmtree(draft)
        raise
    return names


def _backup_write(
    connection: BaseDatabaseWrapper, keys_dir: Path, directory: Path, now: datetime, noted: list[str]
) -> list[str]:
    """`noted`: what was packed before, so that the database holds every leaf that the notes tell of."""
    if connection.vendor == "sqlite":
        name = SQLITE_NAME
        sqlite_copy(connection, directory / name)
    else:
        name = DUMP_NAME
        _pg_run(connection, "pg_dump", "--format=custom", "--no-owner", f"--file={directory / name}")
        (directory / name).chmod(0o600)
    names = [name, *_keys_copy(keys_dir, directory / KEYS), *noted]
    manifest = {
        "format": 1,
        "made_at": now.isoformat(),
        "database": connection.vendor,
        "migrations": schema_state(connection).applied,
        "sha256": {item: _sha256(directory / item) for item in names},
    }
    _write_private(directory / MANIFEST, json.dumps(manifest, indent=2).encode() + b"\n")
    return [*names, MANIFEST]


def backup_restore(
    connection: BaseDatabaseWrapper, keys_dir: Path, directory: Path, *, checkpoints: Path | None = None
) -> list[str]:
    """Puts a backup into an empty place: no database, no keys. Returns the names of the files it restored.

    Notes go back into `checkpoints` beside those that are there, none of which is touched: they may be newer.
    Every file is compared with the manifest before anything is written. Raises `BackupFailed`.
    """
    names = _manifest_check(directory, connection.vendor)
    if keys_dir.is_dir() and any(keys_dir.iterdir()):
        raise BackupFailed(f"{keys_dir} holds keys already; restore only into an empty data directory.")
    if connection.vendor == "sqlite":
        target = Path(str(connection.settings_dict["NAME"]))
        if target.exists():
            raise BackupFailed(f"{target} exists already; restore never overwrites a database.")
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _copy_private(directory / SQLITE_NAME, target)
    else:
        if connection.introspection.table_names():
            raise BackupFailed("The database is not empty; restore never overwrites one.")
        _pg_run(
            connection,
            "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            str(directory / DUMP_NAME),
        )
    if (directory / KEYS).is_dir():
        _keys_copy(directory / KEYS, keys_dir)
    if checkpoints is not None and CHECKPOINTS in names:
        _notes_unpack(directory / CHECKPOINTS, checkpoints)
    return names


def _manifest_check(directory: Path, vendor: str) -> list[str]:
    try:
        manifest = json.loads((directory / MANIFEST).read_bytes())
        sums: dict[str, str] = manifest["sha256"]
        made_for = manifest["database"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupFailed(f"{directory} holds no readable backup ({MANIFEST}: {error}).") from error
    if made_for != vendor:
        raise BackupFailed(f"The backup is of {made_for}, and DATABASE_URL names {vendor}.")
    for name, digest in sums.items():
        path = directory / name
        if name.startswith(f"{KEYS}/") and not path.exists():
            continue  # kept elsewhere; the operator brings them by hand
        if not path.is_file() or _sha256(path) != digest:
            raise BackupFailed(f"{path} is missing or differs from the manifest; the backup is damaged.")
    return [name for name in sums if (directory / name).exists()]


def _keys_copy(source: Path, target: Path) -> list[str]:
    if not source.is_dir():
        return []
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    names = sorted(path.name for path in source.iterdir() if path.is_file())
    for name in names:
        _copy_private(source / name, target / name)
    return [f"{KEYS}/{name}" for name in names]


def _notes_pack(folder: Path, directory: Path) -> list[str]:
    """One file for all of them: there may be one a minute, for years."""
    notes = [path for path in sorted(folder.rglob("*.note")) if not path.name.startswith(".")]
    if not notes:
        return []
    draft = directory / f".{CHECKPOINTS}.draft"
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with tarfile.open(draft, "w") as archive:
        for path in notes:
            archive.add(path, arcname=str(path.relative_to(folder)), recursive=False)
    _settle(draft, directory / CHECKPOINTS)
    return [CHECKPOINTS]


def _notes_unpack(packed: Path, folder: Path) -> None:
    with tarfile.open(packed) as archive:
        for member in archive:
            content = archive.extractfile(member)
            target = folder / member.name
            if content is None or not NOTE_NAME.fullmatch(member.name) or target.exists():
                continue
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_private(target, content.read())
            target.chmod(0o644)  # as they are published: for others to read


def _pg_run(connection: BaseDatabaseWrapper, program: str, *arguments: str) -> None:
    """Runs a client program on the connection's database; the password travels in the environment."""
    path = shutil.which(program)
    if path is None:
        raise BackupFailed(f"{program} is not installed; it comes with PostgreSQL's client programs.")
    settings = connection.settings_dict
    variables = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGSSLMODE": settings.get("OPTIONS", {}).get("sslmode", ""),
    }
    environment = {**os.environ, **{name: str(value) for name, value in variables.items() if value}}
    command = [path, f"--dbname={settings['NAME']}", *arguments]
    result = subprocess.run(  # noqa: S603 - two programs, arguments of our own
        command, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        raise BackupFailed(f"{program} failed: {result.stderr.strip()[-1000:]}")


def _room_check(size: int, where: Path) -> None:
    free = shutil.disk_usage(where).free
    if free < size * 1.1:
        raise BackupFailed(f"A copy needs {size / 2**20:.0f} MB, and {where} has {free / 2**20:.0f} MB free.")


def _copy_private(source: Path, target: Path) -> None:
    draft = target.with_name(f".{target.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        shutil.copyfileobj(reader, writer)
    _settle(draft, target)


def _write_private(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as writer:
        writer.write(content)
    _settle(draft, path)


def _settle(draft: Path, target: Path) -> None:
    """The finished file under its name, and both on the disk."""
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    draft.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
