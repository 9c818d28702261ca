"""What people say about windows: closed by hand, held longer, or opened by two of them."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class OverrideAction(models.TextChoices):
    """What staff do to a window."""

    ADD = "add", _("close a time")
    EXTEND = "extend", _("hold longer")
    WAIVE = "waive", _("open")


class WindowOverride(Fact):
    """Somebody closed a time, held an event's window longer, or asked to open one. The first two count at once.

    `event_id` is the event that is waived or held, `made_event_id` the event that closes the time. A waiver holds for
    the event as it stood: `start_at` and `impact`.
    """

    kind = "window_override"

    action = models.CharField(_("action"), max_length=8, choices=OverrideAction.choices)
    event_id = models.UUIDField(_("event"), null=True, blank=True)
    made_event_id = models.UUIDField(_("event made"), null=True, blank=True)
    event_type = models.CharField(_("type"), max_length=200)
    start_at = models.DateTimeField(_("start"))
    end_at = models.DateTimeField(_("end"), null=True, blank=True)
    impact = models.DecimalField(_("impact"), max_digits=5, decimal_places=4, default=1)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    proposer = models.CharField(_("by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("window override")
        verbose_name_plural = _("window overrides")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["event_id"], name="risk_override_event")]

    def __str__(self) -> str:
        return f"{self.get_action_display()} · {self.event_type}"


class WindowRuling(Fact):
    """A second person's answer to a waiver."""

    kind = "window_ruling"

    override = models.OneToOneField(
        WindowOverride, models.PROTECT, related_name="ruling", verbose_name=_("window override")
    )
    approved = models.BooleanField(_("approved"))
    approver = models.CharField(_("approved by"), max_length=120)
    reason = models.CharField(_("reason"), max_length=2000)

    class Meta:
        verbose_name = _("ruling on a window")
        verbose_name_plural = _("rulings on windows")
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.override} @ {self.recorded_at:%Y-%m-%d %H:%M:%S}"
