"""`manage.py desk_limits export | import FILE --reason TEXT | approve VERSION …`: the desk's own document as YAML."""

from argparse import ArgumentParser
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from risk.inputs import InputError
from risk.management.law import ACTS, act_arguments, act_do, submitter, waiting_told, way_arguments, way_of
from risk.management.limits_file import limits_file_read
from risk.models import Desk, DeskLimitsVersion
from risk.risk_controller import desk_limits_submit
from risk.rules.limits import LimitsError


class Command(BaseCommand):
    help = (
        "The desk's document as YAML: currency, timezone, drawdown, confirmation, exposure, rules, loosening, and "
        "accounts, the defaults of every account. import takes effect at once if it only tightens; else a second "
        "person approves it, or it goes the way of the policy in force."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("export", help="print the rules in force")
        load = actions.add_parser("import", help="read a YAML file, - for standard input")
        load.add_argument("file")
        load.add_argument("--reason", required=True)
        way_arguments(load)
        act_arguments(actions, account=False)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "export":
            self._export()
            return
        try:
            if options["action"] in ACTS:
                self.stdout.write(act_do(options["action"], self._version(options["version"]), options))
                return
            told = desk_limits_submit(
                limits_file_read(options["file"]), actor=submitter("desk_limits", options), reason=options["reason"],
                way=way_of(options),
            )  # fmt: skip
        except (InputError, LimitsError) as error:
            raise CommandError(str(error)) from error
        if not told.changed:
            text = _("nothing new: version %(version)s says the same")
        elif told.version.way is None and told.applied:
            text = _("version %(version)s of the desk's limits is in force")
        else:
            text = _("version %(version)s loosens and is %(standing)s")
        self.stdout.write(text % {"version": told.version.version, "standing": waiting_told(told.version)})

    def _version(self, number: int) -> DeskLimitsVersion:
        version = DeskLimitsVersion.objects.filter(version=number).first()
        if version is None:
            raise CommandError(_("the desk has no limits version %(version)s") % {"version": number})
        return version

    def _export(self) -> None:
        desk = Desk.objects.select_related("limits").filter(id=1).first()
        if desk is None or desk.limits is None:
            raise CommandError(_("the desk has no limits of its own"))
        self.stdout.write(f"# desk, version {desk.limits.version}")
        self.stdout.write(yaml.safe_dump(desk.limits.body, sort_keys=False, allow_unicode=True), ending="")
