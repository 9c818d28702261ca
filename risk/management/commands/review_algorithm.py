"""A review of an algorithm on the command line: it counts anew and, if it was disabled, trades again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mia_site.audit.actors import command_actor
from risk.algorithms import algorithm_review
from risk.inputs import InputError
from risk.locking import AccountUnknown


class Command(BaseCommand):
    help = "Record that somebody reviewed an algorithm: its openings count anew, and it is enabled again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("algorithm", help="as bots name it")
        parser.add_argument("--account", required=True)
        parser.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        told = {name: options[name] for name in ("algorithm", "account", "reason")}
        try:
            switch = algorithm_review(**told, actor=command_actor("review_algorithm"))
        except (InputError, AccountUnknown) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{switch.key} ({options['account']}): reviewed after {switch.executions} openings")
