"""What the database and the data directory hold."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.utils.translation import gettext as _

from decisions.compliance.found import Found
from decisions.models import Decision
from mia_site.ops.append_only import fact_models, missing_triggers
from risk import roles as desk_roles
from risk.models import FeatureSet
from risk.sources.feature_importance import FEATURE_COUNT
from risk.sources.withdrawn import SET_SIZES, is_withdrawn

CHUNK = 2_000
ROLES = (
    desk_roles.COMPLIANCE_VIEWER,
    desk_roles.RISK_MANAGER,
    desk_roles.RISK_APPROVER,
    desk_roles.ADMINISTRATOR,
)
THROUGH_FORMS = frozenset(
    {
        desk_roles.PROPOSE_LIMITS,
        desk_roles.APPROVE_LIMITS,
        desk_roles.CHANGE_WINDOWS,
        desk_roles.CONTINUE_LEDGER,
        desk_roles.RULE_WINDOWS,
        desk_roles.RULE_MEMORY,
        desk_roles.LEARN_FEATURES,
        desk_roles.REVIEW_ALGORITHMS,
        desk_roles.REGISTER_ALGORITHMS,
        desk_roles.APPROVE_ALGORITHMS,
    }
)
"""Permissions to add a fact that are no way around the services: the admin's forms ask for them."""


def feature_sets(counts: Sequence[int]) -> Found:
    """The top 150 each, or a count that was chosen and is none of the withdrawn ones; names from no withdrawn feed."""
    allowed = {FEATURE_COUNT, *counts} - set(SET_SIZES)
    sets = list(FeatureSet.objects.order_by("version"))
    wrong = [
        f"v{features.version}: {what}"
        for features in sets
        for what in (*_size_faults(features, allowed), *_names_withdrawn(features.names))
    ]
    fine = _("each of a size that was chosen; sets: %(count)d") % {"count": len(sets)}
    return Found(wrong, fine, _("import a feature_importance.csv; --feature-count N if another size was chosen"))


def _size_faults(features: FeatureSet, allowed: set[int]) -> Iterator[str]:
    sizes = {features.count, len(features.names), len(features.importances), len(set(features.names))}
    if not sizes <= allowed or len(sizes) != 1:
        yield _("%(count)s features") % {"count": "/".join(str(size) for size in sorted(sizes))}


def _names_withdrawn(names: Sequence[str]) -> Iterator[str]:
    found = [str(name) for name in names if is_withdrawn(str(name))]
    if found:
        yield ", ".join(found[:3])


def decision_contexts() -> Found:
    """What decisions carried besides their columns, live or imported; in constant memory."""
    rows = Decision.objects.filter(context__isnull=False).order_by("id").values_list("id", "context")
    count, wrong = 0, []
    for identifier, context in rows.iterator(chunk_size=CHUNK):
        count += 1
        wrong += [f"{identifier}: {what}" for what in _context_faults(context or {})]
    fine = _("no withdrawn feed and no withdrawn set; contexts: %(count)d") % {"count": count}
    return Found(wrong, fine, _("recorded facts stay; correct the bot or the file that these came from"))


def _context_faults(context: Mapping[str, Any]) -> Iterator[str]:
    sent = context.get("features")
    names = [str(name) for name in (sent if isinstance(sent, Mapping) else context)]
    if len(names) in SET_SIZES:
        yield _("%(count)s features") % {"count": len(names)}
    yield from _names_withdrawn(names)


def triggers() -> Found:
    """The database itself keeps facts as they are."""
    fine = _("every table of facts has them; tables: %(count)d") % {"count": len(fact_models())}
    return Found(missing_triggers(connection), fine, "manage.py migrate")


def roles() -> Found:
    """The four groups, and no permission in one of them to write facts by hand."""
    present = set(Group.objects.filter(name__in=ROLES).values_list("name", flat=True))
    wrong = [_("missing: %(role)s") % {"role": name} for name in ROLES if name not in present]
    writes = set(desk_roles.fact_writes()) - THROUGH_FORMS
    held = Permission.objects.filter(group__name__in=ROLES)
    columns = ("group__name", "content_type__app_label", "codename")
    for group, app, codename in held.values_list(*columns).order_by(*columns):
        if f"{app}.{codename}" in writes:
            wrong.append(f"{group}: {app}.{codename}")
    return Found(wrong, ", ".join(ROLES), "manage.py migrate")


def secrets() -> Found:
    """Secrets and signing keys are their owner's alone, and so are the folders that hold them."""
    folders = [Path(settings.DATA_DIR) / "secrets", Path(settings.KEYS_DIR)]
    paths = [path for folder in folders if folder.is_dir() for path in (folder, *sorted(folder.rglob("*")))]
    wrong = [f"{path} {stat.S_IMODE(path.stat().st_mode):o}" for path in paths if path.stat().st_mode & 0o077]
    fine = _("for their owner only; files: %(count)d") % {"count": sum(path.is_file() for path in paths)}
    return Found(wrong, fine, "chmod go= …")
