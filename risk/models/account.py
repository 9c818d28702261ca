"""Accounts, and what is known of them now."""

from zoneinfo import ZoneInfo

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from risk.models.columns import STATES, fraction, money
from risk.rules.facts import TradingState

CODE = r"^[A-Z0-9][A-Z0-9._-]{0,31}$"


class Account(models.Model):
    """What a limit applies to. Opened by `create_account`; never by an importer or a bot."""

    code = models.CharField(
        _("code"),
        max_length=32,
        unique=True,
        validators=[RegexValidator(CODE, _("capital letters, digits, . _ -"))],
    )
    currency = models.CharField(_("currency"), max_length=3, default="USD")
    timezone = models.CharField(_("time zone"), max_length=64, default="America/Chicago")
    initial_balance = money(_("initial balance"), validators=[MinValueValidator(1)])
    owner = models.CharField(_("owner"), max_length=120, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["code"]
        permissions = [
            ("halt", _("Can stop trading (kill switch)")),
            ("resume", _("Can resume trading")),
            ("export", _("Can export records")),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Desk(models.Model):
    """All accounts: one row, the desk's own trading state and drawdown."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    state = models.CharField(_("state"), max_length=12, choices=STATES, default=TradingState.ACTIVE.value)
    state_since = models.DateTimeField(_("since"), null=True, blank=True)
    state_reason = models.CharField(_("reason"), max_length=2000, blank=True)
    state_until = models.DateTimeField(_("until"), null=True, blank=True)
    state_change_id = models.UUIDField(_("state change"), null=True, blank=True)
    checks_at = models.DateTimeField(_("last drawdown check"), null=True, blank=True)
    calendar_at = models.DateTimeField(_("calendar refreshed"), null=True, blank=True)
    calendar_until = models.DateTimeField(_("calendar knows events until"), null=True, blank=True)
    feature_set = models.ForeignKey(
        "risk.FeatureSet", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("feature set")
    )
    feature_reference = models.ForeignKey(
        "risk.FeatureReference", models.PROTECT, null=True, blank=True, related_name="+",
        verbose_name=_("reference of features"),
    )  # fmt: skip
    seq = models.BigIntegerField(_("sequence"), default=0)
    limits = models.ForeignKey(
        "risk.DeskLimitsVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("limits")
    )
    marks = models.JSONField(_("drawdown marks"), default=dict, blank=True)
    equity = money(_("equity"), null=True, blank=True)
    drawdown = fraction(_("drawdown"), default=0)

    alone: bool = False
    """Whether the row is locked against everybody: only then may the desk's equity be folded."""

    class Meta:
        verbose_name = _("desk")
        verbose_name_plural = _("desk")
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="risk_desk_is_one_row")]

    def __str__(self) -> str:
        return str(_("desk"))


class AccountState(models.Model):
    """Projection: what the account's facts add up to, in the order of `seq`. Its row is the account's lock.

    `marks`: one track per drawdown rule (risk/rules/track.py). `positions`: instrument -> signed
    contracts as text, all reported at `positions_at`. `penalties`: kind -> the newest penalty for losing trades, as
    JSON; outcomes up to `losses_seq` no longer count as losses in a row. `prices`: instrument -> the last known price
    and its time, as text (risk/rules/reference.py).
    """

    account = models.OneToOneField(
        Account, models.PROTECT, primary_key=True, related_name="state", verbose_name=_("account")
    )
    seq = models.BigIntegerField(_("sequence"), default=0)
    state = models.CharField(_("state"), max_length=12, choices=STATES, default=TradingState.ACTIVE.value)
    state_since = models.DateTimeField(_("since"), null=True, blank=True)
    state_reason = models.CharField(_("reason"), max_length=2000, blank=True)
    state_until = models.DateTimeField(_("until"), null=True, blank=True)
    state_change_id = models.UUIDField(_("state change"), null=True, blank=True)
    limits = models.ForeignKey(
        "risk.LimitsVersion", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("limits")
    )
    equity = money(_("equity"), null=True, blank=True)
    equity_at = models.DateTimeField(_("equity at"), null=True, blank=True)
    equity_received_at = models.DateTimeField(_("equity received"), null=True, blank=True)
    equity_seq = models.BigIntegerField(_("equity: sequence"), default=0)
    marks = models.JSONField(_("drawdown marks"), default=dict, blank=True)
    drawdown = fraction(_("drawdown"), default=0)
    worst_drawdown = fraction(_("worst drawdown"), default=0)
    worst_peak_at = models.DateTimeField(_("worst: peak"), null=True, blank=True)
    worst_trough_at = models.DateTimeField(_("worst: trough"), null=True, blank=True)
    worst_recovered_at = models.DateTimeField(_("worst: recovered"), null=True, blank=True)
    held = models.PositiveIntegerField(_("held equity points"), default=0)
    held_since = models.DateTimeField(_("held since"), null=True, blank=True)
    positions = models.JSONField(_("positions"), default=dict, blank=True)
    positions_at = models.DateTimeField(_("positions at"), null=True, blank=True)
    positions_seq = models.BigIntegerField(_("positions: sequence"), default=0)
    prices = models.JSONField(_("last prices"), default=dict, blank=True)
    snapshot_at = models.DateTimeField(_("last snapshot"), null=True, blank=True)
    snapshot_seq = models.BigIntegerField(_("snapshot: sequence"), default=0)
    snapshot_worst = fraction(_("worst drawdown at the last snapshot"), default=0)
    penalty_active = models.BooleanField(_("penalty"), default=False)
    stopped_at = models.DateTimeField(_("last stopped by a limit"), null=True, blank=True)
    losses = models.PositiveSmallIntegerField(_("losses in a row"), default=0)
    losses_seq = models.BigIntegerField(_("losses: sequence"), default=0)
    last_loss_at = models.DateTimeField(_("last losing trade"), null=True, blank=True)
    penalties = models.JSONField(_("penalties for losses"), default=dict, blank=True)

    class Meta:
        verbose_name = _("account state")
        verbose_name_plural = _("account states")

    def __str__(self) -> str:
        return self.state
