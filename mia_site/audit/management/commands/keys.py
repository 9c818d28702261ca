"""`manage.py keys`: the verifier keys; with --rotate a new key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mia_site.audit.actors import command_actor
from mia_site.audit.key_facts import bootstrap_keys, key_rotate, verifier_keys
from mia_site.audit.keys import FILES, KeyUnreadable


class Command(BaseCommand):
    """Lists what others verify with, newest first. The old key endorses a new one and stays beside it."""

    help = "Shows the verifier keys of checkpoints and receipts; --rotate makes a new key."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rotate", choices=sorted(FILES))
        parser.add_argument("--reason", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            list(bootstrap_keys())
            if options["rotate"]:
                if not options["reason"].strip():
                    raise CommandError(_("--rotate needs a --reason."))
                key_rotate(options["rotate"], actor=command_actor("keys"), reason=options["reason"].strip())
        except (KeyUnreadable, OSError) as error:
            raise CommandError(str(error)) from error
        for purpose in FILES:
            for vkey in verifier_keys(purpose):
                self.stdout.write(f"{purpose:<12} {vkey}")
