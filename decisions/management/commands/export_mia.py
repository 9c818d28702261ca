"""`manage.py export_mia`: MIA files out."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.management.account import account_argument, account_of
from decisions.management.periods import period_arguments, period_of
from decisions.mia_export import ExportFailed, tree_export
from mia_site.audit.actors import command_actor


class Command(BaseCommand):
    """Writes the specification's tree of one account; what it writes imports again with nothing new."""

    help = "Writes the specification's files (snapshots, decision, penalty and performance logs); times are UTC."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="where the tree is written")
        account_argument(parser)
        period_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        period = period_of(options)
        account = account_of(options)
        try:
            reports = tree_export(options["folder"], account=account, period=period, actor=command_actor("export_mia"))
        except ExportFailed as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(_("The database could not be read: %(error)s") % {"error": error}) from error
        for report in reports:
            rows = ngettext("%(rows)d row", "%(rows)d rows", report.rows) % {"rows": report.rows}
            self.stdout.write(f"{report.path}: {rows}")
            if report.others:
                text = ngettext(
                    "%(count)d other file was in that folder before and is not of this export",
                    "%(count)d other files were in that folder before and are not of this export",
                    report.others,
                )
                self.stdout.write(f"    {text % {'count': report.others}}")
