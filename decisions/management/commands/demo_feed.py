"""`manage.py demo_feed`: the synthetic bot of `up --demo`, a child of it like web, worker and beat."""

import os
import signal
import sys
from argparse import ArgumentParser
from random import Random
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from decisions.demo import files
from decisions.demo.desk_client import DeskClient, DeskTrouble
from decisions.demo.feed import Feed
from decisions.demo.load import ask_fitting


class Command(BaseCommand):
    """Ends at once on SIGTERM; whatever else happens, it goes on."""

    help = "Feeds the demo account through the desk's own HTTP API (started by up --demo)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        url = os.environ.get("MIA_URL", "http://127.0.0.1:8000")
        parser.add_argument("--url", default=url, help="of the desk (%(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        try:
            token = files.token_path().read_text(encoding="ascii").strip()
            ask_fitting()
        except OSError as error:
            raise CommandError(f"There is no demo here ({error}): manage.py up --demo makes it.") from error
        Feed(DeskClient(options["url"], token, _headers()), _question, rng=Random()).run()  # noqa: S311 - a synthetic market


def _question() -> dict[str, Any]:
    """The bot notices a new model as one in production does: it looks before it asks."""
    try:
        return ask_fitting()
    except DatabaseError as error:
        raise DeskTrouble(f"the feature set in use: {type(error).__name__}") from error
    finally:
        connections.close_all()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _headers() -> dict[str, str]:
    """What the site wants to see from a neighbour: a name it answers to, and TLS where it insists on that."""
    first = settings.ALLOWED_HOSTS[0] if settings.ALLOWED_HOSTS else "127.0.0.1"
    headers = {} if first in {"*", "127.0.0.1"} else {"Host": first.lstrip(".")}
    return {**headers, "X-Forwarded-Proto": "https"} if settings.HTTPS else headers
