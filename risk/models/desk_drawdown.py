"""The desk's own drawdown: its rules, and the equity of all accounts together that they are measured on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import money
from risk.models.limits import ApprovalColumns, StepColumns, VersionColumns


class DeskLimitsVersion(VersionColumns):
    """One version of the desk's drawdown rules, in the form of risk/rules/desk_limits.py."""

    kind = "desk_limits_version"

    version = models.PositiveIntegerField(_("version"), unique=True)

    class Meta(VersionColumns.Meta):
        verbose_name = _("desk limits")
        verbose_name_plural = _("desk limits")

    def __str__(self) -> str:
        return f"v{self.version}"


class DeskLimitsApproval(ApprovalColumns):
    """The answer to a proposed version of the desk's rules."""

    kind = "desk_limits_approval"

    limits = models.OneToOneField(
        DeskLimitsVersion, models.PROTECT, related_name="approval", verbose_name=_("desk limits")
    )

    class Meta(ApprovalColumns.Meta):
        verbose_name = _("desk limits approval")
        verbose_name_plural = _("desk limits approvals")

    def __str__(self) -> str:
        return f"{self.limits} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"


class DeskLimitsStep(StepColumns):
    """What became of a version of the desk's rules."""

    kind = "desk_limits_step"

    limits = models.OneToOneField(DeskLimitsVersion, models.PROTECT, related_name="step", verbose_name=_("desk limits"))

    class Meta(StepColumns.Meta):
        verbose_name = _("step of desk limits")
        verbose_name_plural = _("steps of desk limits")

    def __str__(self) -> str:
        return f"{self.limits} {self.get_step_display()}"


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
