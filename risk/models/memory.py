"""Market memory (method 7): clusters of past events, and what the desk's own events propose for it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact
from risk.models.account import Account


class Cluster(Fact):
    """How the market behaved around one event. `content` (SHA-256 of the source row) makes an import repeatable."""

    kind = "cluster"

    source_id = models.CharField(_("id in the source"), max_length=64)
    event_type = models.CharField(_("type"), max_length=200)
    features = models.JSONField(_("features"))
    at = models.DateTimeField(_("at"))
    confidence = models.FloatField(_("confidence"))
    vix_es_correlation = models.FloatField(_("VIX-ES correlation"), null=True, blank=True)
    content = models.CharField(_("SHA-256 of the content"), max_length=64, unique=True)

    class Meta:
        verbose_name = _("market-memory cluster")
        verbose_name_plural = _("market memory")
        ordering = ["-at"]
        indexes = [
            models.Index(fields=["at"], name="risk_cluster_at"),
            models.Index(fields=["event_type", "at"], name="risk_cluster_type_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.at:%Y-%m-%d}"


class MemoryProposal(Fact):
    """What happened to an account around an event: offered as a cluster, counts once staff accept it."""

    kind = "memory_proposal"

    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    event_id = models.UUIDField(_("event"))
    event_type = models.CharField(_("type"), max_length=200)
    at = models.DateTimeField(_("at"))
    features = models.JSONField(_("features"))
    confidence = models.FloatField(_("confidence"))

    class Meta:
        verbose_name = _("proposed memory")
        verbose_name_plural = _("proposed memories")
        ordering = ["-recorded_at"]
        constraints = [models.UniqueConstraint(fields=["account", "event_id", "at"], name="risk_memory_proposal_once")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.at:%Y-%m-%d}"


class MemoryRuling(Fact):
    """Staff's answer to a proposed memory; `cluster_id` is what an acceptance made of it."""

    kind = "memory_ruling"

    proposal = models.OneToOneField(
        MemoryProposal, models.PROTECT, related_name="ruling", verbose_name=_("proposed memory")
    )
    accepted = models.BooleanField(_("accepted"))
    cluster_id = models.UUIDField(_("cluster"), null=True, blank=True)
    actor = models.CharField(_("by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("ruling on a memory")
        verbose_name_plural = _("rulings on memories")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.proposal} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
