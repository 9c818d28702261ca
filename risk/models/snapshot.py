"""Risk snapshots: the specification's ``risk_*.json``."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import Origin, fraction


class Snapshot(Fact):
    """What the risk was at one moment, and what that was computed from."""

    kind = "snapshot"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    drawdown = fraction(_("drawdown"))
    overtrade_risk_score = models.FloatField(_("overtrade risk score"))
    penalty_active = models.BooleanField(_("penalty"))
    limit = fraction(_("limit"), null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=16, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.LIVE)

    class Meta:
        verbose_name = _("snapshot")
        verbose_name_plural = _("snapshots")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["account", "at"], name="risk_snapshot_account_at"),
            models.Index(fields=["penalty_active", "at"], name="risk_snapshot_penalty_at"),
        ]

    def __str__(self) -> str:
        return f"{self.drawdown:.4f} @ {self.at:%Y-%m-%d %H:%M:%S}"
