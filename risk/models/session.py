"""Trading sessions: computed ahead by the worker, so that the gate only looks them up."""

from django.db import models
from django.utils.translation import gettext_lazy as _

HOURS = [("globex", _("Globex")), ("regular", _("regular hours"))]


class TradingSession(models.Model):
    """Projection: one session of one trading day; it ends before `closes_at`. `source` says who knew its hours."""

    hours = models.CharField(_("hours"), max_length=8, choices=HOURS)
    day = models.DateField(_("trading day"))
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    source = models.CharField(_("source"), max_length=500)

    class Meta:
        verbose_name = _("trading session")
        verbose_name_plural = _("trading sessions")
        ordering = ["opens_at"]
        constraints = [
            models.UniqueConstraint(fields=["hours", "day"], name="risk_session_once"),
            models.CheckConstraint(
                condition=models.Q(opens_at__lt=models.F("closes_at")), name="risk_session_opens_before_it_closes"
            ),
        ]
        indexes = [models.Index(fields=["hours", "closes_at"], name="risk_session_closes")]

    def __str__(self) -> str:
        return f"{self.get_hours_display()} {self.day}"


class SessionOverride(models.Model):
    """What an exchange published and no library knows yet: other hours for a day, or none. Staff keep it."""

    hours = models.CharField(_("hours"), max_length=8, choices=HOURS, default="globex")
    day = models.DateField(_("trading day"))
    closed = models.BooleanField(_("closed all day"), default=False)
    opens_at = models.DateTimeField(_("opens"), null=True, blank=True)
    closes_at = models.DateTimeField(_("closes"), null=True, blank=True)
    source = models.CharField(_("source"), max_length=500, help_text=_("Where it was published."))

    class Meta:
        verbose_name = _("other session hours")
        verbose_name_plural = _("other session hours")
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["hours", "day"], name="risk_session_override_once"),
            models.CheckConstraint(
                condition=models.Q(closed=True) | models.Q(opens_at__isnull=False) | models.Q(closes_at__isnull=False),
                name="risk_session_override_says_something",
                violation_error_message=_("Say when it opens or closes, or that it is closed."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_hours_display()} {self.day}"
