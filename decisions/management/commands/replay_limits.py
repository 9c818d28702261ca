"""`manage.py replay_limits FILE`: what other limits would have done."""

import io
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from decisions.management.account import account_argument, account_of
from decisions.management.periods import period_arguments, period_of
from decisions.mia_export import export_journal, replaced
from decisions.replay.run import WHAT, Course, Replay, course_open
from decisions.replay.table import Row, Table, state_rows
from decisions.replay.words import money_lines, remarks, turn_lines
from mia_site.audit.actors import command_actor
from mia_site.audit.verification.progress import Progress
from mia_site.ops.timings import timed
from risk.inputs import InputError
from risk.management.limits_file import limits_file_read
from risk.models import Account
from risk.rules.drawdown import PointError
from risk.rules.limits import Limits, LimitsError
from risk.rules.replay_gate import rules_carried
from risk.selectors.desk import limits_inheriting


class Command(BaseCommand):
    """Changes nothing of the account; that somebody looked is journalled."""

    help = "Replays an account's recorded equity and decisions under other limits, beside what happened."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", metavar="FILE", help="limits as YAML, as `limits export` writes; - is standard input"
        )
        account_argument(parser)
        period_arguments(parser)
        parser.add_argument("-o", "--output", type=Path, metavar="CSV", help="every decision and stop, side by side")

    def handle(self, *args: Any, **options: Any) -> None:
        period, account = period_of(options), account_of(options)
        try:
            limits = limits_inheriting(limits_file_read(options["file"]))
            export_journal(account, actor=command_actor("replay_limits"), what=WHAT, period=period)
            course = course_open(account, period)
            with timed("replay_limits"), _table(options["output"]) as table:
                _replay(account, limits, course, table)
                rows = list(state_rows(account, course))
                table.states(rows)
        except (InputError, LimitsError) as error:
            raise CommandError(str(error)) from error
        except PointError as error:
            told = _("These limits cannot measure the account's equity: %(error)s")
            raise CommandError(told % {"error": error}) from error
        except OSError as error:
            told = _("%(path)s could not be written: %(error)s")
            raise CommandError(told % {"path": options["output"], "error": error.strerror or error}) from error
        self._show(course, rows, rules_carried(limits))

    def _show(self, course: Course, rows: list[Row], carried: list[str]) -> None:
        for told, figure in (*turn_lines(course.totals), *money_lines(course.totals)):
            self.stdout.write(f"{told}: {figure}")
        for row in rows:
            side = _("happened") if row.get("happened") else _("would have happened")
            state = row.get("happened") or row.get("would_have")
            self.stdout.write(f"{row['at']} {side}: {state} {row.get('rule', '')} {row.get('drawdown', '')}".rstrip())
        for remark in remarks(course, carried):
            self.stdout.write(self.style.WARNING(remark))


def _replay(account: Account, limits: Limits, course: Course, table: Table) -> None:
    progress = Progress(sys.stderr, course.total)
    Replay(account, limits, course, sink=table.decision).run(told=progress.step)
    progress.step(course)
    progress.end()


@contextmanager
def _table(path: Path | None) -> Iterator[Table]:
    """The table to write, whole or not there; without a path nothing is kept."""
    if path is None:
        yield Table(_Nowhere())
        return
    with replaced(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8")
        yield Table(text)
        text.detach()  # flushed, and the file left open


class _Nowhere:
    def write(self, text: str, /) -> None:
        """Keeps nothing."""
