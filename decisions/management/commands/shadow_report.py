"""`manage.py shadow_report`: what rules in shadow would have stopped, and what came of it."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from decisions.management.periods import period_arguments, period_of
from decisions.mia_export import ExportFailed
from decisions.shadow_export import report_write
from decisions.shadow_report import COLUMNS, ShadowLine, Span, shadow_cells, shadow_lines, shadow_of
from mia_site.audit.actors import command_actor
from risk.locking import AccountUnknown
from risk.models import Account
from risk.rules.limits import RuleName

FILTERS = ("account", "rule", "since", "until", "by")


class Command(BaseCommand):
    help = "What rules in shadow would have blocked or reduced, and the profit or loss of those trades."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", default="", metavar="CODE", help="one account (all by default)")
        parser.add_argument("--rule", default="", choices=[name.value for name in RuleName], help="one rule")
        period_arguments(parser)
        parser.add_argument("--by", choices=[span.value for span in Span], help="a line for each (UTC)")
        parser.add_argument(
            "-o", "--output", type=Path, metavar="FILE", help="CSV into a file; the journal tells of it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        period, account = period_of(options), _account(options["account"])
        rows = shadow_of(account=options["account"], rule=options["rule"], period=period)
        lines = shadow_lines(rows, Span(options["by"]) if options["by"] else None)
        if options["output"] is None:
            self._print(lines)
            return
        filters = {name: str(options[name]) for name in FILTERS if options[name]}
        try:
            report_write(
                options["output"], lines, account=account, filters=filters, actor=command_actor("shadow_report")
            )
        except ExportFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['output']}: {len(lines)}")

    def _print(self, lines: Sequence[ShadowLine]) -> None:
        if not lines:
            self.stdout.write(_("No rule in shadow found fault with a decision."))
            return
        table = [COLUMNS, *((str(cell) for cell in cells) for cells in shadow_cells(lines))]
        rows = [list(row) for row in table]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(padded).rstrip())


def _account(code: str) -> Account | None:
    if not code:
        return None
    account = Account.objects.filter(code=code).first()
    if account is None:
        raise CommandError(str(AccountUnknown(code)))
    return account
