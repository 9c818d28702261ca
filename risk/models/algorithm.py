"""Algorithms that were disabled after many executions, and the reviews that count them anew."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.state import KEY_LENGTH


class AlgorithmAction(models.TextChoices):
    DISABLED = "disabled", _("disabled")
    REVIEWED = "reviewed", _("reviewed")


class AlgorithmSwitch(Fact):
    """An algorithm (`key`: its name as it is compared) was disabled on an account, or a person reviewed it.

    `executions`: its openings since the review before. `limit`: how many were allowed, where it was disabled. A review
    enables it again; of several the newest counts.
    """

    kind = "algorithm_switch"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    key = models.CharField(_("algorithm"), max_length=KEY_LENGTH)
    action = models.CharField(_("action"), max_length=8, choices=AlgorithmAction.choices)
    executions = models.PositiveIntegerField(_("openings since the last review"))
    limit = models.PositiveIntegerField(_("limit"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=2000)
    actor = models.CharField(_("who"), max_length=120)

    class Meta:
        verbose_name = _("review of an algorithm")
        verbose_name_plural = _("reviews of algorithms")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["account", "key", "seq"], name="risk_algorithm_account_key")]

    def __str__(self) -> str:
        return f"{self.key} {self.action}"
