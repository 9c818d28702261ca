"""`manage.py check_compliance`: does the desk still keep the specification's rules?"""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from decisions.compliance import Check, compliance_run


class Command(BaseCommand):
    """One line for each check with ok or NO and the fix; exit status 1 if one failed. Writes nothing."""

    help = "The specification's compliance check of code, settings, documents, database and secrets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument(
            "--feature-count",
            type=int,
            action="append",
            default=[],
            metavar="N",
            help="a size of feature sets that was chosen besides 150",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        checks = compliance_run(Path(settings.BASE_DIR), feature_counts=options["feature_count"])
        failed = sum(not check.ok for check in checks)
        if options["json"]:
            answer = {"ok": not failed, "checks": [asdict(check) for check in checks]}
            self.stdout.write(json.dumps(answer, indent=1))
        else:
            for check in checks:
                self.stdout.write(self._line(check))
        if failed:
            told = ngettext("%(count)d check failed.", "%(count)d checks failed.", failed)
            raise CommandError(told % {"count": failed}, returncode=1)
        if not options["json"]:
            self.stdout.write(self.style.SUCCESS(_("The desk complies.")))

    def _line(self, check: Check) -> str:
        mark = self.style.SUCCESS("ok") if check.ok else self.style.ERROR("NO")
        return f"{mark}  {check.name}: {check.detail}" + (f"  ->  {check.fix}" if check.fix else "")
