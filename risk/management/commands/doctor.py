"""What is missing before accounts can trade, and the fix for each."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from mia_site.ops.registry import Readiness, health_run, readiness_run
from risk.models import Account


class Command(BaseCommand):
    help = "List each input of an account, its age and the fix; exit status 1 if something is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts = Account.objects.all()
        if options["account"]:
            accounts = accounts.filter(code=options["account"])
        codes = list(accounts.values_list("code", flat=True))
        if not codes:
            raise CommandError("There is no such account: manage.py create_account CODE --initial-balance N")
        missing = sum(not check.ok for check in self._site())
        for code in codes:
            self.stdout.write(self.style.MIGRATE_HEADING(code))
            missing += sum(not self._line(line) for line in readiness_run(code))
        if missing:
            raise CommandError(f"{missing} inputs are missing or too old", returncode=1)
        self.stdout.write(self.style.SUCCESS("Ready to trade."))

    def _site(self) -> list[Any]:
        self.stdout.write(self.style.MIGRATE_HEADING("site"))
        checks = health_run()
        for check in checks:
            mark = self.style.SUCCESS("ok ") if check.ok else self.style.ERROR("NO ")
            self.stdout.write(f"  {mark} {check.name}: {check.detail or 'fine'}")
        return checks

    def _line(self, line: Readiness) -> bool:
        mark = self.style.SUCCESS("ok ") if line.ok else self.style.ERROR("NO ")
        self.stdout.write(f"  {mark} {line.name}: {line.detail}" + (f"  ->  {line.fix}" if line.fix else ""))
        return line.ok
