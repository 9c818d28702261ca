"""Where a version of limits stands: by word and colour, and what may still become of it."""

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mia_site.audit.admin.rendering import badge, moment
from risk.models import DeskLimitsVersion, LimitsVersion
from risk.models.limits import Step

Version = LimitsVersion | DeskLimitsVersion
STEP_TONES = {Step.TAKEN: "good", Step.KEPT: "good", Step.WITHDRAWN: "plain", Step.REVOKED: "bad", Step.LAPSED: "bad"}


def status_badge(version: Version) -> SafeString:
    """Where the version stands."""
    approval, step = getattr(version, "approval", None), getattr(version, "step", None)
    if approval is not None:
        return badge(_("approved"), "good") if approval.approved else badge(_("rejected"), "bad")
    if step is not None:
        return badge(Step(step.step).label, STEP_TONES[Step(step.step)])
    if version.review_by is not None:
        return badge(_("break-glass: to be reviewed until %(at)s") % {"at": moment(version.review_by)}, "bad")
    if version.effective_at is not None:
        return badge(_("takes effect at %(at)s") % {"at": moment(version.effective_at)}, "warn")
    return badge(_("applied at once"), "good") if version.applied else badge(_("waits for approval"), "warn")


def _untouched(version: Version) -> bool:
    return getattr(version, "approval", None) is None and getattr(version, "step", None) is None


def is_open(version: Version) -> bool:
    """Whether it waits, for a second person or for its time."""
    return not version.applied and _untouched(version)


def is_unreviewed(version: Version) -> bool:
    """Whether it is in force by break-glass and waits for a review."""
    return version.review_by is not None and _untouched(version)
