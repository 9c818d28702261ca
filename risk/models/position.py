"""Positions as the bots report them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account


class PositionReport(Fact):
    """All open positions of the account at one moment: instrument -> signed contracts as text; {} is flat."""

    kind = "position_report"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    positions = models.JSONField(_("positions"))

    class Meta:
        verbose_name = _("position report")
        verbose_name_plural = _("position reports")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["account", "at"], name="risk_position_account_at"),
            models.Index(fields=["account", "seq"], name="risk_position_account_seq"),
            models.Index(fields=["account", "recorded_at"], name="risk_position_account_told"),
        ]

    def __str__(self) -> str:
        return f"@ {self.at:%Y-%m-%d %H:%M:%S}"
