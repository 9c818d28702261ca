"""The shadow report's rows replayed from decisions and outcomes, compared, rebuilt."""

from collections.abc import Iterator

from decisions.models import Decision, Outcome, ShadowRow
from decisions.shadow import shadow_rows
from risk.models import Account
from risk.models.columns import Origin
from risk.projections import Difference

CHUNK = 1_000
KEY = ("decision_id", "rule")
VALUES = ("seq", "at", "outcome", "share", "pnl", "closed_at")


def shadow_check(account: Account, *, rebuild: bool) -> list[Difference]:
    """Where the account's rows are not what its facts say; with `rebuild` they are mended."""
    stored = {_key(row): row for row in ShadowRow.objects.filter(account=account)}
    found: list[Difference] = []
    for row in _replayed(account):
        known = stored.pop(_key(row), None)
        if known is not None and _values(known) == _values(row):
            continue
        found.append(Difference(account.code, _named(row), known and _values(known), _values(row)))
        if rebuild:
            row.pk = None if known is None else known.pk
            row.save()
    found += [Difference(account.code, _named(row), _values(row), None) for row in stored.values()]
    if rebuild and stored:
        ShadowRow.objects.filter(pk__in=[row.pk for row in stored.values()]).delete()
    return found


def _replayed(account: Account) -> Iterator[ShadowRow]:
    """The rows that the account's decisions and their newest final outcomes say there are."""
    outcomes = Outcome.objects.filter(account=account, origin=Origin.LIVE, final=True).order_by("seq")
    ends = {
        decision_id: (pnl, closed_at)
        for decision_id, pnl, closed_at in outcomes.values_list("decision_id", "pnl", "closed_at").iterator(CHUNK)
    }
    columns = ("account_id", "seq", "at", "verdict", "quantity", "max_quantity", "shadow_reasons")
    decisions = Decision.objects.filter(account=account, origin=Origin.LIVE).exclude(shadow_reasons=[])
    for decision in decisions.order_by("seq").only(*columns).iterator(chunk_size=CHUNK):
        for row in shadow_rows(decision):
            row.pnl, row.closed_at = ends.get(row.decision_id, (None, None))
            yield row


def _key(row: ShadowRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in KEY)


def _values(row: ShadowRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in VALUES)


def _named(row: ShadowRow) -> str:
    return f"shadow {row.decision_id} {row.rule}"
