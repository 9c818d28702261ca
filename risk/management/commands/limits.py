"""Limits on the command line: export, import, set; approve, reject, withdraw, review."""

from argparse import ArgumentParser
from typing import Any

import yaml
from django.core.management.base import BaseCommand, CommandError

from risk.inputs import InputError
from risk.limits_document import assignments_apply, document_own, document_text
from risk.locking import AccountUnknown
from risk.management.law import act_arguments, act_do, submitter, waiting_told, way_arguments, way_of
from risk.management.limits_file import limits_file_read
from risk.models import AccountState, LimitsVersion
from risk.risk_controller import limits_submit
from risk.rules.limits import LimitsError
from risk.selectors.desk import defaults_of


class Command(BaseCommand):
    help = (
        "Limits as YAML. import and set take effect at once if none exist or they only tighten; else they are proposed "
        "and a second person approves them, or they go the way of the desk's policy."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="print the limits in force; what the account inherits, as comments")
        export.add_argument("code")
        export.add_argument(
            "--effective", action="store_true", help="one complete document, wherever its values are from"
        )
        load = actions.add_parser("import", help="read a YAML file, - for standard input")
        load.add_argument("code")
        load.add_argument("file")
        load.add_argument("--reason", required=True)
        way_arguments(load)
        change = actions.add_parser(
            "set", help="change single values: max_drawdown=0.05 pace.max_openings_per_hour=5 features=off"
        )
        change.add_argument("code")
        change.add_argument("assignments", nargs="+", metavar="NAME=VALUE")
        change.add_argument("--reason", required=True)
        way_arguments(change)
        act_arguments(actions, account=True)

    def handle(self, *args: Any, **options: Any) -> None:
        states = AccountState.objects.select_related("account", "limits__desk_limits")
        state = states.filter(account__code=options["code"]).first()
        if state is None:
            raise CommandError(str(AccountUnknown(options["code"])))
        try:
            getattr(self, f"_{options['action']}", self._act)(state, options)
        except (InputError, LimitsError) as error:
            raise CommandError(str(error)) from error

    def _export(self, state: AccountState, options: dict[str, Any]) -> None:
        if state.limits is None:
            raise CommandError(f"No limits are set for {state.account.code}.")
        version = state.limits
        desk = "" if version.desk_limits is None else f", under version {version.desk_limits.version} of the desk's"
        self.stdout.write(f"# {state.account.code}, version {version.version}{desk}")
        if options["effective"]:
            text = yaml.safe_dump(version.body, sort_keys=False, allow_unicode=True)
        else:
            text = document_text(version.body, version.own, defaults_of(version))
        self.stdout.write(text, ending="")

    def _import(self, state: AccountState, options: dict[str, Any]) -> None:
        self._submit(state, limits_file_read(options["file"]), options)

    def _set(self, state: AccountState, options: dict[str, Any]) -> None:
        body, own = ({}, {}) if state.limits is None else (state.limits.body, state.limits.own)
        rules, own = body.get("drawdown", ()), document_own(body, own)
        document = assignments_apply(own, options["assignments"], reason=options["reason"], inherited=rules)
        self._submit(state, document, options)

    def _act(self, state: AccountState, options: dict[str, Any]) -> None:
        version = LimitsVersion.objects.filter(account=state.account, version=options["version"]).first()
        if version is None:
            raise CommandError(f"{state.account.code} has no limits version {options['version']}.")
        self.stdout.write(f"{state.account.code}: {act_do(options['action'], version, options)}")

    def _submit(self, state: AccountState, document: dict[str, Any], options: dict[str, Any]) -> None:
        code = state.account.code
        told = limits_submit(
            code, document, actor=submitter("limits", options), reason=options["reason"], way=way_of(options)
        )
        if not told.changed:
            self.stdout.write(f"{code}: nothing new; version {told.version.version} says the same.")
        elif told.version.way is None and told.applied:
            self.stdout.write(f"{code}: limits version {told.version.version} are in force.")
        else:
            standing = waiting_told(told.version)
            self.stdout.write(f"{code}: limits version {told.version.version} loosens and is {standing}.")
