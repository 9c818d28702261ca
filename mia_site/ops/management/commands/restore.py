"""`manage.py restore DIR`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from mia_site.ops.backups import BackupFailed, backup_restore
from mia_site.ops.starting import data_dir_prepare
from mia_site.ops.supervisor.lock import Refused, data_dir_lock


class Command(BaseCommand):
    """Only into an empty place; what exists is never overwritten."""

    help = "Restores what `backup` wrote to DIR into an empty data directory (and an empty PostgreSQL database)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        directory: Path = options["directory"].expanduser().resolve()
        data_dir = Path(settings.DATA_DIR)
        try:
            data_dir_prepare(data_dir)
            with data_dir_lock(data_dir):
                outside = Path(settings.CHECKPOINTS_DIR)
                names = backup_restore(connection, Path(settings.KEYS_DIR), directory, checkpoints=outside)
        except (BackupFailed, Refused, OSError) as error:
            raise CommandError(str(error)) from error
        for name in names:
            self.stdout.write(name)
