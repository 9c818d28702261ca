"""What the commands `limits` and `desk_limits` share: the way of a loosening, the acts on a version, and who acts.

An act that one person may do alone, or on another's proposal, is done by a person who logs in: nobody loosens without a
name.
"""

from argparse import ArgumentParser
from typing import Any

from mia_site.audit.actors import Actor, command_actor
from mia_site.audit.management.people import person_log_in
from risk.models import DeskLimitsVersion, LimitsVersion
from risk.risk_controller import desk_limits_decide, limits_decide, limits_review, limits_withdraw
from risk.roles import APPROVE_LIMITS, PROPOSE_LIMITS
from risk.rules.loosening import Way

ACTS = {
    "approve": "put a proposed version in force",
    "reject": "say no to a proposed version",
    "withdraw": "take a version back that waits",
    "review": "keep or revoke what was loosened by break-glass",
}


def way_arguments(parser: ArgumentParser) -> None:
    """Adds the ways of the desk's policy to a command that submits; `way_of` and `submitter` read them."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--delay", action="store_true", help="what loosens takes effect with the next session")
    ways.add_argument("--break-glass", action="store_true", help="what loosens takes effect at once, to be reviewed")
    parser.add_argument("--user", help="who asks for it: needed with --delay and --break-glass; logs in here")


def way_of(options: dict[str, Any]) -> Way | None:
    """The way that is asked for."""
    if options["break_glass"]:
        return Way.BREAK_GLASS
    return Way.NEXT_SESSION if options["delay"] else None


def submitter(command: str, options: dict[str, Any]) -> Actor:
    """Who submits: the person who logs in, else the command."""
    return person_log_in(options["user"], PROPOSE_LIMITS) if options["user"] else command_actor(command)


def act_arguments(actions: Any, *, account: bool) -> None:
    """Adds the acts on a version."""
    for name, told in ACTS.items():
        act = actions.add_parser(name, help=told)
        if account:
            act.add_argument("code")
        act.add_argument("version", type=int)
        if name == "review":
            answer = act.add_mutually_exclusive_group(required=True)
            answer.add_argument("--keep", action="store_true")
            answer.add_argument("--revoke", action="store_true")
        act.add_argument("--user", required=True, help="who acts; logs in here")
        act.add_argument("--reason", required=True)


def act_do(action: str, version: LimitsVersion | DeskLimitsVersion, options: dict[str, Any]) -> str:
    """Does it and says so. Raises `InputError` and `CommandError`."""
    alone = action == "withdraw" or (action == "review" and options["revoke"])
    who = person_log_in(options["user"], APPROVE_LIMITS, *([PROPOSE_LIMITS] if alone else []))
    told = {"actor": who, "reason": options["reason"]}
    if action == "withdraw":
        limits_withdraw(version, **told)
    elif action == "review":
        limits_review(version, keep=options["keep"], **told)
    elif isinstance(version, LimitsVersion):
        limits_decide(version, approve=action == "approve", **told)
    else:
        desk_limits_decide(version, approve=action == "approve", **told)
    return f"version {version.version}: {action}, recorded"


def waiting_told(version: LimitsVersion | DeskLimitsVersion) -> str:
    """What becomes of a version that loosens."""
    if version.review_by is not None:
        return f"in force by break-glass: another person must review it until {version.review_by.isoformat()}"
    if version.effective_at is not None:
        return f"to take effect at {version.effective_at.isoformat()}, unless it is withdrawn"
    return "proposed: a second person approves it"
