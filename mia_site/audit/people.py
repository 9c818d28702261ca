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
CHANGES = {"post_add": "added", "post_remove": "removed", "pre_clear": "cleared"}
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


def memberships_record(
    instance: Any, *, field: str, action: str, reverse: bool, model: Any, pks: Iterable[Any] | None
) -> None:
    """Groups of a person, or permissions of a person or a group, were added, removed or cleared, from either side.

    `field`: where the holder keeps them; the rest as Django's `m2m_changed` tells it. Each holder gets an entry.
    """
    change = CHANGES[action]
    if reverse:  # group.user_set.add(person): `model` is the holder's
        holders = model.objects.filter(**({field: instance} if pks is None else {"pk__in": list(pks)}))
        for holder in holders:
            _membership_record(holder, field, change, [_name(instance)])
        return
    held = getattr(instance, field).all() if pks is None else model.objects.filter(pk__in=list(pks))
    _membership_record(instance, field, change, [_name(item) for item in held])


def _membership_record(who: Any, field: str, change: str, names: Iterable[str]) -> None:
    of = "groups" if field == "groups" else "permissions"
    change_record(who, action="access_changed", actor=current_actor(), after={change: sorted(names), "of": of})


def _name(held: Group | Permission) -> str:
    return held.name if isinstance(held, Group) else f"{held.content_type.app_label}.{held.codename}"


def deletion_record(who: Any) -> None:
    """A person or a group is about to be deleted, and with it what it could do."""
    before = flags_of(who) if not isinstance(who, Group) else {"permissions": sorted(map(_name, who.permissions.all()))}
    before = {name: _hidden(name, value) for name, value in before.items()}
    change_record(who, action="access_changed", actor=current_actor(), before=before, after={"deleted": True})


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
    return {name: _hidden(name, flags[name]) for name in sorted(names)}


def _hidden(name: str, value: Any) -> Any:
    return "•••" if name == "password" else value
