"""Market memory (method 7): clusters of past events."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class Cluster(Fact):
    """How the market behaved around one event. `content` (SHA-256 of the source row) makes an import repeatable."""

    kind = "cluster"

    source_id = models.CharField(_("id in the source"), max_length=64)
    event_type = models.CharField(_("type"), max_length=200)
    features = models.JSONField(_("features"))
    at = models.DateTimeField(_("at"))
    confidence = models.FloatField(_("confidence"))
    vix_es_correlation = models.FloatField(_("VIX-ES correlation"), null=True, blank=True)
    content = models.CharField(max_length=64, unique=True)

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
