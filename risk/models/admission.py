"""What the gate has let through: the projection that pace and pending exits are measured on."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from risk.models.account import Account
from risk.models.columns import contracts
from risk.models.state import KEY_LENGTH


class Admission(models.Model):
    """An allowed decision (same id) that opens or reduces. `algorithm`: its name as it is compared, or none."""

    id = models.UUIDField(primary_key=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    at = models.DateTimeField(_("at"))
    effect = models.CharField(_("effect"), max_length=8)
    instrument = models.CharField(_("instrument"), max_length=32)
    side = models.CharField(_("side"), max_length=4, blank=True)
    quantity = contracts(_("quantity"), null=True, blank=True)
    algorithm = models.CharField(_("algorithm"), max_length=KEY_LENGTH, blank=True)

    class Meta:
        verbose_name = _("admission")
        verbose_name_plural = _("admissions")
        indexes = [
            models.Index(fields=["account", "effect", "at"], name="risk_admission_pace"),
            models.Index(fields=["account", "effect", "instrument", "seq"], name="risk_admission_pending"),
            models.Index(fields=["account", "effect", "algorithm", "seq"], name="risk_admission_algorithm"),
        ]

    def __str__(self) -> str:
        return f"{self.effect} {self.instrument} {self.at:%Y-%m-%d %H:%M:%S}"
