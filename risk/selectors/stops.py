"""Stops in force of single clients, algorithms and instruments: one indexed query, whoever asks."""

from django.db.models import Q

from risk.models import Account, ScopedStop
from risk.rules.facts import ScopedStopView, StateView, StopScope, TradingState


def scoped_stops(account: Account | None) -> tuple[ScopedStopView, ...]:
    """Those for the whole desk and, where one is given, for `account`; the oldest first."""
    mine = Q(account=None) if account is None else Q(account=None) | Q(account=account)
    rows = ScopedStop.objects.filter(mine).select_related("account").order_by("state_since", "id")
    return tuple(map(stop_view, rows))


def stop_view(row: ScopedStop) -> ScopedStopView:
    """The stop as the gate judges it."""
    return ScopedStopView(
        scope=StopScope(row.scope),
        key=row.key,
        account=None if row.account is None else row.account.code,
        view=StateView(
            state=TradingState(row.state), since=row.state_since, reason=row.state_reason, until=row.state_until
        ),
    )
