"""`manage.py audit_continue --reason TEXT`: two people declare the gap of a restore."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mia_site.audit.continuation import ContinuationRefused, ledger_continue, situation
from mia_site.audit.management.people import person_log_in

PERMISSION = "audit.add_continuation"


class Command(BaseCommand):
    """Both log in here, with the permission to continue the ledger; each later checkpoint declares the gap."""

    help = "After a restore: lets the ledger go on, and declares what was lost. Asks two people for their passwords."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True)
        parser.add_argument("--first", required=True, metavar="USER", help="who asks")
        parser.add_argument("--second", required=True, metavar="USER", help="who agrees")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            now = situation()
            told = _("%(kept)d leaves are here, %(lost)d were published: %(missing)d are lost.")
            self.stdout.write(told % {"kept": now.kept, "lost": now.lost, "missing": now.lost - now.kept})
            first, second = (person_log_in(options[name], PERMISSION) for name in ("first", "second"))
            fact = ledger_continue(reason=options["reason"], asked_by=first, agreed_by=second)
        except ContinuationRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(_("Declared (%(id)s). The next seal says so.") % {"id": fact.pk}))
