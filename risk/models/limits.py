"""Limits are law: versions that never change, and the approvals that put a loosening into force."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account


class LimitsVersion(Fact):
    """One version of an account's limits; `body` is the document of risk/rules/limits.py, complete."""

    kind = "limits_version"

    account = models.ForeignKey(Account, models.PROTECT, related_name="limits_versions", verbose_name=_("account"))
    version = models.PositiveIntegerField(_("version"))
    seq = models.BigIntegerField(_("sequence"))
    body = models.JSONField(_("limits"))
    changes = models.JSONField(_("changes"), default=list)
    proposer = models.CharField(_("proposed by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)
    applied = models.BooleanField(_("applied at once"))

    class Meta:
        verbose_name = _("limits")
        verbose_name_plural = _("limits")
        ordering = ["-recorded_at"]
        constraints = [models.UniqueConstraint(fields=["account", "version"], name="risk_limits_version_once")]

    def __str__(self) -> str:
        return f"v{self.version}"


class LimitsApproval(Fact):
    """A second person's answer to a proposed version."""

    kind = "limits_approval"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    limits = models.OneToOneField(LimitsVersion, models.PROTECT, related_name="approval", verbose_name=_("limits"))
    approved = models.BooleanField(_("approved"))
    approver = models.CharField(_("approved by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("limits approval")
        verbose_name_plural = _("limits approvals")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.limits} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
