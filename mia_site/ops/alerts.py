"""Alerts: the row first (outbox), in the transaction of what it tells of; a worker delivers it (delivery.py).

    alert_raise("drawdown_breach", priority=3, params={"drawdown": "0.06"}, account="ES-DEMO")

Priorities as in MIA: 1 and 2 are logged, 3 adds webhooks, 4 e-mail, 5 a local file.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet

from mia_site.ops.alert_texts import alert_texts_register, text_render
from mia_site.ops.background import BackgroundWriter
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from mia_site.ops.signals import alert_acknowledged

__all__ = ["alert_acknowledge", "alert_raise", "alert_raise_outside", "alert_text", "alert_texts_register"]

log = structlog.get_logger(__name__)
Params = Mapping[str, str | int]
PRIORITIES = range(1, 6)
CODE_LENGTH = 64
ACCOUNT_LENGTH = 64
PARAM_LENGTH = 2_000
KEY_LENGTH = 200


@dataclass(frozen=True, slots=True)
class _Raised:
    """An alert before it is a row. `at`: the host's clock, for one written later than it was raised."""

    code: str
    priority: int
    params: dict[str, str | int]
    dedup_key: str
    account: str
    at: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 < len(self.code) <= CODE_LENGTH:
            raise ValueError(f"an alert's code has 1 to {CODE_LENGTH} characters: {self.code!r}")
        if self.priority not in PRIORITIES:
            raise ValueError(f"an alert's priority is 1 to 5, not {self.priority!r}")
        for name, value in self.params.items():
            if not isinstance(value, str | int):
                raise TypeError(f"alert {self.code}: {name} is {type(value).__name__}; expected str or int")


def alert_raise(
    code: str,
    *,
    priority: int,
    params: Params | None = None,
    dedup_key: str = "",
    account: str = "",
) -> None:
    """Writes an alert in the caller's transaction (or in its own): it is sent if and only if that commits.

    The same code, account and dedup_key within `MIA_ALERT_COOLDOWN` seconds of the first counts as a repeat
    of that row, unless somebody acknowledged it or the priority rises. Never waits for another transaction:
    what two writers raise at once becomes two rows, which routing folds into one. Raises `ValueError` for a
    priority outside 1..5 or an empty code, `TypeError` for a parameter that is neither text nor a whole
    number.
    """
    _write(_Raised(code, priority, _params(params), _key(dedup_key), _storable(account, ACCOUNT_LENGTH)))


def alert_raise_outside(
    code: str,
    *,
    priority: int,
    params: Params | None = None,
    dedup_key: str = "",
    account: str = "",
) -> None:
    """As `alert_raise`, for trouble whose transaction will be rolled back: the alert survives it.

    Logged at once; the row is written by a thread with a connection of its own, which on SQLite waits until
    the caller has let go of the write lock, and tries again while the database is away (a kill -9 before that
    leaves the line in the log). Never waits and never raises a database error.
    """
    account = _storable(account, ACCOUNT_LENGTH)
    raised = _Raised(code, priority, _params(params), _key(dedup_key), account, datetime.now(UTC))
    log.warning("alert_raised", code=code, priority=priority, account=account, params=raised.params)
    outside.add(raised)


def alerts_outside_flush() -> int:
    """Writes what `alert_raise_outside` still holds, on this connection; returns how many. For tests."""
    return outside.flush()


def alert_text(alert: Alert, language: str, **shown: str) -> str:
    """The alert's sentence in `language` ("en", "fr"); code and parameters where its app registered none.

    `shown` stands in place of the parameters of these names: a person's name for ``user:3``.
    """
    return text_render(alert.code, {**alert.params, **shown}, account=alert.account, language=language)


def alert_acknowledge(alert: Alert, *, by: str) -> bool:
    """Notes that `by` (an actor: "user:3") has seen it; signals `alert_acknowledged` in the transaction.

    Returns False, and changes nothing, if somebody had acknowledged it before.
    """
    now = database_now()
    with transaction.atomic():
        changed = Alert.objects.filter(pk=alert.pk, acknowledged_at=None).update(
            acknowledged_at=now, acknowledged_by=by
        )
        alert.refresh_from_db()
        if changed:
            alert_acknowledged.send(sender=Alert, alert=alert, by=by)
    return bool(changed)


def alerts_expire(now: datetime, *, days: int, limit: int = 1_000) -> int:
    """Deletes at most `limit` alerts, with deliveries, not raised again for `days`; returns how many."""
    old = Alert.objects.filter(last_at__lt=now - timedelta(days=days)).order_by("last_at")
    _, deleted = Alert.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()
    return deleted.get(Alert._meta.label, 0)


def repeat_of(code: str, account: str, dedup_key: str, *, priority: int, at: datetime) -> QuerySet[Alert]:
    """Open alerts, newest first, of which one raised with these words at `at` would be a repeat."""
    since = at - timedelta(seconds=settings.MIA_ALERT_COOLDOWN)
    return Alert.objects.filter(
        code=code,
        account=account,
        dedup_key=dedup_key,
        priority__gte=priority,
        created_at__gt=since,
        acknowledged_at=None,
    ).order_by("-created_at", "-id")


def _params(params: Params | None) -> dict[str, str | int]:
    return {
        name: _storable(value, PARAM_LENGTH) if isinstance(value, str) else value
        for name, value in (params or {}).items()
    }


def _key(dedup_key: str) -> str:
    """Keys that do not fit the column are compared by digest."""
    key = _storable(dedup_key, len(dedup_key))
    return key if len(key) <= KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def _storable(text: str, length: int) -> str:
    """What a client sent may hold characters that PostgreSQL refuses; the alert about it must be written."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "")[:length]


def _write(raised: _Raised) -> None:
    with transaction.atomic(savepoint=False):
        at = raised.at or database_now()
        open_rows = repeat_of(raised.code, raised.account, raised.dedup_key, priority=raised.priority, at=at)
        repeated = open_rows.select_for_update(skip_locked=True).values_list("pk", flat=True).first()
        if repeated is not None:
            Alert.objects.filter(pk=repeated).update(repeats=F("repeats") + 1, last_at=at)
            return
        Alert.objects.create(
            code=raised.code,
            priority=raised.priority,
            params=raised.params,
            dedup_key=raised.dedup_key,
            account=raised.account,
            created_at=at,
            last_at=at,
        )


def _write_all(rows: list[_Raised]) -> None:
    with transaction.atomic():
        for raised in rows:
            _write(raised)


outside: BackgroundWriter[_Raised] = BackgroundWriter(
    "alerts", _write_all, capacity=1_000, gather_seconds=0.05, batch=50
)
