"""Limits are law: versions that never change, and the approvals that put a loosening into force."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account


class VersionColumns(Fact):
    """What is known of every version of limits, an account's or the desk's; `body` is the document, complete."""

    seq = models.BigIntegerField(_("sequence"))
    body = models.JSONField(_("limits"))
    changes = models.JSONField(_("changes"), default=list)
    proposer = models.CharField(_("proposed by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)
    applied = models.BooleanField(_("applied at once"))

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


class LimitsVersion(VersionColumns):
    """One version of an account's limits, in the form of risk/rules/limits.py."""

    kind = "limits_version"

    account = models.ForeignKey(Account, models.PROTECT, related_name="limits_versions", verbose_name=_("account"))
    version = models.PositiveIntegerField(_("version"))

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
