"""Creates an API client and prints its token once, alone on the last line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mia_site.audit.actors import command_actor
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.risk_controller import client_issue


class Command(BaseCommand):
    help = "Create an API client bound to one account; its token is shown once, on the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--account", required=True)
        parser.add_argument("--can-halt", action="store_true", help="it may also stop trading of that account")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            issued = client_issue(
                options["name"], account=options["account"], actor=command_actor("create_client"),
                can_halt=options["can_halt"],
            )  # fmt: skip
        except (InputError, AccountUnknown) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Client {issued.client.name} may use account {options['account']} only. Its token:")
        self.stdout.write(issued.token)
