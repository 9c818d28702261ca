"""What Django tells of people, led to the journal. Connected once, from the app's `ready`."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_save, pre_save

from mia_site.audit import people

MEMBERSHIP = {"post_add", "post_remove", "post_clear"}
HARMLESS = {"last_login"}


def people_signals_connect() -> None:
    """Each exactly once."""
    user = get_user_model()
    user_logged_in.connect(_logged_in, dispatch_uid="journal-login")
    user_logged_out.connect(_logged_out, dispatch_uid="journal-logout")
    user_login_failed.connect(_failed, dispatch_uid="journal-login-failed")
    pre_save.connect(_before_save, sender=user, dispatch_uid="journal-user-before")
    post_save.connect(_after_save, sender=user, dispatch_uid="journal-user-after")
    m2m_changed.connect(_groups, sender=user.groups.through, dispatch_uid="journal-groups")
    for holder in (user.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_permissions, sender=holder, dispatch_uid=f"journal-{holder.__name__}")


def _logged_in(user: Any, request: Any = None, **_: Any) -> None:
    people.login_record(user, request, action="logged_in")


def _logged_out(user: Any = None, request: Any = None, **_: Any) -> None:
    if user is not None:
        people.login_record(user, request, action="logged_out")


def _failed(credentials: dict[str, Any], request: Any = None, **_: Any) -> None:
    people.failure_count(str(credentials.get("username", "")), request)


def _before_save(instance: Any, update_fields: Any = None, **_: Any) -> None:
    if update_fields is not None and set(update_fields) <= HARMLESS:
        return
    stored = type(instance).objects.filter(pk=instance.pk).first() if instance.pk else None
    instance.flags_before = None if stored is None else people.flags_of(stored)


def _after_save(instance: Any, update_fields: Any = None, **_: Any) -> None:
    if update_fields is None or not set(update_fields) <= HARMLESS:
        people.flags_record(instance, instance.flags_before)


def _groups(instance: Any, action: str, pk_set: Any, **_: Any) -> None:
    if action in MEMBERSHIP:
        people.membership_record(instance, "groups", action, pk_set)


def _permissions(instance: Any, action: str, pk_set: Any, **_: Any) -> None:
    if action in MEMBERSHIP:
        people.membership_record(instance, "permissions", action, pk_set)
