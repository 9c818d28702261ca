"""`manage.py import_mia`: MIA files in."""

from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.mia_import import FileReport, ImportRequest, PathRefused, mia_import, zone_named
from mia_site.audit.actors import command_actor
from risk.locking import AccountUnknown, account_only
from risk.models import Account

SHOWN_ERRORS = 20


class Command(BaseCommand):
    """Imports each file that is good, says what it did with every one, and ends with 1 if anything was
    rejected.
    """

    help = "Imports MIA files, recognised by content: calendars, features, market memory, limits, histories."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="a file, or a folder with files of any depth")
        parser.add_argument("--account", default="", help="whose limits and history it is (the only account)")
        parser.add_argument(
            "--timezone",
            default="",
            help="where times without a zone were written, such as America/New_York (MIA_IMPORT_TIMEZONE)",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, write nothing")
        parser.add_argument(
            "--equity", action="store_true", help="import the equity that signals state too (simulated)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        request = ImportRequest(
            actor=command_actor("import_mia"),
            account=_account(options["account"]),
            zone=_zone(options["timezone"]),
            equity=options["equity"],
            dry_run=dry_run,
            progress=self._progress(),
        )
        if dry_run:
            self.stdout.write(_("Dry run: nothing is written."))
        files, refused, rows = 0, 0, 0
        try:
            for report in mia_import(options["path"], request):
                self._show(report, verbosity=options["verbosity"])
                files += 1
                refused += bool(report.refused)
                rows += len(report.errors)
        except PathRefused as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                _("The database could not be written (%(error)s). What is shown above is done: run it again.")
                % {"error": error}
            ) from error
        if refused or rows:
            raise CommandError(_rejections(files, refused, rows))

    def _progress(self) -> Callable[[str, int, int], None]:
        """One line on a terminal, rewritten as the rows of a long file are done."""
        if not self.stderr.isatty():
            return lambda _name, _done, _total: None

        def show(name: str, done: int, total: int) -> None:
            line = f"{name}: {done:,} / {total:,}" if done < total else ""
            self.stderr.write(f"\r\x1b[K{line}", ending="")
            self.stderr.flush()

        return show

    def _show(self, report: FileReport, *, verbosity: int) -> None:
        counts = _("read %(read)d, imported %(imported)d, unchanged %(unchanged)d, rejected %(rejected)d") % {
            "read": report.read,
            "imported": report.imported,
            "unchanged": report.unchanged,
            "rejected": report.rejected,
        }
        kind = f" ({report.kind})" if report.kind else ""
        line = f"{report.name}{kind}: {counts}"
        self.stdout.write(self.style.ERROR(line) if report.rejected else line)
        if report.refused:
            self.stdout.write(f"    {report.refused}")
        for error in report.errors[:SHOWN_ERRORS]:
            where = _("line %(line)d: %(message)s") % {"line": error.line, "message": error.message}
            self.stdout.write(f"    {where}")
        more = len(report.errors) - SHOWN_ERRORS
        if more > 0:
            text = ngettext("and %(count)d more rejected row", "and %(count)d more rejected rows", more)
            self.stdout.write(f"    {text % {'count': more}}")
        if verbosity > 0:
            for note in (*report.notes, *(report.details if verbosity > 1 else ())):
                self.stdout.write(f"    {note}")


def _account(code: str) -> str:
    """The account that was named, or the only one; "" where there is neither."""
    if not code:
        try:
            return account_only()
        except AccountUnknown:
            return ""
    if not Account.objects.filter(code=code).exists():
        raise CommandError(
            _("There is no account %(code)s. Open it: manage.py create_account %(code)s --initial-balance N")
            % {"code": code}
        )
    return code


def _zone(name: str) -> Any:
    try:
        return zone_named(name or settings.MIA_IMPORT_TIMEZONE)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _rejections(files: int, refused: int, rows: int) -> str:
    parts = []
    if refused:
        text = ngettext(
            "%(refused)d file of %(files)d was rejected",
            "%(refused)d files of %(files)d were rejected",
            refused,
        )
        parts.append(text % {"refused": refused, "files": files})
    if rows:
        parts.append(ngettext("%(rows)d row was rejected", "%(rows)d rows were rejected", rows) % {"rows": rows})
    return _("%(what)s; everything else is done.") % {"what": ", ".join(parts)}
