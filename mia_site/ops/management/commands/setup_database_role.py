"""`manage.py setup_database_role [--role NAME] [--apply]`."""

from argparse import ArgumentParser
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from mia_site.ops.grants import RoleRefused, rights_grant, rights_statements, table_rights


class Command(BaseCommand):
    """PostgreSQL. Printed, for whoever administers the database; or applied, as DATABASE_OWNER_URL."""

    help = "The grants of the site's own database role: it may read and add facts, and change none."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", default="", help="the site's role; else the user of DATABASE_URL")
        parser.add_argument("--apply", action="store_true", help="grant, instead of printing the statements")

    def handle(self, *args: Any, **options: Any) -> None:
        role = options["role"] or str(settings.DATABASES["default"].get("USER") or "")
        if not role:
            raise CommandError(_("Which role? DATABASE_URL names no user: use --role."))
        if not options["apply"]:
            for statement in rights_statements(role):
                self.stdout.write(f"{statement.as_string()};")
            return
        if not settings.DATABASE_OWNER_URL:
            raise CommandError(_("--apply runs as the owner of the tables: set DATABASE_OWNER_URL."))
        try:
            rights_grant(settings.DATABASE_OWNER_URL, role)
        except RoleRefused as error:
            raise CommandError(str(error)) from error
        except psycopg.Error as error:
            told = _("The database's owner cannot be used: %(error)s") % {"error": str(error).strip()}
            raise CommandError(told) from error
        told = _("%(role)s: rights on %(count)d tables.") % {"role": role, "count": len(table_rights())}
        self.stdout.write(self.style.SUCCESS(told))
