"""Roles: what compliance, risk and administration may do. Groups, made after each migrate; nobody may edit facts."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models import Q
from django.utils.translation import gettext_noop

from mia_site.ops.append_only import append_only_models

COMPLIANCE_VIEWER = gettext_noop("compliance viewer")
RISK_MANAGER = gettext_noop("risk manager")
RISK_APPROVER = gettext_noop("risk approver")
ADMINISTRATOR = gettext_noop("administrator")

HALT = "risk.halt"
RESUME = "risk.resume"
EXPORT = "risk.export"
PROPOSE_LIMITS = "risk.add_limitsversion"
"""To propose is to add a version; to approve is to add an approval. Both only through the services' forms."""
APPROVE_LIMITS = "risk.add_limitsapproval"
CHANGE_WINDOWS = "risk.add_windowoverride"
"""To close a time, to hold a window longer, to ask for one to be opened."""
RULE_WINDOWS = "risk.add_windowruling"
RULE_MEMORY = "risk.add_memoryruling"
LEARN_FEATURES = "risk.add_featurereference"
REVIEW_ALGORITHMS = "risk.add_algorithmswitch"
"""To review what an algorithm did, which enables it again."""
REGISTER_ALGORITHMS = "risk.add_algorithmentry"
"""To register algorithms, and to withdraw them."""
APPROVE_ALGORITHMS = "risk.add_algorithmruling"
ACKNOWLEDGE = "ops.change_alert"
REVOKE_TOKENS = "risk.change_client"
ERASE_PERSONAL = "audit.delete_personaldata"
CONTINUE_LEDGER = "audit.add_continuation"
"""To declare, with a second administrator, what a restore lost (`manage.py audit_continue`)."""

DESK_APPS = ("ops", "audit", "risk", "decisions")
MANAGED = (
    "auth.view_user", "auth.add_user", "auth.change_user", "auth.view_group",
    "risk.add_calendarsource", "risk.change_calendarsource", "risk.delete_calendarsource", REVOKE_TOKENS,
    "risk.add_sessionoverride", "risk.change_sessionoverride", "risk.delete_sessionoverride",
    ERASE_PERSONAL, CONTINUE_LEDGER,
)  # fmt: skip
"""What only administrators manage: people, clients, sources, session hours, what is kept of people."""


def roles_ensure() -> Iterator[str]:
    """Makes the four groups, or gives them back exactly their permissions; yields a line for each that it changed."""
    view = set(Permission.objects.filter(content_type__app_label__in=DESK_APPS, codename__startswith="view_"))
    viewer = view | _named(EXPORT)
    manager = viewer | _named(
        HALT, PROPOSE_LIMITS, CHANGE_WINDOWS, RULE_MEMORY, LEARN_FEATURES, REGISTER_ALGORITHMS, ACKNOWLEDGE
    )
    approver = viewer | _named(RESUME, APPROVE_LIMITS, RULE_WINDOWS, REVIEW_ALGORITHMS, APPROVE_ALGORITHMS, ACKNOWLEDGE)
    administrator = manager | approver | _named(*MANAGED)
    roles = {
        COMPLIANCE_VIEWER: viewer,
        RISK_MANAGER: manager,
        RISK_APPROVER: approver,
        ADMINISTRATOR: administrator,
    }
    for name, permissions in roles.items():
        group = Group.objects.get_or_create(name=name)[0]
        if set(group.permissions.all()) != permissions:
            group.permissions.set(permissions)
            yield f"role {name}: {len(permissions)} permissions"


def _named(*names: str) -> set[Permission]:
    wanted = Q()
    for name in names:
        app_label, codename = name.split(".")
        wanted |= Q(content_type__app_label=app_label, codename=codename)
    found = set(Permission.objects.filter(wanted))
    if len(found) != len(names):
        raise LookupError(f"permissions missing among {', '.join(names)}: migrate first")
    return found


def fact_writes() -> Iterable[str]:
    """Permissions that would let somebody write facts by hand, were the admin not closed to all of them."""
    for model in append_only_models():
        for action in ("add", "change", "delete"):
            yield f"{model._meta.app_label}.{action}_{model._meta.model_name}"


def roles_after_migrate(app_config: AppConfig, using: str, **_: Any) -> None:
    """`post_migrate`: once every app has its permissions; not after a migration of a part."""
    if app_config is not [known for known in apps.get_app_configs() if known.models_module][-1]:
        return
    if Permission._meta.db_table not in connections[using].introspection.table_names():
        return
    if Permission.objects.filter(content_type__app_label=DESK_APPS[-1]).exists():
        list(roles_ensure())
