"""Decisions, their feature vectors and outcomes (facts), and the keys that make requests repeatable (work rows)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models import Account, Client, FeatureSet, LimitsVersion
from risk.models.columns import STATES, Origin, contracts, money


class Verdict(models.TextChoices):
    ALLOW = "allow", _("allowed")
    REDUCE = "reduce", _("reduced")
    BLOCK = "block", _("blocked")


class Mode(models.TextChoices):
    GATE = "gate", _("asked before the trade")
    RECORD = "record", _("recorded only")


class OrderState(models.TextChoices):
    PARTIALLY_FILLED = "partially_filled", _("partially filled")
    FILLED = "filled", _("filled")
    CANCELLED = "cancelled", _("cancelled")
    REJECTED = "rejected", _("rejected")
    EXPIRED = "expired", _("expired")


class Decision(Fact):
    """A bot's decision, the verdict on it, and what that was judged on.

    `at` is the moment the decision was taken: server time for live ones, the source's for imported ones. Only a
    decision that was judged has a verdict. `feature_commitment` is the SHA-256 of salt and packed vector.
    """

    kind = "decision"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    client = models.ForeignKey(
        Client, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("API client")
    )
    actor = models.CharField(_("who"), max_length=120)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.LIVE)
    mode = models.CharField(_("mode"), max_length=6, choices=Mode.choices, default=Mode.GATE)
    at = models.DateTimeField(_("at"))
    decided_at = models.DateTimeField(_("decided at (bot)"), null=True, blank=True)
    trade_id = models.CharField(_("trade"), max_length=128)
    decision = models.CharField(_("decision"), max_length=32)
    signal_score = models.FloatField(_("signal score"), null=True, blank=True)
    regime_probs = models.JSONField(_("regime probabilities"), null=True, blank=True)
    instrument = models.CharField(_("instrument"), max_length=32, blank=True)
    side = models.CharField(_("side"), max_length=4, blank=True)
    quantity = contracts(_("quantity"), null=True, blank=True)
    price = money(_("price"), null=True, blank=True)
    order_type = models.CharField(_("order type"), max_length=16, blank=True)
    order_id = models.CharField(_("order"), max_length=128, blank=True)
    reason = models.CharField(_("bot's reason"), max_length=2000, blank=True)
    algorithm = models.CharField(_("algorithm"), max_length=64, blank=True)
    model = models.CharField(_("model"), max_length=64, blank=True)
    trace_id = models.CharField(_("trace"), max_length=128, blank=True)
    context = models.JSONField(_("context"), null=True, blank=True)

    verdict = models.CharField(_("verdict"), max_length=6, choices=Verdict.choices, blank=True)
    effect = models.CharField(_("effect"), max_length=8, blank=True)
    reason_code = models.CharField(_("first reason"), max_length=40, blank=True)
    reasons = models.JSONField(_("reasons"), default=list)
    shadow_reasons = models.JSONField(_("reasons in shadow"), default=list)
    max_quantity = contracts(_("allowed quantity"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    retry_at = models.DateTimeField(_("ask again"), null=True, blank=True)
    trading_state = models.CharField(_("trading state"), max_length=12, choices=STATES, blank=True)
    limits = models.ForeignKey(
        LimitsVersion, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("limits")
    )
    limits_version = models.PositiveIntegerField(_("limits version"), null=True, blank=True)
    judged_on = models.JSONField(_("judged on"), null=True, blank=True)
    feature_set = models.ForeignKey(
        FeatureSet, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("feature set")
    )
    feature_coverage = models.FloatField(_("feature coverage"), null=True, blank=True)
    feature_commitment = models.CharField(_("feature commitment"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["account", "at"], name="dec_account_at"),
            models.Index(fields=["account", "verdict", "at"], name="dec_account_verdict_at"),
            models.Index(fields=["verdict", "at"], name="dec_verdict_at"),
            models.Index(fields=["reason_code", "at"], name="dec_reason_at"),
            models.Index(fields=["origin", "at"], name="dec_origin_at"),
            models.Index(fields=["at"], name="dec_at"),
            models.Index(fields=["trade_id"], name="dec_trade"),
            models.Index(fields=["account", "seq"], name="dec_account_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id} {self.decision}"


class DecisionFeatures(Fact):
    """The feature vector of a decision (same id): packed little-endian float64 in the set's order, NaN = missing.

    It has no journal entry: the decision's entry holds the commitment, so that a vector can be disclosed, or erased,
    without touching the ledger.
    """

    kind: ClassVar[str] = "decision_features"
    committed_by: ClassVar[str | None] = "decisions.decision"

    feature_set = models.ForeignKey(FeatureSet, models.PROTECT, related_name="+", verbose_name=_("feature set"))
    vector = models.BinaryField(_("vector"))
    salt = models.BinaryField(_("salt"), max_length=16)

    class Meta:
        verbose_name = _("feature vector")
        verbose_name_plural = _("feature vectors")

    def __str__(self) -> str:
        return str(self.id)


class Outcome(Fact):
    """What became of a decision, as its bot reports it. Corrected by a newer one."""

    kind = "outcome"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    decision_id = models.UUIDField(_("decision"))
    pnl = money(_("profit"))
    closed_at = models.DateTimeField(_("closed at"))
    quantity = contracts(_("quantity"), null=True, blank=True)
    exit_price = money(_("exit price"), null=True, blank=True)
    final = models.BooleanField(_("final"), default=True)
    actor = models.CharField(_("who"), max_length=120)
    origin = models.CharField(_("origin"), max_length=8, choices=Origin.choices, default=Origin.LIVE)

    class Meta:
        verbose_name = _("outcome")
        verbose_name_plural = _("outcomes")
        ordering = ["-closed_at"]
        indexes = [
            models.Index(fields=["decision_id"], name="dec_outcome_decision"),
            models.Index(fields=["account", "closed_at"], name="dec_outcome_account"),
            models.Index(fields=["account", "seq"], name="dec_outcome_seq"),
            models.Index(fields=["account", "recorded_at"], name="dec_outcome_told"),
        ]

    def __str__(self) -> str:
        return f"{self.pnl} @ {self.closed_at:%Y-%m-%d %H:%M:%S}"


class OrderReport(Fact):
    """What became of the order of a decision, as its bot reports it, up to `at`. `filled_quantity` counts from the
    beginning; empty: as told before. Corrected by a newer one."""

    kind = "order_report"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    decision_id = models.UUIDField(_("decision"))
    status = models.CharField(_("order"), max_length=16, choices=OrderState.choices)
    filled_quantity = contracts(_("filled"), null=True, blank=True)
    fill_price = money(_("fill price"), null=True, blank=True)
    at = models.DateTimeField(_("at"))
    actor = models.CharField(_("who"), max_length=120)

    class Meta:
        verbose_name = _("order report")
        verbose_name_plural = _("order reports")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["decision_id"], name="dec_order_decision"),
            models.Index(fields=["account", "at"], name="dec_order_account"),
            models.Index(fields=["account", "seq"], name="dec_order_seq"),
            models.Index(fields=["account", "recorded_at"], name="dec_order_told"),
        ]

    def __str__(self) -> str:
        return f"{self.status} @ {self.at:%Y-%m-%d %H:%M:%S}"


class ShadowRow(models.Model):
    """What one rule in shadow would have made of a decision, and how that decision's trade ended (a projection).

    `share` is the part of the trade that the rule would have kept from happening, 0..1; null where it is not known.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    seq = models.BigIntegerField(_("sequence"))
    decision_id = models.UUIDField(_("decision"))
    rule = models.CharField(_("rule"), max_length=32)
    at = models.DateTimeField(_("at"))
    outcome = models.CharField(
        _("would have been"), max_length=6, choices=[(Verdict.REDUCE, _("reduced")), (Verdict.BLOCK, _("blocked"))]
    )
    share = models.DecimalField(_("share"), max_digits=7, decimal_places=6, null=True, blank=True)
    pnl = money(_("profit"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("decision in shadow")
        verbose_name_plural = _("shadow report")
        constraints = [models.UniqueConstraint(fields=["decision_id", "rule"], name="dec_shadow_once")]
        indexes = [
            models.Index(fields=["account", "at"], name="dec_shadow_account"),
            models.Index(fields=["rule", "at"], name="dec_shadow_rule"),
            models.Index(fields=["at"], name="dec_shadow_at"),
        ]

    def __str__(self) -> str:
        return f"{self.rule} {self.at:%Y-%m-%d %H:%M:%S}"


class LimitsReplay(models.Model):
    """Work row: an account's history replayed under other limits, a step at a time; rows expire.

    `progress` is where it stands and what it found (decisions/replay/job.py), `table` what would have been otherwise,
    as CSV. `error`: why it cannot go on. Nobody else takes a step before `leased_until`.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    limits = models.JSONField(_("limits"))
    since = models.DateTimeField(_("since"), null=True, blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    actor = models.CharField(_("who"), max_length=120)
    created_at = models.DateTimeField(_("asked"), db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    checked = models.BigIntegerField(_("rows read"), default=0)
    total = models.BigIntegerField(_("rows"), default=0)
    progress = models.TextField(_("progress"))
    table = models.TextField(_("table"), blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("replay of other limits")
        verbose_name_plural = _("replays of other limits")
        ordering = ["-id"]
        indexes = [models.Index(fields=["finished_at"], name="dec_replay_finished")]

    def __str__(self) -> str:
        return f"{self.account} {self.created_at:%Y-%m-%d %H:%M:%S}"


class IdempotencyKey(models.Model):
    """A request that was answered: the same key and body get the same decision, another body is refused."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="+", verbose_name=_("API client"))
    key = models.CharField(_("key"), max_length=128)
    body_sha256 = models.CharField(_("SHA-256 of the body"), max_length=64)
    decision_ids = models.JSONField(_("decisions"))
    created_at = models.DateTimeField(_("created"), db_index=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["client", "key"], name="dec_idempotency_once")]

    def __str__(self) -> str:
        return self.key


class StreamCursor(models.Model):
    """How many rows of a bot's stream are committed, so that it can resume behind them."""

    client = models.ForeignKey(Client, models.PROTECT, related_name="+", verbose_name=_("API client"))
    name = models.CharField(_("name"), max_length=128)
    committed = models.BigIntegerField(_("committed rows"), default=0)
    updated_at = models.DateTimeField(_("last row"))

    class Meta:
        verbose_name = _("stream")
        verbose_name_plural = _("streams")
        constraints = [models.UniqueConstraint(fields=["client", "name"], name="dec_stream_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.committed}"
