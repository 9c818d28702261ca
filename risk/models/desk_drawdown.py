"""The desk's own drawdown: its rules, and the equity of all accounts together that they are measured on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import money


class DeskLimitsVersion(Fact):
    """One version of the desk's drawdown rules; `body` is the document of risk/rules/desk_limits.py, complete."""

    kind = "desk_limits_version"

    version = models.PositiveIntegerField(_("version"), unique=True)
    seq = models.BigIntegerField(_("sequence"))
    body = models.JSONField(_("limits"))
    changes = models.JSONField(_("changes"), default=list)
    proposer = models.CharField(_("proposed by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)
    applied = models.BooleanField(_("applied at once"))

    class Meta:
        verbose_name = _("desk limits")
        verbose_name_plural = _("desk limits")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"v{self.version}"


class DeskLimitsApproval(Fact):
    """A second person's answer to a proposed version of the desk's rules."""

    kind = "desk_limits_approval"

    seq = models.BigIntegerField(_("sequence"))
    limits = models.OneToOneField(
        DeskLimitsVersion, models.PROTECT, related_name="approval", verbose_name=_("desk limits")
    )
    approved = models.BooleanField(_("approved"))
    approver = models.CharField(_("approved by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("desk limits approval")
        verbose_name_plural = _("desk limits approvals")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.limits} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"


class DeskPoint(Fact):
    """The sum of the accounts' equity as one of them reported: in the desk's own sequence, at the desk's time.

    `cash_flow` is what came in or went out; the first equity of an account comes in as a whole.
    """

    kind = "desk_point"

    seq = models.BigIntegerField(_("sequence"), unique=True)
    equity = money(_("equity"))
    cash_flow = money(_("cash flow"), default=0)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )

    class Meta:
        verbose_name = _("desk equity point")
        verbose_name_plural = _("desk equity points")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.equity} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
