"""Each dialect of an economic calendar, from its published description: good files, and what each row may get wrong."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from risk.models import Dialect
from risk.sources.calendars.dialects import DIALECTS, parse_calendar
from risk.sources.calendars.settings import CalendarSettings
from risk.sources.records import EventRecord, Parsed, SourceError

NEW_YORK = ZoneInfo("America/New_York")
FOMC = datetime(2025, 5, 7, 18, tzinfo=UTC)
NFP = datetime(2025, 5, 2, 12, 30, tzinfo=UTC)
HIGH, MEDIUM, LOW, NONE = Decimal("0.9"), Decimal("0.6"), Decimal("0.3"), Decimal(0)

FOREXFACTORY_JSON = b"""[
 {"title":"Federal Funds Rate","country":"USD","date":"2025-05-07T14:00:00-04:00","impact":"High",
  "forecast":"4.50%","previous":"4.50%"},
 {"title":"Bank Holiday","country":"JPY","date":"2025-05-05T00:00:00-04:00","impact":"Holiday","forecast":""},
 {"title":"G7 Meetings","country":"All","date":"2025-05-20T05:15:00-04:00","impact":"Medium","forecast":""}
]"""
FOREXFACTORY_XML = """<?xml version="1.0" encoding="windows-1252"?>
<weeklyevents>
  <event>
    <title>Federal Funds Rate</title>
    <country>USD</country>
    <date><![CDATA[05-07-2025]]></date>
    <time><![CDATA[2:00pm]]></time>
    <impact><![CDATA[High]]></impact>
    <forecast />
    <previous><![CDATA[4.50%]]></previous>
  </event>
  <event>
    <title>Conférence de presse</title>
    <country>USD</country>
    <date><![CDATA[05-08-2025]]></date>
    <time><![CDATA[All Day]]></time>
    <impact><![CDATA[Medium]]></impact>
  </event>
</weeklyevents>
""".encode("windows-1252")
FOREXFACTORY_CSV = b"""Title,Country,Date,Time,Impact,Forecast,Previous,URL
Federal Funds Rate,USD,05-07-2025,2:00pm,High,4.50%,4.50%,https://example.com/1
Prelim Wages, Costs, and Productivity,USD,05-08-2025,8:30am,Low,,,https://example.com/2
Currency Report,USD,05-09-2025,Tentative,High,,,
"""
TRADING_ECONOMICS_JSON = b"""[
 {"CalendarId":"355001","Date":"2025-05-02T12:30:00","Country":"United States","Category":"Non Farm Payrolls",
  "Event":"Non Farm Payrolls","Reference":"Apr","Actual":"177K","Previous":"185K","Forecast":"130K","TEForecast":"140K",
  "Importance":3,"Currency":"","Unit":"K","Ticker":"NFP TCH"},
 {"CalendarId":"355002","Date":"2025-05-02T14:00:00","Country":"United States","Category":"Factory Orders MoM",
  "Event":"","Importance":2,"Currency":"USD"},
 {"CalendarId":"355003","Date":"2025-05-02T15:00:00","Country":"Atlantis","Event":"Tide","Importance":1,"Currency":""}
]"""
TRADING_ECONOMICS_CSV = b"""CalendarId,Date,Country,Category,Event,Reference,Actual,Previous,Importance,Currency
355001,2025-05-02T12:30:00,United States,Non Farm Payrolls,Non Farm Payrolls,Apr,"177K","185K",3,USD
"""
ICS = b"""BEGIN:VCALENDAR\r
VERSION:2.0\r
BEGIN:VEVENT\r
UID:empsit-2025-05@bls.gov\r
DTSTART;TZID=US-Eastern:20250502T083000\r
SUMMARY:Employment Situation for\r
  April\\, 2025\r
BEGIN:VALARM\r
TRIGGER:-PT15M\r
SUMMARY:not the event\r
END:VALARM\r
END:VEVENT\r
BEGIN:VEVENT\r
UID:gdp@bea.gov\r
DTSTART:20250530T123000Z\r
SUMMARY:GDP (Second Estimate)\r
STATUS:CANCELLED\r
END:VEVENT\r
END:VCALENDAR\r
"""
INVESTING = b"""Date,Time,Currency,Importance,Event,Actual,Forecast,Previous
07/05/2025,14:00,USD,high,Fed Interest Rate Decision,,4.50%,4.50%
08/05/2025,All Day,GBP,low,Bank Holiday,,,
"""
METATRADER = (
    "Time\tCurrency\tEvent\tImportance\tActual\tForecast\tPrevious\n"
    "2025.05.07 21:00\tUSD\tFed Interest Rate Decision\t3\t4.5\t4.5\t4.5\n"
    "2025.05.08 02:00\tNZD\tHoliday\t0\t\t\t\n"
).encode("utf-16")


def read(data: bytes, dialect: str, **settings: Any) -> Parsed[EventRecord]:
    return parse_calendar(data, CalendarSettings(dialect=dialect, **settings))


def brief(parsed: Parsed[EventRecord]) -> list[tuple[Any, ...]]:
    return [(event.start_at, event.event_type, event.currency, event.impact) for event in parsed.records]


def only_error(parsed: Parsed[EventRecord]) -> str:
    (error,) = parsed.errors
    return f"{error.line}: {error.message}"


def test_every_dialect_of_the_admin_has_a_parser() -> None:
    assert set(DIALECTS) == set(Dialect.values)


def test_forexfactory_json_has_offsets_and_its_country_is_a_currency() -> None:
    parsed = read(FOREXFACTORY_JSON, "forexfactory_json")
    assert parsed.errors == ()
    assert brief(parsed) == [
        (FOMC, "Federal Funds Rate", "USD", HIGH),
        (datetime(2025, 5, 5, 4, tzinfo=UTC), "Bank Holiday", "JPY", NONE),
        (datetime(2025, 5, 20, 9, 15, tzinfo=UTC), "G7 Meetings", None, MEDIUM),
    ]


def test_forexfactory_xml_is_windows_1252_and_local_to_a_zone_that_is_set() -> None:
    parsed = read(FOREXFACTORY_XML, "forexfactory_xml", zone=NEW_YORK)
    assert parsed.errors == ()
    assert brief(parsed)[0] == (FOMC, "Federal Funds Rate", "USD", HIGH)
    day = parsed.records[1]
    assert day.event_type == "Conférence de presse" and day.line == 12
    assert (day.start_at, day.end_at) == (datetime(2025, 5, 8, 4, tzinfo=UTC), datetime(2025, 5, 9, 4, tzinfo=UTC))


def test_forexfactory_csv_may_have_commas_in_titles_and_times_that_nobody_knows() -> None:
    parsed = read(FOREXFACTORY_CSV, "forexfactory_csv", zone=NEW_YORK)
    assert parsed.errors == ()
    assert [event.event_type for event in parsed.records] == [
        "Federal Funds Rate", "Prelim Wages, Costs, and Productivity", "Currency Report",
    ]  # fmt: skip
    assert parsed.records[0].start_at == FOMC
    tentative = parsed.records[2]
    day = datetime(2025, 5, 9, 4, tzinfo=UTC), datetime(2025, 5, 10, 4, tzinfo=UTC)
    assert (tentative.start_at, tentative.end_at) == day
    assert parsed.notes == ("events without a time of day, taken as the whole day: 1",)


def test_trading_economics_is_utc_and_counts_importance_from_1_to_3() -> None:
    parsed = read(TRADING_ECONOMICS_JSON, "trading_economics_json")
    assert brief(parsed) == [
        (NFP, "Non Farm Payrolls", "USD", HIGH),
        (datetime(2025, 5, 2, 14, tzinfo=UTC), "Factory Orders MoM", "USD", MEDIUM),
        (datetime(2025, 5, 2, 15, tzinfo=UTC), "Tide", None, LOW),
    ]
    assert [event.uid for event in parsed.records] == ["355001", "355002", "355003"]
    assert brief(read(TRADING_ECONOMICS_CSV, "trading_economics_csv")) == [(NFP, "Non Farm Payrolls", "USD", HIGH)]


def test_an_ics_knows_its_zones_its_cancellations_and_takes_impacts_from_the_settings() -> None:
    impacts = {"employment situation": Decimal("0.95"), "*": Decimal("0.5")}
    jobs, gdp = read(ICS, "ics", impacts=impacts).records
    assert (jobs.start_at, jobs.event_type) == (NFP, "Employment Situation for April, 2025")
    assert (jobs.uid, jobs.impact, jobs.cancelled) == ("empsit-2025-05@bls.gov", Decimal("0.95"), False)
    assert (gdp.start_at, gdp.impact, gdp.cancelled) == (datetime(2025, 5, 30, 12, 30, tzinfo=UTC), NONE, True)


def test_an_investing_export_is_day_first_in_the_zone_of_whoever_exported_it() -> None:
    parsed = read(INVESTING, "investing_csv", zone=NEW_YORK)
    assert brief(parsed)[0] == (FOMC, "Fed Interest Rate Decision", "USD", HIGH)
    assert parsed.records[1].end_at is not None


def test_a_metatrader_export_is_trade_server_time_in_utf_16_with_importance_from_0_to_3() -> None:
    parsed = read(METATRADER, "metatrader_csv", zone=ZoneInfo("Europe/Helsinki"))
    assert parsed.errors == ()
    assert brief(parsed)[0] == (FOMC, "Fed Interest Rate Decision", "USD", HIGH)
    assert parsed.records[1].impact == NONE


def test_any_csv_is_read_by_a_column_map() -> None:
    data = b"when;what;weight;id\n2025-05-07 14:00;FOMC;0.95;77\n"
    columns = {"event": "What", "date": "When", "impact": "Weight", "scale": "share", "uid": "id"}
    (event,) = read(data, "csv", zone=NEW_YORK, columns=columns).records
    assert (event.start_at, event.impact, event.currency, event.uid) == (FOMC, Decimal("0.95"), None, "77")


def test_a_currency_filter_leaves_others_out_and_keeps_what_names_none() -> None:
    parsed = read(FOREXFACTORY_JSON, "forexfactory_json", currencies=frozenset({"USD"}))
    assert [event.event_type for event in parsed.records] == ["Federal Funds Rate", "G7 Meetings"]
    assert parsed.read == 2
    assert parsed.notes == ("events of other currencies left out: 1",)


def test_what_the_settings_say_of_an_impact_comes_first() -> None:
    impacts = {"federal": Decimal("0.2"), "federal funds": Decimal(1)}
    assert read(FOREXFACTORY_JSON, "forexfactory_json", impacts=impacts).records[0].impact == 1


def test_times_across_a_change_of_clocks_keep_their_hour_in_the_zone() -> None:
    rows = "Title,Country,Date,Time,Impact\nCPI,USD,03-07-2025,8:30am,High\nCPI,USD,03-10-2025,8:30am,High\n"
    first, second = read(rows.encode(), "forexfactory_csv", zone=NEW_YORK).records
    assert first.start_at == datetime(2025, 3, 7, 13, 30, tzinfo=UTC)
    assert second.start_at == datetime(2025, 3, 10, 12, 30, tzinfo=UTC)


def test_a_release_published_as_a_date_needs_its_time_of_day() -> None:
    dated = VEVENT.format("DTSTART;VALUE=DATE:20250515").replace("CPI", "Retail Sales").encode()
    impacts = {"*": HIGH}
    assert "or set the release's time of day" in only_error(read(dated, "ics", zone=NEW_YORK, impacts=impacts))
    (event,) = read(dated, "ics", zone=NEW_YORK, impacts=impacts, times={"retail sales": time(8, 30)}).records
    assert event.start_at == datetime(2025, 5, 15, 12, 30, tzinfo=UTC)


# Rows that are refused, each with its line; the others go in


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("CPI,USD,13-05-2025,8:30am,High", '2: date must be a date such as 05-07-2025 (month first), not "13-05-2025"'),
        ("CPI,USD,05-07-2025,25:00,High", "2: time must be a time such as 14:30 or 2:30pm, All Day, or Tentative, not"),
        ("CPI,USD,05-07-2025,13:00pm,High", "2: time must be"),
        ("CPI,USD,05-07-2025,,High", "2: time is missing"),
        ("CPI,USD,05-07-2025,8:30am,Huge", '2: impact must be an impact: a word such as high, not "Huge"'),
        ("CPI,DOLLAR,05-07-2025,8:30am,High", '2: country must be a currency code such as USD, not "DOLLAR"'),
        (",USD,05-07-2025,8:30am,High", "2: title is missing"),
        ("CPI,USD,03-09-2025,2:30am,High", "2: time must be written with its UTC offset"),
        ("CPI,USD,05-07-2025", "2: the row has fewer than 5 values"),
        ('"CPI,USD', "2: the row has fewer than 5 values"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_good_one_goes_in(row: str, said: str) -> None:
    data = f"Title,Country,Date,Time,Impact\n{row}\nFOMC,USD,05-07-2025,2:00pm,High\n".encode()
    parsed = read(data, "forexfactory_csv", zone=NEW_YORK)
    assert only_error(parsed).startswith(said)
    assert brief(parsed) == [(FOMC, "FOMC", "USD", HIGH)]


@pytest.mark.parametrize(
    ("importance", "dialect", "fits"),
    [("0", "1-3", False), ("3", "1-3", True), ("4", "1-3", False), ("0", "0-3", True), ("1.5", "0-3", False),
     ("1", "share", True), ("1.1", "share", False), ("2", "words", False), ("red", "words", True),
     ("High Impact Expected", "words", True)],
)  # fmt: skip
def test_a_number_is_an_impact_only_on_its_scale(importance: str, dialect: str, fits: bool) -> None:
    columns = {"event": "event", "date": "date", "impact": "impact", "scale": dialect}
    parsed = read(
        f"event,date,impact\nCPI,2025-05-07 14:00,{importance}\n".encode(), "csv", zone=NEW_YORK, columns=columns
    )
    assert bool(parsed.records) is fits and bool(parsed.errors) is not fits


VEVENT = "BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nSUMMARY:CPI\nEND:VEVENT\nEND:VCALENDAR\n"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("DTSTART;TZID=Mars/Olympus:20250507T140000", "TZID must be a time zone that is known"),
        ("DTSTART:20251307T140000Z", "DTSTART must be a start such as"),
        ("DTSTART:99990507T140000Z", "in a year from 1970"),
        ("DTSTART:20250507T140000Z\nRRULE:FREQ=MONTHLY", "an entry that repeats is not read"),
        ("DESCRIPTION:nothing", "DTSTART is missing"),
    ],
)
def test_an_ics_entry_that_cannot_be_dated_is_refused(lines: str, said: str) -> None:
    assert said in only_error(read(VEVENT.format(lines).encode(), "ics", impacts={"*": HIGH}))


def test_an_ics_entry_without_an_impact_is_refused() -> None:
    data = VEVENT.format("DTSTART:20250507T140000Z").encode()
    assert "impact is missing: it must be said by the source, or set by a word" in only_error(read(data, "ics"))


# Files that cannot be read as a whole


@pytest.mark.parametrize(
    ("dialect", "data", "said"),
    [
        ("forexfactory_csv", FOREXFACTORY_CSV, "set the zone"),
        ("forexfactory_xml", FOREXFACTORY_XML, "set the zone"),
        ("investing_csv", INVESTING, "set the zone"),
        ("forexfactory_json", FOREXFACTORY_JSON.replace(b"-04:00", b""), "set the zone that this calendar"),
        ("ics", VEVENT.format("DTSTART:20250507T140000").encode(), "set the zone"),
        ("forexfactory_json", FOREXFACTORY_JSON[:200], "the array of objects cannot be read"),
        ("forexfactory_xml", FOREXFACTORY_XML[:400], "the file is not XML (line"),
        ("forexfactory_xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "declares a document type"),
        ("forexfactory_xml", b"<?xml version='1.0' encoding='martian'?><a/>", "encoding that is not known"),
        ("forexfactory_xml", b"<a>" * 9 + b"</a>" * 9, "nested too deeply"),
        ("ics", ICS[:-20], "it is none, or it was cut off"),
        ("ics", b"<html>maintenance</html>", "it is none, or it was cut off"),
        ("trading_economics_csv", b"a,b\n1,2\n", "the column date is missing"),
        ("forexfactory_csv", b"Country,Title,Date,Time,Impact\n", "the first column is the title"),
        ("investing_csv", b"Date,Time,Currency,Event\n", "the column importance (impact) is missing"),
        ("csv", b"a,b\n1,2\n", "the column map must name the column of the event"),
        ("ics", b"", "the file is empty"),
        ("metatrader_csv", b"\xff\xfe\x00", "is not text in utf-16"),
        ("rss", b"x", "the dialect must be one of mia, forexfactory_json"),
    ],
)
def test_a_file_that_is_not_what_it_was_set_to_be_says_so(dialect: str, data: bytes, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(data, dialect)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"events": "a"}, "events is no key of a column map"),
        ({"event": "a", "date": "b", "scale": "stars"}, "scale must be one of words, 1-3, 0-3, share, not stars"),
        ({"event": "a", "date": "b", "order": "dym"}, "order must be one of ymd, mdy, dmy"),
        ({"event": "a", "date": "c"}, "the column c (date) is missing in the header"),
    ],
)
def test_a_column_map_that_cannot_be_says_what_it_may_hold(columns: dict[str, str], said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(b"a,b\n1,2\n", "csv", columns=columns)
    assert said in str(caught.value)
