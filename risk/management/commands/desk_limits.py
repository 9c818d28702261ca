"""`manage.py desk_limits export | import FILE --reason TEXT`: the desk's own drawdown rules as YAML."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mia_site.audit.actors import command_actor
from risk.inputs import InputError
from risk.limits_document import document_read
from risk.models import Desk
from risk.risk_controller import desk_limits_submit
from risk.rules.limits import LimitsError

MAX_BYTES = 256 * 1024


class Command(BaseCommand):
    help = (
        "The desk's drawdown rules as YAML: currency, timezone, drawdown, confirmation. import takes effect at once if "
        "there are none or it only tightens; else a second person approves it in the admin."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("export", help="print the rules in force")
        load = actions.add_parser("import", help="read a YAML file, - for standard input")
        load.add_argument("file")
        load.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "export":
            self._export()
            return
        try:
            text = sys.stdin.read(MAX_BYTES) if options["file"] == "-" else Path(options["file"]).read_text("utf-8")
            told = desk_limits_submit(
                document_read(text[:MAX_BYTES]), actor=command_actor("desk_limits"), reason=options["reason"]
            )
        except (InputError, LimitsError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        if not told.changed:
            text = _("nothing new: version %(version)s says the same")
        elif told.applied:
            text = _("version %(version)s of the desk's limits is in force")
        else:
            text = _("version %(version)s loosens and is proposed: a second person approves it in the admin")
        self.stdout.write(text % {"version": told.version.version})

    def _export(self) -> None:
        desk = Desk.objects.select_related("limits").filter(id=1).first()
        if desk is None or desk.limits is None:
            raise CommandError(_("the desk has no limits of its own"))
        self.stdout.write(f"# desk, version {desk.limits.version}")
        self.stdout.write(yaml.safe_dump(desk.limits.body, sort_keys=False, allow_unicode=True), ending="")
