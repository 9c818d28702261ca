"""The desk's own drawdown, as of now."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import structlog
from django.db.models import Sum

from risk.models import AccountState, Desk, DeskLimitsVersion, LimitsVersion
from risk.rules.desk_limits import DeskLimits, desk_limits_parse
from risk.rules.drawdown import mark_roll, mark_view
from risk.rules.facts import DoubtView, DrawdownView
from risk.rules.limits import Limits, LimitsError, limits_parse
from risk.rules.limits_own import document_over
from risk.rules.track import Track, doubt_view, track_load

log = structlog.get_logger(__name__)


@lru_cache(maxsize=64)
def _parsed(version_id: UUID) -> DeskLimits:
    return desk_limits_parse(DeskLimitsVersion.objects.values_list("body", flat=True).get(id=version_id))


def desk_limits_of(desk: Desk) -> DeskLimits | None:
    """The desk's rules in force; None without any."""
    return None if desk.limits_id is None else _parsed(desk.limits_id)


def desk_limits_readable(desk: Desk) -> DeskLimits | None:
    """As `desk_limits_of`, and None where they are not written as this release reads them: exits are not trapped."""
    try:
        return desk_limits_of(desk)
    except LimitsError:
        log.exception("desk_limits_unreadable")
        return None


def account_defaults(desk: Desk) -> Mapping[str, Any]:
    """What accounts inherit from the desk in force, where they set nothing of their own."""
    limits = desk_limits_of(desk)
    return {} if limits is None else limits.accounts


def limits_inheriting(document: Mapping[str, Any]) -> Limits:
    """The limits that an account's own document makes over the desk's defaults in force. Raises `LimitsError`."""
    desk = Desk.objects.filter(id=1).first()
    return limits_parse(document_over(document, {} if desk is None else account_defaults(desk)))


def defaults_of(version: LimitsVersion) -> Mapping[str, Any]:
    """What the account of this version inherited when it was made."""
    return {} if version.desk_limits_id is None else _parsed(version.desk_limits_id).accounts


def desk_tracks(desk: Desk) -> dict[str, Track]:
    """What is remembered for each of the desk's rules."""
    return {name: track_load(values) for name, values in desk.marks.items()}


def desk_views(desk: Desk, limits: DeskLimits, now: datetime) -> tuple[DrawdownView, ...]:
    """One view per rule that has seen equity, rolled over the reset that lies before `now`, if any."""
    tracks = desk_tracks(desk)
    return tuple(
        mark_view(rule, mark_roll(rule, tracks[rule.name].mark, now, limits.zone))
        for rule in limits.limits.drawdown
        if rule.name in tracks
    )


def desk_doubts(desk: Desk) -> tuple[DoubtView, ...]:
    """The breaches of the desk's rules that are neither confirmed nor refuted yet."""
    limits = desk_limits_readable(desk)
    if limits is None or not any(values.get("doubt") for values in desk.marks.values()):
        return ()
    tracks = desk_tracks(desk)
    views = (doubt_view(rule, tracks[rule.name]) for rule in limits.limits.drawdown if rule.name in tracks)
    return tuple(view for view in views if view is not None)


def equity_sum(currency: str, *, without: int | None = None) -> Decimal:
    """The equity of all accounts of the currency that ever reported any; `without` leaves one account out."""
    states = AccountState.objects.filter(account__currency=currency, equity__isnull=False)
    if without is not None:
        states = states.exclude(account_id=without)
    return states.aggregate(total=Sum("equity"))["total"] or Decimal(0)
