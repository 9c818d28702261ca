"""Stops in force of clients, algorithms and instruments, replayed from their facts."""

from collections.abc import Iterator
from typing import Any

from django.db import transaction

from risk.locking import desk_lock
from risk.models import ScopedStop, StateChange
from risk.projections import Difference
from risk.rules.facts import StopScope, TradingState
from risk.trading_states import state_take

Place = tuple[str, str, int | None]
COLUMNS = ("state", "state_since", "state_reason", "state_until", "state_change_id")


def stops_check(*, rebuild: bool = False) -> list[Difference]:
    """Names each difference between the stops in force and their facts; with `rebuild` they are stored anew."""
    with transaction.atomic():
        desk_lock(exclusive=True)
        stored, replayed = _placed(ScopedStop.objects.all()), _replayed()
        found = [
            difference
            for place in sorted(stored.keys() | replayed.keys(), key=str)
            for difference in _differences(place, stored.get(place), replayed.get(place))
        ]
        if rebuild and found:
            ScopedStop.objects.all().delete()
            ScopedStop.objects.bulk_create(replayed.values())
    return found


def _placed(rows: Any) -> dict[Place, ScopedStop]:
    return {(row.scope, row.key, row.account_id): row for row in rows}


def _replayed() -> dict[Place, ScopedStop]:
    """The newest change of each place, where it is a stop."""
    stops: dict[Place, ScopedStop] = {}
    changes = StateChange.objects.filter(scope__in=[scope.value for scope in StopScope])
    for change in changes.order_by("recorded_at", "id").iterator(chunk_size=1_000):
        row = ScopedStop(scope=change.scope, key=change.key or "", account_id=change.account_id)
        state_take(row, change)
        stops[row.scope, row.key, row.account_id] = row
    return {place: row for place, row in stops.items() if row.state != TradingState.ACTIVE}


def _differences(place: Place, stored: ScopedStop | None, replayed: ScopedStop | None) -> Iterator[Difference]:
    for column in COLUMNS:
        told, known = getattr(stored, column, None), getattr(replayed, column, None)
        if told != known:
            yield Difference(f"{place[0]} {place[1]}", column, told, known)
