"""Projections that decisions and outcomes feed: admissions, shadow rows, an account's losses. Replayed, compared,
rebuilt."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from decisions.models import Decision, Outcome, Verdict
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
from risk.rules.scopes import algorithm_key
from risk.rules.types import Effect
from risk.scoped_replay import stops_check

CHUNK = 1_000
COLUMNS = ("id", "seq", "at", "effect", "instrument", "side", "quantity", "algorithm")


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
            found = account_check(code, _closed(account), rebuild=rebuild) + _admissions_check(account, rebuild)
            found += shadow_check(account, rebuild=rebuild)
        yield from found


def _whole(code: str) -> bool:
    """Whether a look without locks finds nothing: an account that trades does not wait for it. What it finds may only
    be a step that was being written meanwhile, and is looked at again under the lock."""
    state = AccountState.objects.select_related("account", "limits").filter(account__code=code).first()
    if state is None:
        return False
    replayed = account_replayed(state.account, _closed(state.account))
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
    for row in _admitted(account):
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


def _admitted(account: Account) -> Iterator[tuple[Any, ...]]:
    """The admissions that the account's decisions say there are, as rows of `COLUMNS`."""
    let_through = Decision.objects.filter(
        account=account,
        origin=Origin.LIVE,
        verdict__in=[Verdict.ALLOW, Verdict.REDUCE],
        effect__in=[Effect.OPENS.value, Effect.REDUCES.value],
    )
    columns = ("id", "seq", "at", "effect", "instrument", "side", "algorithm", "quantity", "max_quantity")
    for *row, algorithm, quantity, most in let_through.order_by("seq").values_list(*columns).iterator(chunk_size=CHUNK):
        yield (*row, most or quantity, algorithm_key(algorithm))
