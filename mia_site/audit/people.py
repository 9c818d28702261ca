"""The journal of people: who logged in, who failed to, whose access changed (DESIGN 4.14).

Names and addresses are personal: they stand beside the entry, erasable. A name that nobody has is kept only as an
HMAC, since it may be somebody's password typed into the wrong field.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from mia_site.audit.actors import Actor, current_actor, user_actor
from mia_site.audit.journal import change_record
from mia_site.audit.models import LoginFailure
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now

WINDOW = timedelta(minutes=5)
ALERT_FROM = 5
NAMES_KEPT = 50
OTHERS = "others"
DOOR = Actor("system", "login")
FLAGS = ("is_active", "is_staff", "is_superuser", "password")


def address_of(request: HttpRequest | None) -> str:
    """Where a request came from, as the server saw it; empty outside a request."""
    return "" if request is None else str(request.META.get("REMOTE_ADDR", ""))[:45]


def login_record(user: Any, request: HttpRequest | None, *, action: str) -> None:
    """`action`: logged_in or logged_out."""
    change_record(
        user, action=action, actor=user_actor(user.pk),
        personal={"user_name": user.get_username(), "address": address_of(request)},
    )  # fmt: skip


def failure_count(name: str, request: HttpRequest | None) -> None:
    """Counts a failed login in its address's window."""
    now = database_now()
    window = now - timedelta(seconds=now.timestamp() % WINDOW.total_seconds())
    with transaction.atomic():
        row, _made = LoginFailure.objects.select_for_update().get_or_create(
            address=address_of(request), window=window.replace(microsecond=0)
        )
        told = _told(name)
        key = told if told in row.names or len(row.names) < NAMES_KEPT else OTHERS
        row.names[key] = row.names.get(key, 0) + 1
        row.count += 1
        row.save()


def _told(name: str) -> str:
    user = get_user_model().objects.filter(username=name).first() if 0 < len(name) <= 150 else None
    if user is not None:
        return str(user_actor(user.pk))
    return "unknown:" + salted_hmac("mia.login", name[:1000], algorithm="sha256").hexdigest()[:32]


def failures_record(now: datetime) -> int:
    """Writes one entry for each window that is over; returns how many."""
    rows = LoginFailure.objects.filter(window__lte=now - WINDOW).order_by("window")[:500]
    for row in rows:
        with transaction.atomic():
            if not LoginFailure.objects.filter(pk=row.pk).delete()[0]:
                continue  # another worker was first
            change_record(
                row, action="login_failed", actor=DOOR,
                after={"window": row.window, "count": row.count, "names": row.names},
                personal={"address": row.address},
            )  # fmt: skip
            if row.count >= ALERT_FROM:
                params = {"count": row.count, "minutes": int(WINDOW.total_seconds() // 60)}
                alert_raise("login_failures", priority=3, params=params, dedup_key=str(row.pk))
    return len(rows)


def membership_record(who: Any, what: str, action: str, pks: Iterable[Any] | None) -> None:
    """Groups of a person, or permissions of a person or a group, were added, removed or cleared."""
    names = sorted(_names(what, pks or ()))
    change = {"post_add": "added", "post_remove": "removed", "post_clear": "cleared"}[action]
    change_record(who, action="access_changed", actor=current_actor(), after={change: names, "of": what})


def _names(what: str, pks: Iterable[Any]) -> Iterable[str]:
    if what == "groups":
        return Group.objects.filter(pk__in=list(pks)).values_list("name", flat=True)
    rows = Permission.objects.filter(pk__in=list(pks)).values_list("content_type__app_label", "codename")
    return [f"{app}.{codename}" for app, codename in rows]


def flags_of(user: Any) -> dict[str, Any]:
    """What decides whether and how far somebody may come in; the password only as "it is another"."""
    return {name: getattr(user, name) for name in FLAGS}


def flags_record(user: Any, before: Mapping[str, Any] | None) -> None:
    """A person was made, or these flags of one changed."""
    after = flags_of(user)
    changed = {name for name in FLAGS if before is None or before[name] != after[name]}
    if not changed:
        return
    change_record(
        user, action="access_changed", actor=current_actor(),
        before=None if before is None else _shown(before, changed), after=_shown(after, changed),
    )  # fmt: skip


def _shown(flags: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: "•••" if name == "password" else flags[name] for name in sorted(names)}
