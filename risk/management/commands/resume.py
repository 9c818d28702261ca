"""Lifts a stop that another person entered; the peaks stay."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mia_site.audit.actors import command_actor
from mia_site.audit.management.people import person_log_in
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.management.places import place_arguments, place_of, place_told
from risk.risk_controller import desk_resume, scope_resume, trading_resume
from risk.roles import RESUME
from risk.rules.facts import TradingState


class Command(BaseCommand):
    help = "Resume trading of one account, the whole desk, or one client, algorithm or instrument."

    def add_arguments(self, parser: ArgumentParser) -> None:
        place_arguments(parser)
        parser.add_argument("--reason", required=True)
        parser.add_argument("--reduce-only", action="store_true", help="let exits pass only")
        parser.add_argument("--user", help="who resumes; logs in here")
        parser.add_argument("--break-glass", action="store_true", help="resume what one halted oneself, to be reviewed")

    def handle(self, *args: Any, **options: Any) -> None:
        state = TradingState.REDUCE_ONLY if options["reduce_only"] else TradingState.ACTIVE
        actor = person_log_in(options["user"], RESUME) if options["user"] else command_actor("resume")
        told: dict[str, Any] = {
            "reason": options["reason"], "actor": actor, "state": state, "break_glass": options["break_glass"],
        }  # fmt: skip
        try:
            place = place_of(options)
            if place is not None:
                change = scope_resume(place, **told)
            else:
                change = desk_resume(**told) if options["desk"] else trading_resume(account=options["account"], **told)
        except (InputError, AccountUnknown) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{place_told(place, options)}: {change.from_state} -> {change.to_state}")
