"""Of what the commands `halt` and `resume` speak: an account, the desk, or one client, algorithm or instrument."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from risk.risk_controller import stop_place
from risk.rules.facts import StopScope
from risk.scoped_stops import StopPlace


def place_arguments(parser: ArgumentParser) -> None:
    """Adds the options; `place_of` reads them."""
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--desk", action="store_true", help="all accounts")
    one.add_argument("--client", help="one API client, by its name")
    one.add_argument("--algorithm", help="one algorithm, as bots name it; with --account only there")
    one.add_argument("--instrument", help="one instrument or root (ES stops ESZ6 too); with --account only there")
    parser.add_argument("--account", help="the account, or where the algorithm or instrument is meant")


def place_of(options: dict[str, Any]) -> StopPlace | None:
    """The client, algorithm or instrument that is meant; None: the account, or the desk. Raises `InputError`, and
    `CommandError` where the options say nothing or contradict each other."""
    for scope in StopScope:
        if options[scope.value] is not None:
            return stop_place(scope, options[scope.value], options["account"])
    if options["desk"] == bool(options["account"]):
        raise CommandError("say what: --desk, --account, --client, --algorithm or --instrument")
    return None


def place_told(place: StopPlace | None, options: dict[str, Any]) -> str:
    """The place in words for the terminal."""
    if place is None:
        return options["account"] or "desk"
    return f"{place.scope.value} {place.key} ({place.account or 'desk'})"
