"""The specification's compliance check: what must hold of code, settings, documents, database and files.

`compliance_run` asks every question; `manage.py check_compliance` prints the answers. Nothing is written: also the
triggers and roles that it misses are only named.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from django.db import DatabaseError
from django.utils.translation import gettext as _

from decisions.compliance import desk, documents, words
from decisions.compliance.found import Check, Found

__all__ = ["Check", "compliance_run"]


def compliance_run(base_dir: Path, *, feature_counts: Sequence[int] = ()) -> list[Check]:
    """Every check; what it needs and cannot read is a check that failed, so that nothing passes unseen.

    `base_dir` holds code and docs; `feature_counts` are sizes of feature sets that somebody chose besides 150.
    """
    checks: dict[str, Callable[[], Found]] = {
        "code": lambda: words.withdrawn_words(base_dir),
        "settings": words.withdrawn_settings,
        "feature sets": lambda: desk.feature_sets(feature_counts),
        "decisions": desk.decision_contexts,
        "generated files": lambda: documents.generated_files(base_dir),
        "append-only triggers": desk.triggers,
        "reason codes": lambda: documents.reason_codes(base_dir),
        "alert codes": lambda: documents.alert_texts(base_dir),
        "roles": desk.roles,
        "secrets": desk.secrets,
    }
    return [_asked(name, check) for name, check in checks.items()]


def _asked(name: str, check: Callable[[], Found]) -> Check:
    try:
        return check().check(name)
    except (DatabaseError, OSError, SyntaxError, UnicodeDecodeError) as error:
        told = " ".join(str(error).split())[:200]
        return Check(name, False, f"{type(error).__name__}: {told}", _("make it readable, then check again"))
