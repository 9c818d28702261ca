"""Stops and resumes."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account
from risk.models.columns import STATES
from risk.models.limits import Step
from risk.rules.facts import TradingState

KEY_LENGTH = 200
"""A name of 64 characters, folded to lower case, which may lengthen it."""


class Scope(models.TextChoices):
    DESK = "desk", _("desk")
    ACCOUNT = "account", _("account")
    CLIENT = "client", _("API client")
    ALGORITHM = "algorithm", _("algorithm")
    INSTRUMENT = "instrument", _("instrument")


class Cause(models.TextChoices):
    DRAWDOWN = "drawdown", _("drawdown limit")
    STOP_TRADING = "stop_trading", _("stop_trading call")
    MANUAL = "manual", _("by hand")
    AUTOMATIC = "automatic", _("by itself, as the limits say")


class StateChange(Fact):
    """A trading state that began: who, why, on what evidence, until when. No account: on the whole desk.

    `key`: which client (name), algorithm or instrument; null for an account or the desk. `review_by`: a resume by
    break-glass, until when another person must review it.
    """

    kind = "state_change"

    scope = models.CharField(_("scope"), max_length=12, choices=Scope.choices)
    key = models.CharField(_("key"), max_length=KEY_LENGTH, null=True, blank=True)
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
    review_by = models.DateTimeField(_("to be reviewed until"), null=True, blank=True)
    actor = models.CharField(_("who"), max_length=120)

    class Meta:
        verbose_name = _("state change")
        verbose_name_plural = _("state changes")
        ordering = ["-recorded_at"]
        indexes = [
            models.Index(fields=["account", "recorded_at"], name="risk_state_account_at"),
            models.Index(fields=["to_state", "recorded_at"], name="risk_state_to_at"),
            models.Index(
                fields=["review_by"], condition=models.Q(review_by__isnull=False), name="risk_state_review_by"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.to_state} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"


class StateReview(Fact):
    """Another person's review of a resume by break-glass, or that there was none in time."""

    kind = "state_review"

    change = models.OneToOneField(StateChange, models.PROTECT, related_name="review", verbose_name=_("state change"))
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    seq = models.BigIntegerField(_("sequence"), default=0)
    step = models.CharField(_("step"), max_length=12, choices=Step.choices)
    actor = models.CharField(_("who"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("review of a resume")
        verbose_name_plural = _("reviews of resumes")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.change} {self.get_step_display()}"


class ScopedStop(models.Model):
    """Projection: a stop in force of one client, algorithm or instrument; the row goes when the stop ends.

    No account: it counts for the whole desk. Changed under the account's lock, or the desk's exclusive one.
    """

    scope = models.CharField(_("scope"), max_length=12, choices=Scope.choices)
    key = models.CharField(_("key"), max_length=KEY_LENGTH)
    account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("account")
    )
    state = models.CharField(_("state"), max_length=12, choices=STATES, default=TradingState.ACTIVE.value)
    state_since = models.DateTimeField(_("since"), null=True, blank=True)
    state_reason = models.CharField(_("reason"), max_length=2000, blank=True)
    state_until = models.DateTimeField(_("until"), null=True, blank=True)
    state_change_id = models.UUIDField(_("state change"), null=True, blank=True)

    class Meta:
        verbose_name = _("stop in force")
        verbose_name_plural = _("stops in force")
        ordering = ["-state_since"]
        constraints = [
            models.UniqueConstraint(fields=["account", "scope", "key"], name="risk_stop_once"),
            models.UniqueConstraint(
                fields=["scope", "key"], condition=models.Q(account=None), name="risk_stop_desk_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
