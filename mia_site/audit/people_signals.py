"""What Django tells of people, led to the journal. Connected once, from the app's `ready`."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from mia_site.audit import people

HARMLESS = {"last_login"}


def people_signals_connect() -> None:
    """Each exactly once."""
    user = get_user_model()
    user_logged_in.connect(_logged_in, dispatch_uid="journal-login")
    user_logged_out.connect(_logged_out, dispatch_uid="journal-logout")
    user_login_failed.connect(_failed, dispatch_uid="journal-login-failed")
    pre_save.connect(_before_save, sender=user, dispatch_uid="journal-user-before")
    post_save.connect(_after_save, sender=user, dispatch_uid="journal-user-after")
    for holder, field in ((user, "groups"), (user, "user_permissions"), (Group, "permissions")):
        sender = getattr(holder, field).through
        m2m_changed.connect(_memberships(field), sender=sender, weak=False, dispatch_uid=f"journal-{sender.__name__}")
    for holder in (user, Group):
        pre_delete.connect(_deleted, sender=holder, dispatch_uid=f"journal-{holder.__name__}-deleted")


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


def _memberships(field: str) -> Callable[..., None]:
    def changed(instance: Any, action: str, reverse: bool, model: Any, pk_set: Any, **_: Any) -> None:
        if action in people.CHANGES and (pk_set or action == "pre_clear"):
            people.memberships_record(instance, field=field, action=action, reverse=reverse, model=model, pks=pk_set)

    return changed


def _deleted(instance: Any, **_: Any) -> None:
    people.deletion_record(instance)
