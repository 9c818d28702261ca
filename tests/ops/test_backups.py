"""Backups: whole, private, apart from the keys, and never over something that exists."""

import json
import re
import shutil
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from mia_site.audit.models import Checkpoint
from mia_site.audit.sealing import SealRefused, seal_pending
from mia_site.ops import backups
from mia_site.ops.backups import BackupFailed, backup_before_migrate, backup_create, backup_restore
from tests.audit.ledgers import facts_write, ledger_grow, notes_of
from tests.environment import is_sqlite

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


def _dump_can_be_made() -> None:
    """Skips where this machine's pg_dump is missing, or older than the server it would have to read."""
    if is_sqlite():
        return
    program = shutil.which("pg_dump")
    if program is None:
        pytest.skip("pg_dump is not installed")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    if int(re.findall(r"\d+", version)[0]) < server:
        pytest.skip(f"{version.strip()} cannot read a server of version {server}")


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    (folder / "receipt").write_text("private key")
    return folder


@pytest.fixture
def backup(cloned_database: str, keys: Path, tmp_path: Path) -> Path:
    """A backup of a desk with one user, Ada."""
    _dump_can_be_made()
    User.objects.create_user("ada")
    backup_create(connection, keys, tmp_path / "backup", NINE)
    return tmp_path / "backup"


def test_a_backup_holds_the_database_and_apart_from_it_the_keys(backup: Path) -> None:
    name = "database.sqlite3" if is_sqlite() else "database.dump"
    assert {str(path.relative_to(backup)) for path in backup.rglob("*") if path.is_file()} == {
        name,
        "keys/receipt",
        "manifest.json",
    }
    for path in backup.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    manifest = json.loads((backup / "manifest.json").read_text())
    assert manifest["made_at"] == "2026-03-02T09:00:00+00:00"
    assert set(manifest["sha256"]) == {name, "keys/receipt"}


def test_what_is_restored_is_what_was_there(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_sqlite():
        pytest.skip("see test_a_dump_is_restored_into_an_empty_database")
    target = tmp_path / "restored" / "mia.sqlite3"
    with monkeypatch.context() as elsewhere:
        elsewhere.setitem(connection.settings_dict, "NAME", str(target))
        names = backup_restore(connection, tmp_path / "restored" / "keys", backup)
    assert names == ["database.sqlite3", "keys/receipt"]
    assert (tmp_path / "restored" / "keys" / "receipt").read_text() == "private key"
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT username FROM auth_user").fetchall() == [("ada",)]
        triggers = copy.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger'").fetchone()
    assert triggers[0] > 0


@pytest.mark.postgres
def test_a_dump_is_restored_into_an_empty_database(backup: Path, tmp_path: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    backup_restore(connection, tmp_path / "restored-keys", backup)
    assert User.objects.get().username == "ada"
    with pytest.raises(BackupFailed, match="not empty"):
        backup_restore(connection, tmp_path / "other-keys", backup)


def test_a_database_that_exists_is_not_overwritten(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="never overwrites"):
        backup_restore(connection, tmp_path / "other-keys", backup)


def test_keys_that_exist_are_not_overwritten(backup: Path, keys: Path) -> None:
    with pytest.raises(BackupFailed, match="holds keys already"):
        backup_restore(connection, keys, backup)


def test_a_damaged_backup_is_refused_before_anything_is_written(backup: Path, tmp_path: Path) -> None:
    database = next(backup.glob("database.*"))
    content = bytearray(database.read_bytes())
    content[len(content) // 2] ^= 1
    database.write_bytes(content)
    with pytest.raises(BackupFailed, match="differs from the manifest"):
        backup_restore(connection, tmp_path / "other-keys", backup)
    assert not (tmp_path / "other-keys").exists()


def test_a_directory_that_is_no_backup_is_refused(cloned_database: str, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="holds no readable backup"):
        backup_restore(connection, tmp_path / "other-keys", tmp_path)


def test_a_full_directory_gets_no_backup(cloned_database: str, keys: Path, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match="is not empty"):
        backup_create(connection, keys, tmp_path, NINE)


def test_a_backup_that_fails_leaves_nothing_behind(
    cloned_database: str, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dump_can_be_made()

    def fail(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(backups, "_keys_copy", fail)
    with pytest.raises(OSError, match="No space left"):
        backup_create(connection, keys, tmp_path / "backup", NINE)
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_a_disk_without_room_gets_no_backup(backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not is_sqlite():
        pytest.skip("pg_dump writes what it can and reports it")
    monkeypatch.setattr("mia_site.ops.backups.shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(BackupFailed, match="has 0 MB free"):
        backup_before_migrate(connection, tmp_path / "backups", NINE)
    assert list((tmp_path / "backups").iterdir()) == []


def test_the_five_newest_copies_before_migrations_are_kept(cloned_database: str, tmp_path: Path) -> None:
    if not is_sqlite():
        pytest.skip("only SQLite is copied before a migration")
    made = [backup_before_migrate(connection, tmp_path, NINE + timedelta(days=day)) for day in range(7)]
    assert sorted(tmp_path.iterdir()) == made[2:]


@pytest.mark.postgres
def test_without_pg_dump_the_message_says_what_to_install(
    cloned_database: str, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mia_site.ops.backups.shutil.which", lambda _: None)
    with pytest.raises(BackupFailed, match="pg_dump is not installed"):
        backup_create(connection, keys, tmp_path / "backup", NINE)


def test_the_commands_report_in_words(
    cloned_database: str, keys: Path, tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    _dump_can_be_made()
    settings.KEYS_DIR = keys
    call_command("backup", str(tmp_path / "backup"))
    assert str(tmp_path / "backup" / "manifest.json") in capsys.readouterr().out
    with pytest.raises(CommandError, match="is not empty"):
        call_command("backup", str(tmp_path / "backup"))
    settings.DATA_DIR = tmp_path / "data"
    with pytest.raises(CommandError, match="holds keys already"):
        call_command("restore", str(tmp_path / "backup"))


# Checkpoints


@contextmanager
def empty_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The default connection leads to a database without a table."""
    if is_sqlite():
        connection.close()
        with monkeypatch.context() as elsewhere:
            elsewhere.setitem(connection.settings_dict, "NAME", str(tmp_path / "restored" / "mia.sqlite3"))
            yield
            connection.close()
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA public CASCADE")
        cursor.execute("CREATE SCHEMA public")
    yield


@pytest.fixture
def sealed_backup(cloned_database: str, outside: Path, tmp_path: Path) -> Path:
    """A backup of a desk whose ledger has three checkpoints, which has gone on since."""
    _dump_can_be_made()
    ledger_grow(2, 3, 4)
    backup_create(connection, Path(settings.KEYS_DIR), tmp_path / "backup", NINE, checkpoints=outside)
    ledger_grow(5)
    return tmp_path / "backup"


def test_a_restore_elsewhere_brings_the_checkpoints_and_the_ledger_goes_on(
    sealed_backup: Path, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    published = {path.name: path.read_text() for path in notes_of(outside)[:3]}
    settings.CHECKPOINTS_DIR, settings.KEYS_DIR = tmp_path / "new-outside", tmp_path / "new-keys"

    with empty_database(tmp_path, monkeypatch):
        names = backup_restore(connection, settings.KEYS_DIR, sealed_backup, checkpoints=settings.CHECKPOINTS_DIR)
        found = {path.name: path.read_text() for path in notes_of(settings.CHECKPOINTS_DIR)}
        latest = (settings.CHECKPOINTS_DIR / "latest.note").read_text()
        ledger_grow(1)
        grown = Checkpoint.objects.count()

    assert "checkpoints.tar" in names
    assert found == published
    assert latest == published[max(published)]
    assert grown == 4


def test_a_newer_note_outside_is_left_alone_and_the_sealer_refuses(
    sealed_backup: Path, outside: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    newer = {path: path.read_text() for path in [*notes_of(outside), outside / "latest.note"]}
    settings.KEYS_DIR = tmp_path / "new-keys"

    with empty_database(tmp_path, monkeypatch):
        backup_restore(connection, settings.KEYS_DIR, sealed_backup, checkpoints=outside)
        facts_write(1)
        with pytest.raises(SealRefused, match="was published"):
            seal_pending()

    assert {path: path.read_text() for path in [*notes_of(outside), outside / "latest.note"]} == newer


def test_an_archive_writes_nothing_but_notes_and_nowhere_else(tmp_path: Path) -> None:
    packed, folder = tmp_path / "checkpoints.tar", tmp_path / "in" / "checkpoints"
    with tarfile.open(packed, "w") as archive:
        for name in ("../escaped.note", "/tmp/absolute.note", "evil.sh", "2026-03-02/0000-1.note", "latest.note"):
            archive.addfile(tarfile.TarInfo(name))

    backups._notes_unpack(packed, folder)

    written = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert written == ["checkpoints.tar", "in/checkpoints/2026-03-02/0000-1.note", "in/checkpoints/latest.note"]
