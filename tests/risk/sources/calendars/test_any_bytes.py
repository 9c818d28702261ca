"""Whatever bytes arrive: records or errors, never a crash, never a time without a zone."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.sources.calendars.dialects import DIALECTS, parse_calendar
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.records import SourceError
from tests.risk.sources.calendars import test_dialects as published

GOOD = {
    "mia": b"start_time,type,impact\n2025-05-07 18:00:00,FOMC,1.0\n",
    "forexfactory_json": published.FOREXFACTORY_JSON,
    "forexfactory_xml": published.FOREXFACTORY_XML,
    "forexfactory_csv": published.FOREXFACTORY_CSV,
    "trading_economics_json": published.TRADING_ECONOMICS_JSON,
    "trading_economics_csv": published.TRADING_ECONOMICS_CSV,
    "ics": published.ICS,
    "investing_csv": published.INVESTING,
    "metatrader_csv": published.METATRADER,
    "csv": b"event,date\nFOMC,2025-05-07 14:00\n",
}
COLUMNS = {"csv": {"event": "event", "date": "date"}}
ZONES = st.sampled_from([None, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kolkata")])


@st.composite
def spoiled(draw: st.DrawFn, good: bytes) -> bytes:
    """A good file with a piece cut out, doubled, or replaced by anything."""
    start = draw(st.integers(0, len(good)))
    end = draw(st.integers(start, min(len(good), start + 60)))
    piece = draw(st.binary(max_size=20) | st.sampled_from([b"", good[start:end] * 2, b'"', b"\n", b"00:00", b"\x00"]))
    return good[:start] + piece + good[end:]


def holds(data: bytes, dialect: str, zone: ZoneInfo | None) -> None:
    how = CalendarSettings(dialect=dialect, zone=zone, columns=COLUMNS.get(dialect, {}))
    try:
        parsed = parse_calendar(data, how)
    except SourceError:
        return
    assert parsed.read == len(parsed.records) + len(parsed.errors)
    assert all(error.line >= 1 and error.message for error in parsed.errors)
    for event in parsed.records:
        assert 0 <= event.impact <= 1
        for moment in (event.start_at, event.end_at):
            assert moment is None or moment.utcoffset() is not None


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_dialect_has_a_good_file(dialect: str) -> None:
    how = CalendarSettings(dialect=dialect, zone=ZoneInfo("UTC"), columns=COLUMNS.get(dialect, {}))
    assert set(GOOD) == set(DIALECTS)
    assert parse_calendar(GOOD[dialect], how).read >= 1


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@settings(max_examples=60)
@given(data=st.binary(max_size=200), zone=ZONES)
def test_any_bytes_are_records_or_errors(dialect: str, data: bytes, zone: ZoneInfo | None) -> None:
    holds(data, dialect, zone)


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@settings(max_examples=60)
@given(data=st.data(), zone=ZONES)
def test_a_spoiled_calendar_is_records_or_errors(dialect: str, data: st.DataObject, zone: ZoneInfo | None) -> None:
    holds(data.draw(spoiled(GOOD[dialect])), dialect, zone)
