"""`manage.py verify_evidence FILE --key VKEY`: the offline verifier, from the command line of the desk."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from mia_site.audit.offline.verify_evidence import main


class Command(BaseCommand):
    """The very file that every bundle ships; it reads no database."""

    help = "Checks evidence offline. Exit status 0: proven; 1: not."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--key", action="append", required=True, metavar="VKEY", help="that you trust")

    def handle(self, *args: Any, **options: Any) -> None:
        keys = [part for key in options["key"] for part in ("--key", key)]
        if code := main([options["file"], *keys]):
            sys.exit(code)
