"""Projections that decisions and outcomes feed: admissions, shadow rows, an account's losses. Replayed, compared,
rebuilt."""

from collections.abc import Iterator

from django.db import transaction

from decisions.models import Outcome
from decisions.orders_replay import COLUMNS, admissions_replayed, prices_told
from decisions.shadow_replay import shadow_check
from risk.locking import account_lock, desk_lock
from risk.models import Account, AccountState, Admission
from risk.models.columns import Origin
from risk.projections import (
    Closed,
    Difference,
    account_check,
    account_differences,
    account_replayed,
    desk_check,
)
from risk.scoped_replay import stops_check

CHUNK = 1_000


def projections_check(accounts: list[str] | None = None, *, rebuild: bool = False) -> Iterator[Difference]:
    """Replays the facts of these accounts (all by default) and of the desk; yields what the projections have
    otherwise, and with `rebuild` stores what the facts say. Raises `AccountUnknown`."""
    yield from desk_check(rebuild=rebuild)
    yield from stops_check(rebuild=rebuild)
    codes = accounts if accounts is not None else list(Account.objects.order_by("code").values_list("code", flat=True))
    for code in codes:
        if not rebuild and _whole(code):
            continue
        with transaction.atomic():
            desk_lock()
            account = account_lock(code).account
            found = account_check(code, _closed(account), prices_told(account), rebuild=rebuild)
            found += _admissions_check(account, rebuild)
            found += shadow_check(account, rebuild=rebuild)
        yield from found


def _whole(code: str) -> bool:
    """Whether a look without locks finds nothing: an account that trades does not wait for it. What it finds may only
    be a step that was being written meanwhile, and is looked at again under the lock."""
    state = AccountState.objects.select_related("account", "limits").filter(account__code=code).first()
    if state is None:
        return False
    replayed = account_replayed(state.account, _closed(state.account), prices_told(state.account))
    return not (
        any(account_differences(state, replayed))
        or _admissions_check(state.account, rebuild=False)
        or shadow_check(state.account, rebuild=False)
    )


def _closed(account: Account) -> Iterator[Closed]:
    rows = Outcome.objects.filter(account=account, origin=Origin.LIVE, final=True).order_by("seq")
    for row in rows.iterator(chunk_size=CHUNK):
        yield Closed(row.seq, row.decision_id, row.pnl, row.recorded_at)


def _admissions_check(account: Account, rebuild: bool) -> list[Difference]:
    stored = {row[0]: row for row in Admission.objects.filter(account=account).values_list(*COLUMNS)}
    found: list[Difference] = []
    for row in admissions_replayed(account):
        known = stored.pop(row[0], None)
        if known != row:
            found.append(Difference(account.code, f"admission {row[0]}", known, row))
            if rebuild:
                values = dict(zip(COLUMNS, row, strict=True))
                Admission.objects.update_or_create(id=values.pop("id"), account=account, defaults=values)
    found += [Difference(account.code, f"admission {key}", row, None) for key, row in stored.items()]
    if rebuild and stored:
        Admission.objects.filter(id__in=list(stored)).delete()
    return found
