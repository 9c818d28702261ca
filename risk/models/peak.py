"""Peaks that a person moved."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import money


class PeakRebase(Fact):
    """The peak of a trailing drawdown rule, moved down by a person: nothing else ever forgets one."""

    kind = "peak_rebase"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    rule = models.CharField(_("drawdown rule"), max_length=64)
    before = money(_("peak before"))
    reference = money(_("peak after"))
    reason = models.CharField(_("reason"), max_length=2000)
    actor = models.CharField(_("who"), max_length=120)

    class Meta:
        verbose_name = _("rebased peak")
        verbose_name_plural = _("rebased peaks")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["account", "seq"], name="risk_rebase_account_seq")]

    def __str__(self) -> str:
        return f"{self.rule} {self.reference} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
