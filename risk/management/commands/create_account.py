"""Opens an account."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mia_site.audit.actors import command_actor
from risk.inputs import InputError
from risk.risk_controller import account_open


class Command(BaseCommand):
    help = "Open an account; importers and bots never create one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("code")
        parser.add_argument("--initial-balance", required=True)
        parser.add_argument("--currency", default="USD")
        parser.add_argument("--timezone", default="America/Chicago")
        parser.add_argument("--owner", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        code = options["code"]
        try:
            account_open(
                code, initial_balance=options["initial_balance"], currency=options["currency"],
                timezone=options["timezone"], owner=options["owner"], actor=command_actor("create_account"),
            )  # fmt: skip
        except InputError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Account {code} is open. Next: manage.py doctor --account {code}")
