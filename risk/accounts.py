"""Accounts and API clients. Only people open them; what they may do follows from the account they are bound to."""

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from knox.models import get_token_model

from mia_site.audit.actors import Actor
from mia_site.audit.journal import change_record
from risk.inputs import InputError, decimal_check, reason_check
from risk.locking import AccountUnknown
from risk.models import Account, AccountState, Client
from risk.models.account import CODE


class ClientIssued(NamedTuple):
    """A client and its token, which is shown now and never again (only its hash is stored)."""

    client: Client
    token: str


def account_open(
    code: str, *, initial_balance: Decimal | str, actor: Actor, currency: str = "USD",
    timezone: str = "America/Chicago", owner: str = "",
) -> Account:  # fmt: skip
    """Opens an account. Raises `InputError` naming the field; an account that exists is not touched."""
    try:
        balance = Decimal(initial_balance)
        decimal_check("initial_balance", balance, positive=True)
    except (InvalidOperation, ValueError) as error:
        raise InputError("initial_balance", str(initial_balance), "an amount above 0, at most 4 decimals") from error
    if not re.fullmatch(CODE, code):  # the column's validator would let a newline end it
        raise InputError("code", code, "1 to 32 of capital letters, digits, . _ -")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: a folder's name, one too long
        raise InputError("timezone", timezone, "an IANA time zone such as America/Chicago") from error
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InputError("currency", currency, "three capital letters such as USD")
    if Account.objects.filter(code=code).exists():  # of two at the same moment, the unique index refuses one
        raise InputError("code", code, "a code that no account has yet")
    account = Account(code=code, currency=currency, timezone=timezone, initial_balance=balance, owner=owner)
    try:
        account.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InputError(field, getattr(account, field, code), "; ".join(messages)) from error
    with transaction.atomic():
        account.save()
        AccountState.objects.create(account=account)
        change_record(account, action="account_opened", actor=actor, account=code, after=_described(account))
    return account


def _described(account: Account) -> dict[str, str]:
    return {
        "code": account.code,
        "currency": account.currency,
        "timezone": account.timezone,
        "initial_balance": f"{account.initial_balance:.4f}",
        "owner": account.owner,
    }


def client_issue(name: str, *, account: str, actor: Actor, can_halt: bool = False) -> ClientIssued:
    """A new API client bound to `account`, with its token; `can_halt`: it may stop trading there.

    Raises `InputError` and `AccountUnknown`.
    """
    if not (1 <= len(name) <= 64 and name.isprintable() and name.strip() == name):
        raise InputError("name", name[:70], "1 to 64 printable characters")
    bound = Account.objects.filter(code=account).first()
    if bound is None:
        raise AccountUnknown(account)
    try:
        with transaction.atomic():
            user = get_user_model().objects.create_user(username=f"client:{name}", password=None)
            client = Client.objects.create(name=name, account=bound, user=user, can_halt=can_halt)
            change_record(
                client,
                action="client_created",
                actor=actor,
                account=account,
                after={"name": name, "account": account, "can_halt": can_halt},
            )
            token = _token(client, actor)
    except IntegrityError as error:
        raise InputError("name", name, "a name that no client has yet") from error
    return ClientIssued(client, token)


def _token(client: Client, actor: Actor) -> str:
    row, token = get_token_model().objects.create(user=client.user)
    token = str(token)
    change_record(
        client, action="token_issued", actor=actor, account=client.account.code,
        after={"token_key": row.token_key, "expires": row.expiry.isoformat() if row.expiry else None},
    )  # fmt: skip
    return token


def tokens_revoke(client: Client, *, actor: Actor, reason: str = "") -> int:
    """Revokes every token of the client; returns how many."""
    with transaction.atomic():
        tokens = get_token_model().objects.filter(user=client.user)
        keys = list(tokens.values_list("token_key", flat=True))
        tokens.delete()
        change_record(
            client, action="tokens_revoked", actor=actor, account=client.account.code, why=reason,
            before={"token_keys": keys},
        )  # fmt: skip
    return len(keys)


def client_halt_right(client: Client, *, can_halt: bool, actor: Actor, reason: str) -> None:
    """Gives the client the right to stop trading, or takes it away. Raises `InputError` for an empty reason."""
    reason = reason_check(reason)
    with transaction.atomic():
        before = Client.objects.select_for_update(of=("self",)).get(pk=client.pk).can_halt
        Client.objects.filter(pk=client.pk).update(can_halt=can_halt)
        change_record(
            client, action="halt_right_changed", actor=actor, account=client.account.code, why=reason,
            before={"can_halt": before}, after={"can_halt": can_halt},
        )  # fmt: skip
