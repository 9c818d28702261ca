"""The macro calendar: sources, fetches, versions of events, and the events as they stand now."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


class CalendarSource(models.Model):
    """A file that `refresh_calendar` reads again and again."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    path = models.CharField(_("file"), max_length=500)
    enabled = models.BooleanField(_("enabled"), default=True)

    class Meta:
        verbose_name = _("calendar source")
        verbose_name_plural = _("calendar sources")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CalendarFetch(Fact):
    """One reading of a source: what it held, and what it changed."""

    kind = "calendar_fetch"

    source = models.CharField(_("source"), max_length=64)
    ok = models.BooleanField(_("good"))
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    rows = models.PositiveIntegerField(_("rows"), default=0)
    added = models.PositiveIntegerField(_("new"), default=0)
    changed = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    error = models.CharField(_("error"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("calendar fetch")
        verbose_name_plural = _("calendar fetches")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["ok", "recorded_at"], name="risk_fetch_ok_at")]

    def __str__(self) -> str:
        return f"{self.source} {self.recorded_at:%Y-%m-%d %H:%M}"


class _EventColumns(models.Model):
    """What is known of an event. No `start_at`: it counts only when a caller reports an event as active."""

    start_at = models.DateTimeField(_("start"), null=True, blank=True)
    event_type = models.CharField(_("type"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    impact = models.DecimalField(
        _("impact"), max_digits=5, decimal_places=4, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    cluster_ref = models.CharField(_("cluster"), max_length=200, blank=True)
    source = models.CharField(_("source"), max_length=64)

    class Meta:
        abstract = True


class EventVersion(Fact, _EventColumns):
    """What a source said of an event. `event_id` names the event through all its versions."""

    kind = "event_version"

    event_id = models.UUIDField(_("event"))
    version = models.PositiveIntegerField(_("version"))
    fetch_id = models.UUIDField(_("fetch"))

    class Meta:
        verbose_name = _("event version")
        verbose_name_plural = _("event versions")
        ordering = ["-recorded_at"]
        constraints = [models.UniqueConstraint(fields=["event_id", "version"], name="risk_event_version_once")]

    def __str__(self) -> str:
        return f"{self.event_type} v{self.version}"


class MacroEvent(_EventColumns):
    """Projection: the newest version of each event; what the gate reads.

    `id` derives from what makes it the same event: source, type, currency and start
    (`calendar_import.event_key`).
    """

    id = models.UUIDField(primary_key=True)
    version = models.PositiveIntegerField(_("version"), default=1)

    class Meta:
        verbose_name = _("macro event")
        verbose_name_plural = _("macro events")
        ordering = ["start_at"]
        indexes = [
            models.Index(fields=["start_at", "impact"], name="risk_event_start"),
            models.Index(fields=["event_type", "start_at"], name="risk_event_type"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["source", "event_type", "currency", "start_at"], name="risk_event_once"),
            # NULL is never equal to NULL in a unique index, and SQLite cannot be told otherwise.
            models.UniqueConstraint(
                fields=["source", "event_type", "currency"],
                condition=models.Q(start_at__isnull=True),
                name="risk_event_undated_once",
            ),
            models.CheckConstraint(condition=models.Q(impact__gte=0, impact__lte=1), name="risk_event_impact_0_to_1"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.start_at or ''}"


class WindowAnnouncement(models.Model):
    """Work row: a blackout that people were told of, and when they were told that it is over.

    `window` names the limits that make the window (minutes before and after, impact); at most one blackout
    of each is open at a time.
    """

    window = models.CharField(_("window"), max_length=64)
    events = models.CharField(_("events"), max_length=2000)
    opens_at = models.DateTimeField(_("opens"))
    closes_at = models.DateTimeField(_("closes"))
    opened_at = models.DateTimeField(_("opening announced"))
    closed_at = models.DateTimeField(_("closing announced"), null=True, blank=True)

    class Meta:
        verbose_name = _("blackout announcement")
        verbose_name_plural = _("blackout announcements")
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["window"], condition=models.Q(closed_at__isnull=True), name="risk_window_open_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.events} {self.opens_at:%Y-%m-%d %H:%M}"
