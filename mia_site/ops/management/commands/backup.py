"""`manage.py backup DIR`."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mia_site.ops.backups import BackupFailed, backup_create


class Command(BaseCommand):
    """A copy of a running or stopped desk."""

    help = "Copies the database, whole at one moment, published checkpoints, and apart from them the signing keys."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR", help="new or empty")

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"].expanduser().resolve()
        try:
            names = backup_create(
                connection, Path(settings.KEYS_DIR), directory, datetime.now(UTC),
                checkpoints=Path(settings.CHECKPOINTS_DIR),
            )  # fmt: skip
        except (BackupFailed, OSError) as error:
            raise CommandError(str(error)) from error
        for name in names:
            self.stdout.write(str(directory / name))
