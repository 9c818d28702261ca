"""Penalties: the specification's ``penalty_log.csv``."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import Origin


class Penalty(Fact):
    """One row of the penalty log: active or not, its kind, how heavy (0..1), why, until when."""

    kind = "penalty"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    penalty_active = models.BooleanField(_("penalty"))
    overtrade_risk_score = models.FloatField(_("overtrade risk score"))
    penalty_kind = models.CharField(_("kind"), max_length=16)
    value = models.DecimalField(_("weight"), max_digits=5, decimal_places=4)
    reason = models.CharField(_("reason"), max_length=2000, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    snapshot_id = models.UUIDField(_("snapshot"), null=True, blank=True)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.LIVE)

    class Meta:
        verbose_name = _("penalty")
        verbose_name_plural = _("penalties")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["account", "at"], name="risk_penalty_account_at"),
            models.Index(fields=["penalty_active", "at"], name="risk_penalty_active_at"),
        ]

    def __str__(self) -> str:
        return f"{self.penalty_kind} @ {self.at:%Y-%m-%d %H:%M:%S}"
