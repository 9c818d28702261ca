"""Stops and resumes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import STATES


class Scope(models.TextChoices):
    DESK = "desk", _("desk")
    ACCOUNT = "account", _("account")


class Cause(models.TextChoices):
    DRAWDOWN = "drawdown", _("drawdown limit")
    STOP_TRADING = "stop_trading", _("stop_trading call")
    MANUAL = "manual", _("by hand")


class StateChange(Fact):
    """A trading state that began: who, why, on what evidence, until when. No account: the whole desk."""

    kind = "state_change"

    scope = models.CharField(_("scope"), max_length=12, choices=Scope.choices)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    seq = models.BigIntegerField(_("sequence"), default=0)
    from_state = models.CharField(_("from"), max_length=12, choices=STATES)
    to_state = models.CharField(_("to"), max_length=12, choices=STATES)
    cause = models.CharField(_("cause"), max_length=16, choices=Cause.choices)
    reason = models.CharField(_("reason"), max_length=2000)
    evidence = models.JSONField(_("evidence"), default=dict)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    actor = models.CharField(_("who"), max_length=120)

    class Meta:
        verbose_name = _("state change")
        verbose_name_plural = _("state changes")
        ordering = ["-recorded_at"]
        indexes = [
            models.Index(fields=["account", "recorded_at"], name="risk_state_account_at"),
            models.Index(fields=["to_state", "recorded_at"], name="risk_state_to_at"),
        ]

    def __str__(self) -> str:
        return f"{self.to_state} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
