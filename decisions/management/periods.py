"""`--since` and `--until` of commands that look back."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from risk.export import Period


def period_arguments(parser: ArgumentParser) -> None:
    """Adds the options; `period_of` reads them."""
    parser.add_argument("--since", type=_moment, help="first moment, UTC unless it has an offset (included)")
    parser.add_argument("--until", type=_moment, help="last moment (not included)")


def period_of(options: dict[str, Any]) -> Period:
    """The period that is meant. Raises `CommandError` for one that ends before it begins."""
    period = Period(options["since"], options["until"])
    if period.since and period.until and period.since >= period.until:
        raise CommandError(_("--since must be before --until"))
    return period


def _moment(text: str) -> datetime:
    """A time of the command line, aware."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2025-05-13 or 2025-05-13T14:00:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
