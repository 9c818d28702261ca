"""From rows to destinations: routing decides which channels an alert goes to, delivery sends what is due.

At least once: a row is claimed by a conditional UPDATE that also moves its next try behind a lease, so two
workers never send it at once. A worker that dies between sending and marking leaves a row that is sent once
more when the lease ends, under the same alert id (`X-MIA-Alert`, `Message-ID`), by which a receiver drops it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, F
from django.db.models.functions import Greatest
from django.utils.translation import ngettext

from mia_site.ops.alerts import alert_text, repeat_of
from mia_site.ops.channels import DeliveryFailed, Message, channels
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert, AlertDelivery
from mia_site.ops.retry import Deadline

log = structlog.get_logger(__name__)
LEASE = timedelta(seconds=60)
LATE = timedelta(minutes=5)
LONGEST_PAUSE = 3600
ERROR_LENGTH = 500
PENDING, SENT, FAILED = AlertDelivery.Status.PENDING, AlertDelivery.Status.SENT, AlertDelivery.Status.FAILED


@dataclass(slots=True)
class Delivered:
    """What one run did: alerts routed, deliveries sent, and tries that failed."""

    routed: int = 0
    sent: int = 0
    failed: int = 0


def alerts_deliver(*, seconds: float = 18.0) -> Delivered:
    """Routes new alerts, then tries each delivery that is due, fresh ones first; begins none after `seconds`.

    A failed try is put off by 2^attempts seconds, at most an hour; after `MIA_ALERT_ATTEMPTS` tries it is
    given up.
    """
    deadline = Deadline(seconds)
    done = Delivered(routed=alerts_route(database_now()))
    while deadline.remaining() > 0 and (delivery := delivery_claim(database_now())):
        if _try(delivery):
            done.sent += 1
        else:
            done.failed += 1
    return done


def alerts_route(now: datetime, *, limit: int = 500) -> int:
    """Gives alerts that have none their deliveries, by priority; folds those that repeat a routed one into
    it.

    Returns how many alerts were routed.
    """
    if not Alert.objects.filter(routed_at=None).exists():
        return 0
    with transaction.atomic():
        new = Alert.objects.select_for_update(skip_locked=True).filter(routed_at=None)
        routed = [alert for alert in new.order_by("created_at", "id")[:limit] if not _folded(alert)]
        for alert in routed:
            _route(alert, now)
    return len(routed)


def _folded(alert: Alert) -> bool:
    """True if one that was raised together with this alert is there already; this counts as its repeat."""
    same = repeat_of(alert.code, alert.account, alert.dedup_key, priority=alert.priority, at=alert.created_at)
    first = same.exclude(pk=alert.pk).filter(created_at__lte=alert.created_at).last()
    if first is None or (first.created_at, first.pk) > (alert.created_at, alert.pk):
        return False
    Alert.objects.filter(pk=first.pk).update(
        repeats=F("repeats") + 1 + alert.repeats, last_at=Greatest("last_at", alert.last_at)
    )
    alert.delete()
    return True


def _route(alert: Alert, now: datetime) -> None:
    AlertDelivery.objects.bulk_create(
        AlertDelivery(alert=alert, channel=channel.name, target=target, next_try_at=now)
        for channel in channels().values()
        if alert.priority >= channel.min_priority
        for target in dict.fromkeys(channel.targets())
    )
    Alert.objects.filter(pk=alert.pk).update(routed_at=now)


def delivery_claim(now: datetime) -> AlertDelivery | None:
    """The next delivery that is due, reserved for the caller until the lease ends; None if there is none."""
    due = AlertDelivery.objects.filter(status=PENDING, next_try_at__lte=now).select_related("alert")
    for delivery in due.order_by("attempts", "next_try_at", "id")[:20]:
        mine = AlertDelivery.objects.filter(
            pk=delivery.pk, status=PENDING, attempts=delivery.attempts, next_try_at=delivery.next_try_at
        ).update(attempts=F("attempts") + 1, next_try_at=now + LEASE)
        if mine:
            delivery.attempts += 1
            return delivery
    return None


def _try(delivery: AlertDelivery) -> bool:
    try:
        channels()[delivery.channel].send(delivery.target, _message(delivery.alert))
    except DeliveryFailed as error:
        _put_off(delivery, str(error), permanent=error.permanent)
        return False
    except Exception as error:
        log.exception("alert_channel_broken", channel=delivery.channel, alert=str(delivery.alert_id))
        _put_off(delivery, type(error).__name__, permanent=False)
        return False
    AlertDelivery.objects.filter(pk=delivery.pk).update(status=SENT, sent_at=database_now(), last_error="")
    return True


def _put_off(delivery: AlertDelivery, reason: str, *, permanent: bool) -> None:
    given_up = permanent or delivery.attempts >= settings.MIA_ALERT_ATTEMPTS
    pause = min(2**delivery.attempts, LONGEST_PAUSE)
    AlertDelivery.objects.filter(pk=delivery.pk, status=PENDING, attempts=delivery.attempts).update(
        status=FAILED if given_up else PENDING,
        last_error=reason[:ERROR_LENGTH],
        next_try_at=database_now() + timedelta(seconds=pause),
    )
    log.warning(
        "alert_given_up" if given_up else "alert_not_delivered",
        alert=str(delivery.alert_id),
        channel=delivery.channel,
        target=delivery.target,
        attempts=delivery.attempts,
        reason=reason,
    )


def _message(alert: Alert) -> Message:
    return Message(
        alert_id=str(alert.pk),
        code=alert.code,
        priority=alert.priority,
        account=alert.account,
        text=alert_text(alert, settings.MIA_ALERT_LANGUAGE),
        params=alert.params,
        raised_at=alert.created_at,
        repeats=alert.repeats,
    )


def deliveries_late() -> str:
    """Health: a sentence if alerts that are due have waited for five minutes (no worker?), else ""."""
    before = database_now() - LATE
    unrouted = Alert.objects.filter(routed_at=None, created_at__lt=before).count()
    waiting = AlertDelivery.objects.filter(status=PENDING, next_try_at__lt=before).count()
    if not (count := unrouted + waiting):
        return ""
    sentence = ngettext(
        "%(count)d alert has waited for a worker for five minutes",
        "%(count)d alerts have waited for a worker for five minutes",
        count,
    )
    return sentence % {"count": count}


def deliveries_by_status() -> dict[tuple[str, ...], float]:
    """For `/metrics`: deliveries that wait and those given up."""
    open_ones = AlertDelivery.objects.filter(status__in=[PENDING, FAILED]).order_by()
    counts = dict(open_ones.values_list("status").annotate(Count("pk")))
    return {(status.value,): float(counts.get(status, 0)) for status in (PENDING, FAILED)}
