"""When the synthetic bot trades: 08:30 to 15:00 in Chicago, Monday to Friday. Holidays are not known here."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Chicago")
OPENS, CLOSES = time(8, 30), time(15, 0)
COUNT = 5
WEEKEND = 5
SHORTEST = timedelta(minutes=30)
QUIET = timedelta(minutes=2)
"""The synthetic past ends a little before the present, where the live feed begins."""
QUARTERS = {3: "H", 6: "M", 9: "U", 12: "Z"}
FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: its place in the week (0 is the first) and its times, UTC."""

    place: int
    opens_at: datetime
    closes_at: datetime

    @property
    def minutes(self) -> int:
        return int((self.closes_at - self.opens_at).total_seconds() // 60)

    def at(self, clock: time) -> datetime:
        """A time of day in Chicago on the session's date, as UTC."""
        return _utc(self.opens_at.astimezone(ZONE).date(), clock)


def sessions_before(now: datetime) -> tuple[Session, ...]:
    """The last five sessions up to `now`, oldest first; one that is under way ends two minutes ago."""
    day = now.astimezone(ZONE).date()
    found: list[tuple[datetime, datetime]] = []
    while len(found) < COUNT:
        opens_at, closes_at = _utc(day, OPENS), min(_utc(day, CLOSES), _minute(now - QUIET))
        if day.weekday() < WEEKEND and closes_at - opens_at >= SHORTEST:
            found.append((opens_at, closes_at))
        day -= timedelta(days=1)
    return tuple(Session(place, *times) for place, times in enumerate(reversed(found)))


def front_contract(day: date, root: str = "ES") -> str:
    """The quarterly contract that is traded most on `day`: the next one from the week of its expiry on."""
    year, month = day.year, (day.month + 2) // 3 * 3
    if day >= _third_friday(year, month) - timedelta(days=7):
        year, month = (year + 1, 3) if month == 12 else (year, month + 3)
    return f"{root}{QUARTERS[month]}{year % 10}"


def _third_friday(year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(FRIDAY - first.weekday()) % 7 + 14)


def _utc(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, ZONE).astimezone(UTC)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
