"""`manage.py verify_audit`: is the record as it was written?"""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from mia_site.audit.models import Verification
from mia_site.audit.verification.findings import Finding
from mia_site.audit.verification.progress import Progress
from mia_site.audit.verification.steps import rows_total, verification_open, verification_run
from mia_site.ops.clock import database_now

STEP_SECONDS = 5.0


class Command(BaseCommand):
    """Exit status 0 if the record is whole, 1 with one line for each finding. Ctrl-C keeps what was done."""

    help = "Verifies the ledger: texts against leaves, leaves against signed checkpoints; --deep: every column too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--deep", action="store_true", help="also every column, every fact, every commitment")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
        parser.add_argument("--restart", action="store_true", help="begin anew instead of going on with a stopped run")

    def handle(self, *args: Any, **options: Any) -> None:
        run = verification_open(database_now(), deep=options["deep"], fresh=options["restart"])
        progress = Progress(sys.stderr, rows_total(deep=run.deep), begun=run.checked)
        while run.finished_at is None:
            verification_run(run, seconds=STEP_SECONDS, told=progress.step)
        progress.end()
        if options["json"]:
            self.stdout.write(json.dumps(_as_dict(run), indent=1))
        else:
            self._show(run)
        if run.count:
            told = ngettext("%(count)d finding.", "%(count)d findings.", run.count)
            raise CommandError(told % {"count": run.count}, returncode=1)

    def _show(self, run: Verification) -> None:
        for finding in run.findings:
            self.stdout.write(self.style.ERROR(Finding(**finding).line()))
        if not run.count:
            told = _("The record is whole: %(rows)d rows checked.") % {"rows": run.checked}
            self.stdout.write(self.style.SUCCESS(told))


def _as_dict(run: Verification) -> dict[str, Any]:
    return {
        "ok": not run.count,
        "deep": run.deep,
        "checked": run.checked,
        "findings_total": run.count,
        "findings": run.findings,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
    }
