"""Equity as the bots report it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import Origin, money


class EquityBatch(Fact):
    """The points of one report. Its journal entry commits to all of them by `digest` (SHA-256, hexadecimal)."""

    kind = "equity_batch"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    count = models.PositiveIntegerField(_("points"))
    digest = models.CharField(_("digest"), max_length=64)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.LIVE)

    class Meta:
        verbose_name = _("equity batch")
        verbose_name_plural = _("equity batches")
        ordering = ["-recorded_at"]
        indexes = [
            models.Index(fields=["account", "seq"], name="risk_equitybatch_seq"),
            models.Index(fields=["account", "recorded_at"], name="risk_equitybatch_told"),
        ]

    def __str__(self) -> str:
        return f"{self.count} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"


class EquityPoint(Fact):
    """Equity at one moment, in the account's currency; it includes its `cash_flow`."""

    kind = "equity_point"
    committed_by = "risk.equitybatch"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    batch_id = models.UUIDField(_("batch"))
    ordinal = models.PositiveIntegerField(_("ordinal"))
    seq = models.BigIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    equity = money(_("equity"))
    balance = money(_("balance"), null=True, blank=True)
    open_pnl = money(_("open profit"), null=True, blank=True)
    cash_flow = money(_("cash flow"), default=0)
    late = models.BooleanField(_("older than the last one"), default=False)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.LIVE)

    class Meta:
        verbose_name = _("equity point")
        verbose_name_plural = _("equity points")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["account", "at"], name="risk_equity_account_at"),
            models.Index(fields=["account", "seq", "ordinal"], name="risk_equity_account_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.equity} @ {self.at:%Y-%m-%d %H:%M:%S}"
