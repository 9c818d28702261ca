"""Limits are law: versions that never change; approvals and steps put a loosening into force, or undo it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.rules.loosening import Way

WAYS = [
    (Way.NEXT_SESSION.value, _("with the next session")),
    (Way.BREAK_GLASS.value, _("break-glass")),
]


class Step(models.TextChoices):
    """What became of a version without an approval, or of what was done by break-glass."""

    TAKEN = "taken", _("taken in force")
    WITHDRAWN = "withdrawn", _("withdrawn")
    KEPT = "kept", _("reviewed and kept")
    REVOKED = "revoked", _("reviewed and revoked")
    LAPSED = "lapsed", _("not reviewed in time")


class VersionColumns(Fact):
    """What is known of every version of limits, an account's or the desk's; `body` is the document, complete.

    `way`: how it loosens without a second person, if it does; then it takes effect at `effective_at` by itself, or has
    done so at once and is to be reviewed until `review_by`.
    """

    seq = models.BigIntegerField(_("sequence"))
    body = models.JSONField(_("limits"))
    changes = models.JSONField(_("changes"), default=list)
    proposer = models.CharField(_("proposed by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)
    applied = models.BooleanField(_("applied at once"))
    way = models.CharField(_("way"), max_length=16, choices=WAYS, null=True, blank=True)
    effective_at = models.DateTimeField(_("takes effect at"), null=True, blank=True)
    review_by = models.DateTimeField(_("to be reviewed until"), null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["-recorded_at"]


class ApprovalColumns(Fact):
    """A second person's answer to a proposed version."""

    seq = models.BigIntegerField(_("sequence"))
    approved = models.BooleanField(_("approved"))
    approver = models.CharField(_("approved by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        abstract = True
        ordering = ["-recorded_at"]


class StepColumns(Fact):
    """The one step that a version takes besides, or instead of, an approval."""

    seq = models.BigIntegerField(_("sequence"))
    step = models.CharField(_("step"), max_length=12, choices=Step.choices)
    actor = models.CharField(_("who"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        abstract = True
        ordering = ["-recorded_at"]


class LimitsVersion(VersionColumns):
    """One version of an account's limits, in the form of risk/rules/limits.py.

    `body` is what the account is judged by. `own` is the part of it that the account itself set (null: all of it); the
    rest are the defaults for accounts in `desk_limits`, the desk's version then in force, and those of the program.
    """

    kind = "limits_version"

    account = models.ForeignKey(Account, models.PROTECT, related_name="limits_versions", verbose_name=_("account"))
    version = models.PositiveIntegerField(_("version"))
    own = models.JSONField(_("set by the account itself"), null=True, blank=True)
    desk_limits = models.ForeignKey(
        "risk.DeskLimitsVersion", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("limits of the desk"),
    )  # fmt: skip

    class Meta(VersionColumns.Meta):
        verbose_name = _("limits")
        verbose_name_plural = _("limits")
        constraints = [models.UniqueConstraint(fields=["account", "version"], name="risk_limits_version_once")]

    def __str__(self) -> str:
        return f"v{self.version}"


class LimitsApproval(ApprovalColumns):
    """The answer to a proposed version of an account's limits."""

    kind = "limits_approval"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    limits = models.OneToOneField(LimitsVersion, models.PROTECT, related_name="approval", verbose_name=_("limits"))

    class Meta(ApprovalColumns.Meta):
        verbose_name = _("limits approval")
        verbose_name_plural = _("limits approvals")

    def __str__(self) -> str:
        return f"{self.limits} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"


class LimitsStep(StepColumns):
    """What became of a version of an account's limits."""

    kind = "limits_step"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    limits = models.OneToOneField(LimitsVersion, models.PROTECT, related_name="step", verbose_name=_("limits"))

    class Meta(StepColumns.Meta):
        verbose_name = _("step of limits")
        verbose_name_plural = _("steps of limits")

    def __str__(self) -> str:
        return f"{self.limits} {self.get_step_display()}"
