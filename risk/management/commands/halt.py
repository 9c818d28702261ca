"""The kill switch on the command line: needs the database only, no web server and no Redis."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mia_site.audit.actors import command_actor
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.management.places import place_arguments, place_of, place_told
from risk.risk_controller import desk_halt, scope_halt, trading_halt
from risk.rules.facts import TradingState


def _moment(text: str) -> datetime:
    """A time of the command line that says its zone: a stop that ends an hour too early is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-05-13T14:00:00Z") from error
    if at.tzinfo is None:
        raise ArgumentTypeError(f"{text!r} has no time zone: write {text}Z for UTC")
    return at


class Command(BaseCommand):
    help = "Stop trading of one account, the whole desk, or one client, algorithm or instrument."

    def add_arguments(self, parser: ArgumentParser) -> None:
        place_arguments(parser)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--reduce-only", action="store_true", help="let exits pass (default: nothing passes)")
        parser.add_argument("--until", type=_moment, help="when the stop ends by itself, with a time zone")

    def handle(self, *args: Any, **options: Any) -> None:
        state = TradingState.REDUCE_ONLY if options["reduce_only"] else TradingState.HALTED
        told: dict[str, Any] = {
            "reason": options["reason"], "actor": command_actor("halt"), "state": state, "until": options["until"],
        }  # fmt: skip
        try:
            place = place_of(options)
            if place is not None:
                change = scope_halt(place, **told)
            else:
                change = desk_halt(**told) if options["desk"] else trading_halt(account=options["account"], **told)
        except (InputError, AccountUnknown) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{place_told(place, options)}: {change.from_state} -> {change.to_state}")
