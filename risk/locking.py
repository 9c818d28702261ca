"""Locks and sequence numbers (DESIGN 4.1): whoever changes or judges an account holds its state row.

Order: the desk first (shared; exclusive for what concerns all accounts), then the account, then its owner where the
owner's accounts must not trade with each other; then the clock is read and the account's next `seq` taken. On SQLite
the IMMEDIATE transaction is the lock of everything.
"""

from datetime import datetime

from django.db import connection, transaction

from mia_site.ops.clock import database_now
from risk.models import Account, AccountState, Desk
from risk.rules.desk_limits import DeskLimits
from risk.selectors.desk import desk_limits_readable

DESK_LOCK = 0x4D49_4101
"""Key of the desk's PostgreSQL advisory lock. A row lock shared by every request would make each of them write to
the row (multixact); an advisory lock is held in memory (docs/adr/0003)."""

OWNER_LOCK = 0x4D49_4104
"""First key of the advisory lock of an owner of several accounts; the second is made from the owner's name."""

CALENDAR_LOCK = 0x4D49_4102
"""Key of the calendar's advisory lock: its own, so that a long file delays neither asks nor a halt."""


class AccountUnknown(LookupError):
    """No account has this code; `create_account` opens one."""

    def __init__(self, code: str) -> None:
        super().__init__(f"account {code!r} does not exist")
        self.code = code


def desk_lock(*, exclusive: bool = False) -> Desk:
    """Locks the desk until the transaction ends and returns its row (made on first use)."""
    _require_transaction()
    _advisory_lock(DESK_LOCK, exclusive=exclusive)
    desk = Desk.objects.select_related("limits").get_or_create(id=1)[0]
    desk.alone = exclusive
    return desk


def desk_lock_for_equity() -> Desk:
    """Locks the desk for a step that brings equity: exclusively where the desk has drawdown rules of its own, whose
    sum over all accounts must not change meanwhile."""
    rules = _desk_rules()
    return desk_lock(exclusive=rules is not None and bool(rules.limits.drawdown))


def desk_lock_for_asks(*, equity: bool) -> Desk:
    """Locks the desk for asks: exclusively where it caps what all accounts hold together, and, where they bring
    `equity`, as for any step that does.

    Caps that come between the look and the lock find the desk locked by others too; then nobody knows what they hold,
    and openings are blocked.
    """
    rules = _desk_rules()
    caps, measures = (False, False) if rules is None else (rules.limits.exposure.capped, bool(rules.limits.drawdown))
    return desk_lock(exclusive=caps or (equity and measures))


def _desk_rules() -> DeskLimits | None:
    """The desk's rules in force as they stand before its lock; None without any that can be read."""
    seen = Desk.objects.filter(id=1, limits__isnull=False).first()
    return None if seen is None else desk_limits_readable(seen)


def owner_lock(owner: str) -> None:
    """Locks the openings of all accounts of one owner until the transaction ends; taken after the account's lock."""
    _require_transaction()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [OWNER_LOCK, owner])


def calendar_lock() -> None:
    """Locks the macro calendar until the transaction ends: one import, or one announcement, at a time."""
    _require_transaction()
    _advisory_lock(CALENDAR_LOCK, exclusive=True)


def account_lock(code: str) -> AccountState:
    """Locks one account until the transaction ends; its state comes with the account and the limits in force."""
    _require_transaction()
    state = (
        AccountState.objects.select_for_update(of=("self",))
        .select_related("account", "limits")
        .filter(account__code=code)
        .first()
    )
    if state is None:
        raise AccountUnknown(code)
    if getattr(state.limits, "pk", None) != state.limits_id:
        # After a wait PostgreSQL reads the locked row anew, but joins it with what there was before the wait: limits
        # that came meanwhile would read as none, and a loosening as the first limits ever.
        state.refresh_from_db(fields=["limits"])
    return state


def seq_next(state: AccountState) -> int:
    """The next sequence number of the locked account."""
    state.seq += 1
    return state.seq


def seq_take(state: AccountState) -> tuple[int, datetime]:
    """The next sequence number of the locked account, and the time of the database at that point."""
    return seq_next(state), database_now()


def account_only() -> str:
    """The code of the one account there is. Raises `AccountUnknown` where there is none or a choice."""
    codes = list(Account.objects.values_list("code", flat=True)[:2])
    if len(codes) != 1:
        raise AccountUnknown("" if not codes else "name one of several")
    return codes[0]


def _advisory_lock(key: int, *, exclusive: bool) -> None:
    if connection.vendor == "postgresql":
        function = "pg_advisory_xact_lock" if exclusive else "pg_advisory_xact_lock_shared"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [key])


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a lock is held until its transaction ends: open one first")
