"""Work rows of operations: they expire, and nothing is proved by them. Written by alerts.py and timings.py."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.ids import uuid7


class Alert(models.Model):
    """Something a person should know: the outbox row, written before anything is sent (alerts.py)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    code = models.CharField(_("code"), max_length=64)
    priority = models.PositiveSmallIntegerField(_("priority"))
    account = models.CharField(_("account"), max_length=64, blank=True, default="")
    dedup_key = models.CharField(_("de-duplication key"), max_length=200, blank=True, default="")
    params = models.JSONField(_("parameters"), default=dict)
    created_at = models.DateTimeField(_("raised at"))
    last_at = models.DateTimeField(_("last raised at"))
    repeats = models.PositiveIntegerField(_("repeats"), default=0)
    routed_at = models.DateTimeField(_("routed at"), null=True, blank=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True, blank=True)
    acknowledged_by = models.CharField(_("acknowledged by"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(priority__gte=1, priority__lte=5), name="ops_alert_priority_1_to_5"
            ),
        )
        indexes = (
            models.Index(fields=["priority", "created_at"], name="ops_alert_priority"),
            models.Index(fields=["account", "created_at"], name="ops_alert_account"),
            models.Index(fields=["code", "account", "dedup_key", "created_at"], name="ops_alert_dedup"),
            models.Index(fields=["last_at"], name="ops_alert_expiry"),
            models.Index(fields=["created_at"], condition=models.Q(routed_at__isnull=True), name="ops_alert_unrouted"),
        )

    def __str__(self) -> str:
        return f"{self.priority} {self.code} {self.account}".rstrip()


class AlertDelivery(models.Model):
    """One alert on its way to one destination. `target` names the destination without its secrets."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("alert"))
    channel = models.CharField(_("channel"), max_length=16)
    target = models.CharField(_("target"), max_length=254)
    status = models.CharField(_("status"), max_length=8, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_error = models.CharField(_("last error"), max_length=500, blank=True, default="")
    next_try_at = models.DateTimeField(_("next try at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("alert delivery")
        verbose_name_plural = _("alert deliveries")
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(fields=["alert", "channel", "target"], name="ops_delivery_once"),
            models.CheckConstraint(
                condition=models.Q(status__in=["pending", "sent", "failed"]), name="ops_delivery_status"
            ),
        )
        indexes = (models.Index(fields=["status", "next_try_at"], name="ops_delivery_due"),)

    def __str__(self) -> str:
        return f"{self.channel} {self.target}: {self.status}"


class Timing(models.Model):
    """One operation that ran: the row of the specification's `*_performance.csv`."""

    timestamp = models.DateTimeField(_("started at"))
    operation = models.CharField(_("operation"), max_length=64)
    latency = models.FloatField(_("latency (s)"))
    success = models.BooleanField(_("success"))
    memory_usage_mb = models.FloatField(_("memory (MB)"))
    cpu_percent = models.FloatField(_("CPU (%)"))

    class Meta:
        verbose_name = _("timing")
        verbose_name_plural = _("timings")
        ordering = ("-timestamp", "-id")
        indexes = (
            models.Index(fields=["operation", "timestamp"], name="ops_timing_operation"),
            models.Index(fields=["timestamp"], name="ops_timing_expiry"),
        )

    def __str__(self) -> str:
        return f"{self.operation} {self.latency:.6f} s"
