"""Write services for what people say about windows: a time closed, a window held longer, a window opened by two.

What closes counts at once; what opens needs a second person. Closed times are events of the source `staff`, so that
the gate, the feeds and the pages know only one kind of window.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7
from risk.calendar_import import events_write, version_of
from risk.inputs import InputError, reason_check
from risk.locking import calendar_lock
from risk.models import EventStatus, MacroEvent, OverrideAction, WindowOverride, WindowRuling
from risk.rules.messages import instant

STAFF = "staff"
LONGEST = timedelta(days=7)


def window_add(
    *, title: str, starts_at: datetime, ends_at: datetime, actor: Actor, reason: str, currency: str = ""
) -> WindowOverride:
    """Close the time from `starts_at` to `ends_at`, both included, for instruments of `currency` ("": all).

    At most 7 days; counts at once. Raises `InputError`.
    """
    title = title.strip()
    if not 1 <= len(title) <= 200:
        raise InputError("title", title[:40], "a title of 1 to 200 characters")
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise InputError("currency", currency, "a currency code such as USD, or nothing for all")
    with transaction.atomic():
        calendar_lock()
        override = _override(OverrideAction.ADD, actor, reason)
        override.event_type, override.currency = title, currency
        return _close(override, starts_at, ends_at, actor)


def window_extend(*, event_id: UUID, ends_at: datetime, actor: Actor, reason: str) -> WindowOverride:
    """Hold the window of an event until `ends_at`, at most 7 days after its start; counts at once.

    Raises `InputError`.
    """
    with transaction.atomic():
        calendar_lock()
        event, starts_at = _event(event_id)
        override = _override(OverrideAction.EXTEND, actor, reason)
        override.event_id, override.event_type, override.currency = event.id, event.event_type, event.currency
        return _close(override, starts_at, ends_at, actor)


def window_waive(*, event_id: UUID, actor: Actor, reason: str) -> WindowOverride:
    """Ask for the window of an event to be opened: it stays until a second person agrees. Raises `InputError`."""
    with transaction.atomic():
        calendar_lock()
        event, starts_at = _event(event_id)
        now = database_now()
        open_before = WindowOverride.objects.filter(
            action=OverrideAction.WAIVE, event_id=event.id, start_at=starts_at, ruling=None
        )
        if event.waived or open_before.exists():
            raise InputError("event", event.event_type, "an event that is neither open nor asked about already")
        if (event.end_at or starts_at) < now - LONGEST:
            raise InputError("event", event.event_type, "an event that is not long over")
        override = _override(OverrideAction.WAIVE, actor, reason)
        override.event_id, override.event_type, override.currency = event.id, event.event_type, event.currency
        override.start_at, override.end_at, override.impact = starts_at, event.end_at, event.impact
        override.recorded_at = now
        facts_record([override], actor=actor, why=override.reason)
        _tell("waiver_proposed", override, actor, override.reason)
    return override


def waiver_decide(override: WindowOverride, *, approve: bool, actor: Actor, reason: str) -> WindowRuling:
    """A second person's yes or no. Raises `InputError` where it is not open, was asked by the same actor, or the event
    has changed since."""
    reason = reason_check(reason)
    with transaction.atomic():
        calendar_lock()
        override = WindowOverride.objects.get(id=override.id)
        if override.action != OverrideAction.WAIVE or hasattr(override, "ruling"):
            raise InputError("override", str(override), "a waiver that nobody has ruled on")
        if override.proposer == str(actor):
            raise InputError("approver", str(actor), "a second person: who asks for a waiver does not approve it")
        event = MacroEvent.objects.filter(id=override.event_id).first() if override.event_id else None
        if approve:
            _waive(override, event)
        ruling = WindowRuling(
            override=override, approved=approve, approver=str(actor), reason=reason, recorded_at=database_now()
        )
        facts_record([ruling], actor=actor, why=reason)
        _tell("waiver_approved" if approve else "waiver_rejected", override, actor, reason)
    return ruling


def _waive(override: WindowOverride, event: MacroEvent | None) -> None:
    """What was asked for is what is opened: an event at another time, or of a greater impact, is not."""
    as_asked = event is not None and (event.start_at, event.end_at) == (override.start_at, override.end_at)
    if event is None or not as_asked or event.impact > override.impact:
        raise InputError("event", override.event_type, "the event as it stood when its waiver was asked for")
    event.waived = True
    event.save(update_fields=["waived"])


def _event(event_id: UUID) -> tuple[MacroEvent, datetime]:
    """The event with its start; one without a start has no window."""
    event = MacroEvent.objects.filter(id=event_id, start_at__isnull=False).first()
    if event is None or event.start_at is None:
        raise InputError("event", str(event_id), "an event of the calendar with a start")
    return event, event.start_at


def _override(action: OverrideAction, actor: Actor, reason: str) -> WindowOverride:
    return WindowOverride(action=action, proposer=str(actor), reason=reason_check(reason))


def _close(override: WindowOverride, starts_at: datetime, ends_at: datetime, actor: Actor) -> WindowOverride:
    """Record the override with the event that closes the time."""
    now = database_now()
    if starts_at.tzinfo is None or ends_at.tzinfo is None or not starts_at < ends_at <= starts_at + LONGEST:
        raise InputError("ends_at", instant(ends_at) if ends_at.tzinfo else "", "an end after the start, within 7 days")
    if ends_at <= now:
        raise InputError("ends_at", instant(ends_at), "an end that is still to come")
    event = MacroEvent(
        id=uuid7(), start_at=starts_at, end_at=ends_at, event_type=override.event_type, currency=override.currency,
        impact=Decimal(1), source=STAFF, by_staff=True, status=EventStatus.LISTED, version=1,
    )  # fmt: skip
    event.uid = str(event.id)
    override.recorded_at, override.made_event_id = now, event.id
    override.start_at, override.end_at = starts_at, ends_at
    facts_record([override, version_of(event, override.id, now)], actor=actor, why=override.reason)
    events_write([event])
    _tell("window_closed_by_staff", override, actor, override.reason)
    return override


def _tell(code: str, override: WindowOverride, actor: Actor, reason: str) -> None:
    params = {
        "event": override.event_type,
        "start": instant(override.start_at),
        "end": instant(override.end_at),
        "actor": str(actor),
        "reason": reason,
    }
    alert_raise(code, priority=3, params=params, dedup_key=str(override.id))
