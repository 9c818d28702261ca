"""Times of MIA files. None leaves here without a time zone; all are UTC."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from risk.sources.notes import Notes
from risk.sources.records import SourceError
from risk.sources.rows import FieldError, shown

_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<hour>[0-9]{2}:[0-9]{2})"
    r"(?:(?P<second>:[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,9}))?)? ?(?P<offset>[Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_STAMP = re.compile(r"[0-9]{8}_[0-9]{6}")
_EXPECTED = "a time such as 2025-05-13 14:00:00"
FIRST_YEAR, LAST_YEAR = 1970, 2199


def is_time(text: str) -> bool:
    """Whether `text` looks like a time of any MIA file."""
    return bool(_ISO.fullmatch(text.strip()) or _STAMP.fullmatch(text.strip()))


def utc_field(values: Mapping[str, object], name: str, notes: Notes) -> datetime:
    """A time that is UTC by definition unless it carries an offset; also a YYYYMMDD_HHMMSS stamp."""
    moment = _moment(values, name)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if _STAMP.fullmatch(str(values[name]).strip()):
        notes.say("times written as YYYYMMDD_HHMMSS were read as UTC")
    return moment.replace(tzinfo=UTC)


TELL_ZONE = "say where it was written with --timezone, for example --timezone America/Chicago"


def zoned_field(values: Mapping[str, object], name: str, zone: ZoneInfo | None, *, how: str = TELL_ZONE) -> datetime:
    """A time that is local in `zone` unless it carries an offset, in UTC.

    Raises SourceError, which says `how` to set one, where it carries none and no zone is known: no row of the file
    could be dated.
    """
    moment = _moment(values, name)
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if zone is None:
        raise SourceError(f'{name} "{shown(values.get(name))}" has no time zone: {how}')
    return localised(moment, zone, name)


def _moment(values: Mapping[str, object], name: str) -> datetime:
    raw = values.get(name)
    text = raw.strip() if isinstance(raw, str) else ""
    match = _ISO.fullmatch(text)
    try:
        moment = datetime.fromisoformat(_normal(match) if match else _unstamped(text))
    except ValueError as error:
        raise FieldError(name, raw, _EXPECTED) from error
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise FieldError(name, raw, f"{_EXPECTED}, in a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _normal(match: re.Match[str]) -> str:
    """The one spelling that every supported Python reads; beyond microseconds nothing is kept."""
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    offset = (match["offset"] or "").upper().replace("Z", "+0000").replace(":", "")
    return f"{match['day']}T{match['hour']}{match['second'] or ':00'}.{fraction}{offset}"


def _unstamped(text: str) -> str:
    """MIA's stamp YYYYMMDD_HHMMSS in the basic ISO format; no time at all for any other text."""
    return text.replace("_", "T") if _STAMP.fullmatch(text) else ""


def localised(moment: datetime, zone: ZoneInfo, name: str) -> datetime:
    """A naive time that clocks in `zone` showed, in UTC. Raises FieldError for an hour shown twice or never."""
    first = moment.replace(tzinfo=zone, fold=0)
    second = moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment
    told = "was shown twice" if exists else "was skipped"
    raise FieldError(name, str(moment), f"written with its UTC offset, since this hour {told} by clocks in {zone.key}")
