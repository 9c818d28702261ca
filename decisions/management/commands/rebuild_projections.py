"""`manage.py rebuild_projections [--check] [--account CODE]…`: projections as their facts say."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from decisions.projections import projections_check
from risk.locking import AccountUnknown


class Command(BaseCommand):
    help = (
        "Replays the facts in the order of seq and rebuilds account states, admissions, the shadow report and the "
        "desk's state"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only name the differences; exit 1 if there are any")
        parser.add_argument("--account", action="append", metavar="CODE", help="this account (all by default)")

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        try:
            for difference in projections_check(options["account"], rebuild=not options["check"]):
                count += 1
                self.stdout.write(str(difference))
        except AccountUnknown as error:
            raise CommandError(str(error)) from error
        if options["check"] and count:
            raise CommandError(_("%(count)s differences") % {"count": count})
        text = _("%(count)s differences mended") if count else _("the projections are what their facts say")
        self.stdout.write(text % {"count": count})
