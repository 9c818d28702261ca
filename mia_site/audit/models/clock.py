"""What is known of the clocks that the record's times come from (RTS 25)."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class _Clocks(models.Model):
    """`synchronised`: the host's kernel says so; None where it cannot tell. Offsets in milliseconds from the host."""

    synchronised = models.BooleanField(_("synchronised"), null=True)
    database_offset_ms = models.FloatField(_("database, ms from the host"), null=True)
    broker_offset_ms = models.FloatField(_("broker, ms from the host"), null=True)
    within_limit = models.BooleanField(_("within the limit"))

    class Meta:
        abstract = True


class ClockState(_Clocks):
    """Work row: the last measurement; entries carry it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField(_("measured"))

    class Meta:
        verbose_name = _("clock state")
        verbose_name_plural = _("clock states")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}"


class ClockReading(Fact, _Clocks):
    """A measurement that is kept: the first, each that differs in what it says, and one an hour."""

    kind = "clock_reading"

    class Meta:
        verbose_name = _("clock reading")
        verbose_name_plural = _("clock readings")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.recorded_at:%Y-%m-%d %H:%M:%S}"
