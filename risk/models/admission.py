"""What the gate has let through: the projection that pace, exposure and pending exits are measured on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from risk.models.account import Account
from risk.models.columns import contracts
from risk.models.state import KEY_LENGTH


class Admission(models.Model):
    """An allowed decision (same id) that opens or reduces, and the life of its order (risk/rules/order_life.py).

    `side` is what its bot stated or its word implies; empty: nobody knows. `working` may still be filled (null: nobody
    knows how much). A position report of `until` or later answers for all of it; null: the next one does.
    `algorithm` is its name as it is compared, or none.
    """

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    effect = models.CharField(_("effect"), max_length=8)
    instrument = models.CharField(_("instrument"), max_length=32)
    side = models.CharField(_("side"), max_length=4, blank=True)
    quantity = contracts(_("quantity"), null=True, blank=True)
    algorithm = models.CharField(_("algorithm"), max_length=KEY_LENGTH, blank=True)
    working = contracts(_("under way"), null=True, blank=True)
    filled = contracts(_("filled"), default=0)
    settled = contracts(_("filled and shown"), default=0)
    filled_at = models.DateTimeField(_("filled at"), null=True, blank=True)
    told_at = models.DateTimeField(_("order told of at"), null=True, blank=True)
    until = models.DateTimeField(_("counts until positions of"), null=True, blank=True)

    class Meta:
        verbose_name = _("admission")
        verbose_name_plural = _("admissions")
        indexes = [
            models.Index(fields=["account", "effect", "at"], name="risk_admission_pace"),
            models.Index(fields=["account", "effect", "instrument", "seq"], name="risk_admission_pending"),
            models.Index(fields=["account", "effect", "algorithm", "seq"], name="risk_admission_algorithm"),
            models.Index(fields=["account", "effect", "until"], name="risk_admission_until"),
        ]

    def __str__(self) -> str:
        return f"{self.effect} {self.instrument} {self.at:%Y-%m-%d %H:%M:%S}"
