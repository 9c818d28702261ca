"""What the desk itself lived through: an account's equity and decisions around each event, offered as a memory."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count

from decisions.models import Decision, Verdict
from mia_site.audit.actors import worker_actor
from mia_site.ops.timings import timed
from risk.memory_rulings import memory_propose
from risk.models import Account, AccountState, EquityPoint, MacroEvent, MemoryProposal
from risk.rules.blackout import moves
from risk.rules.limits import BlackoutLimits
from risk.selectors.calendar import event_views
from risk.selectors.limits import limits_readable

BEFORE, AFTER = timedelta(minutes=30), timedelta(minutes=60)
LOOK_BACK = timedelta(days=2)
"""An event whose hour is over is offered within two days of it; later nobody remembers."""


@timed("propose_memory")
def memories_propose(now: datetime) -> int:
    """Offer each account's memory of the high-impact events whose hour after is over; returns how many are new.

    Only where the account reported equity before and after.
    """
    told = 0
    for state in AccountState.objects.select_related("account", "limits").order_by("account__code"):
        limits = limits_readable(state)
        above = (BlackoutLimits() if limits is None else limits.blackout).impact_above
        for event in _events_over(state.account, above, now):
            features = _features(state.account, event)
            if features is not None and event.start_at is not None:
                actor = worker_actor("decisions.tasks.propose_memory")
                told += memory_propose(state.account, event, event.start_at, features, actor=actor) is not None
    return told


def _events_over(account: Account, above: Decimal, now: datetime) -> Iterator[MacroEvent]:
    over = MacroEvent.objects.filter(
        start_at__gt=now - LOOK_BACK, start_at__lte=now - AFTER, impact__gt=above, by_staff=False
    )
    known = MemoryProposal.objects.filter(account=account).values("event_id")
    views = {view.event_id: view for view in event_views(over)}
    for event in over.exclude(id__in=known):
        if moves(views[str(event.id)], "ES"):
            yield event


def _features(account: Account, event: MacroEvent) -> dict[str, Any] | None:
    """The move of equity from the event to an hour after it, and what was decided around it; None without equity."""
    assert event.start_at is not None
    points = EquityPoint.objects.filter(account=account).order_by("-at")
    start, end = event.start_at - BEFORE, event.start_at + AFTER
    before = points.filter(at__lte=event.start_at, at__gte=start).first()
    after = points.filter(at__gt=event.start_at, at__lte=end).first()
    if before is None or after is None or not before.equity:
        return None
    counts = dict(
        Decision.objects.filter(account=account, at__gte=start, at__lte=end)
        .values_list("verdict")
        .annotate(count=Count("id"))
    )
    return {
        "equity_before": float(before.equity),
        "equity_after": float(after.equity),
        "equity_move": round(float((after.equity - before.equity) / before.equity), 6),
        "impact": float(event.impact),
        "allowed": counts.get(Verdict.ALLOW, 0) + counts.get(Verdict.REDUCE, 0),
        "blocked": counts.get(Verdict.BLOCK, 0),
    }
