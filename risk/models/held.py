"""Equity points that nobody believes yet, and what the staff ruled on them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import fraction, money


class HeldPoint(Fact):
    """A reported equity point that moved implausibly far from the equity before it: it does not count until it is
    accepted. The point itself is stored in its batch like any other."""

    kind = "held_point"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    point_id = models.UUIDField(_("equity point"), unique=True)
    ordinal = models.PositiveIntegerField(_("ordinal"))
    at = models.DateTimeField(_("at"))
    equity = money(_("equity"))
    cash_flow = money(_("cash flow"), default=0)
    previous = money(_("equity before"))
    move = fraction(_("move"))
    limit = fraction(_("limit"))

    class Meta:
        verbose_name = _("held equity point")
        verbose_name_plural = _("held equity points")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["account", "seq", "ordinal"], name="risk_held_account_seq")]

    def __str__(self) -> str:
        return f"{self.equity} @ {self.at:%Y-%m-%d %H:%M:%S}"


class HeldRuling(Fact):
    """What somebody of the staff ruled: an accepted point counts from the ruling's `seq` on, a rejected one never."""

    kind = "held_ruling"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    held = models.OneToOneField(HeldPoint, models.PROTECT, related_name="ruling", verbose_name=_("held equity point"))
    accepted = models.BooleanField(_("accepted"))
    reason = models.CharField(_("reason"), max_length=2000)
    actor = models.CharField(_("who"), max_length=120)

    class Meta:
        verbose_name = _("ruling on a held point")
        verbose_name_plural = _("rulings on held points")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["account", "seq"], name="risk_ruling_account_seq")]

    def __str__(self) -> str:
        return f"{self.held_id} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
