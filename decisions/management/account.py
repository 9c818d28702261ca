"""`--account` of commands on the history of one account."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from risk.locking import AccountUnknown, account_only
from risk.models import Account


def account_argument(parser: ArgumentParser) -> None:
    """Adds the option; `account_of` reads it."""
    parser.add_argument("--account", default="", help="whose history it is (the only account)")


def account_of(options: dict[str, Any]) -> Account:
    """Raises `CommandError` where no account, or not exactly one, is meant."""
    try:
        code = options["account"] or account_only()
    except AccountUnknown as error:
        raise CommandError(_("There is not exactly one account: name one with --account")) from error
    account = Account.objects.filter(code=code).first()
    if account is None:
        raise CommandError(_("There is no account %(code)s") % {"code": code})
    return account
