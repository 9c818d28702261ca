"""The macro calendar: sources, fetches, versions of events, and the events as they stand now."""

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from mia_site.ops.facts import Fact


def zone_validate(name: str) -> None:
    """Raises ValidationError unless `name` is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        raise ValidationError(_("A time zone such as America/New_York.")) from error


def address_validate(url: str) -> None:
    """Raises ValidationError unless `url` is an http or https address without a user in it."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.username is None
        _ignored = parts.port
    except ValueError:
        fine = False
    if not fine:
        raise ValidationError(_("An address that begins with https://."))


def currencies_validate(text: str) -> None:
    """Raises ValidationError unless `text` lists currency codes."""
    if not all(len(code) == 3 and code.isascii() and code.isupper() for code in text.replace(",", " ").split()):
        raise ValidationError(_("Currency codes such as USD, separated by commas."))


class Dialect(models.TextChoices):
    """How a source writes its events (risk/sources/calendars)."""

    MIA = "mia", _("MIA CSV")
    FOREXFACTORY_JSON = "forexfactory_json", _("ForexFactory JSON")
    FOREXFACTORY_XML = "forexfactory_xml", _("ForexFactory XML")
    FOREXFACTORY_CSV = "forexfactory_csv", _("ForexFactory CSV")
    TRADING_ECONOMICS_JSON = "trading_economics_json", _("Trading Economics JSON")
    TRADING_ECONOMICS_CSV = "trading_economics_csv", _("Trading Economics CSV")
    ICS = "ics", _("iCalendar")
    INVESTING_CSV = "investing_csv", _("investing.com CSV")
    METATRADER_CSV = "metatrader_csv", _("MetaTrader CSV")
    CSV = "csv", _("CSV with a column map")


class CalendarSource(models.Model):
    """A file or an address that `refresh_calendar` reads again and again.

    `zone` dates times that are written without one. `columns` maps our columns to those of a CSV, `impacts` words of
    an event's name (or of its impact) to 0..1, `times` words of an event's name to the time of day of a release that
    is published as a date alone. The last five fields are the worker's notes.
    """

    name = models.CharField(_("name"), max_length=64, unique=True)
    path = models.CharField(_("file"), max_length=500, blank=True)
    url = models.CharField(_("address"), max_length=500, blank=True, validators=[address_validate])
    dialect = models.CharField(_("dialect"), max_length=32, choices=Dialect.choices, default=Dialect.MIA)
    zone = models.CharField(_("time zone"), max_length=64, blank=True, validators=[zone_validate])
    currencies = models.CharField(_("currencies"), max_length=200, blank=True, validators=[currencies_validate])
    columns = models.JSONField(_("columns"), default=dict, blank=True)
    impacts = models.JSONField(_("impacts"), default=dict, blank=True)
    times = models.JSONField(_("times"), default=dict, blank=True)
    every_minutes = models.PositiveIntegerField(_("every (minutes)"), default=15, validators=[MinValueValidator(1)])
    required = models.BooleanField(_("required"), default=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    good_at = models.DateTimeField(_("last good fetch"), null=True, blank=True, editable=False)
    known_until = models.DateTimeField(_("knows events until"), null=True, blank=True, editable=False)
    next_at = models.DateTimeField(_("next fetch"), null=True, blank=True, editable=False)
    etag = models.CharField(_("ETag"), max_length=500, blank=True, editable=False)
    read_as = models.CharField(_("read as"), max_length=64, blank=True, editable=False)

    class Meta:
        verbose_name = _("calendar source")
        verbose_name_plural = _("calendar sources")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(path="") & ~models.Q(url="")) | (~models.Q(path="") & models.Q(url="")),
                name="risk_source_file_or_address",
                violation_error_message=_("Name a file or an address, one of the two."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> str:
        """Where it is read."""
        return self.url or self.path


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
    removed = models.PositiveIntegerField(_("removed"), default=0)
    rejected = models.PositiveIntegerField(_("rejected"), default=0)
    error = models.CharField(_("error"), max_length=2000, blank=True)

    class Meta:
        verbose_name = _("calendar fetch")
        verbose_name_plural = _("calendar fetches")
        ordering = ["-recorded_at"]
        indexes = [models.Index(fields=["ok", "recorded_at"], name="risk_fetch_ok_at")]

    def __str__(self) -> str:
        return f"{self.source} {self.recorded_at:%Y-%m-%d %H:%M}"


class EventStatus(models.TextChoices):
    """What its source says of an event now. A dropped one still counts: silence is no cancellation."""

    LISTED = "listed", _("listed")
    DROPPED = "dropped", _("no longer named")
    CANCELLED = "cancelled", _("cancelled")


class _EventColumns(models.Model):
    """What is known of an event. No `start_at`: it counts only when a caller reports an event as active.

    `end_at` is set where it lasts (a day whose time nobody knows, a window of staff); `by_staff` marks the latter.
    """

    start_at = models.DateTimeField(_("start"), null=True, blank=True)
    event_type = models.CharField(_("type"), max_length=200)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    impact = models.DecimalField(
        _("impact"), max_digits=5, decimal_places=4, validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    cluster_ref = models.CharField(_("cluster"), max_length=200, blank=True)
    end_at = models.DateTimeField(_("end"), null=True, blank=True)
    status = models.CharField(_("status"), max_length=12, choices=EventStatus.choices, default=EventStatus.LISTED)
    by_staff = models.BooleanField(_("closed by staff"), default=False)
    uid = models.CharField(_("id in the source"), max_length=200, blank=True)
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

    `id` derives from what makes it the same event: the source's own id of it, else source, type, currency and start
    (`calendar_import.event_key`). `waived`: two persons opened its window (`calendar_overrides.py`).
    """

    id = models.UUIDField(primary_key=True)
    version = models.PositiveIntegerField(_("version"), default=1)
    waived = models.BooleanField(_("waived"), default=False)

    class Meta:
        verbose_name = _("macro event")
        verbose_name_plural = _("macro events")
        ordering = ["start_at"]
        indexes = [
            models.Index(fields=["start_at", "impact"], name="risk_event_start"),
            models.Index(fields=["event_type", "start_at"], name="risk_event_type"),
            models.Index(fields=["end_at"], condition=models.Q(end_at__isnull=False), name="risk_event_end"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "event_type", "currency", "start_at"],
                condition=models.Q(uid=""),
                name="risk_event_once",
            ),
            models.UniqueConstraint(fields=["source", "uid"], condition=~models.Q(uid=""), name="risk_event_uid_once"),
            # NULL is never equal to NULL in a unique index, and SQLite cannot be told otherwise.
            models.UniqueConstraint(
                fields=["source", "event_type", "currency"],
                condition=models.Q(start_at__isnull=True, uid=""),
                name="risk_event_undated_once",
            ),
            models.CheckConstraint(condition=models.Q(impact__gte=0, impact__lte=1), name="risk_event_impact_0_to_1"),
        ]

    def __str__(self) -> str:
        return self.event_type if self.start_at is None else f"{self.event_type} {self.start_at:%Y-%m-%d %H:%M}"


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
