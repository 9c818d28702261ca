"""macro_events.csv: three headers, UTC times, impacts from 0 to 1."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from risk.sources.macro_events import parse_macro_events
from risk.sources.records import EventRecord, SourceError


def test_a_start_time_without_an_offset_is_utc() -> None:
    parsed = parse_macro_events(b"start_time,type,impact,cluster_id\n2025-05-07 18:00:00,FOMC,1.0,3\n")
    at = datetime(2025, 5, 7, 18, tzinfo=UTC)
    assert parsed.records == (EventRecord(2, at, "FOMC", None, Decimal("1.0"), "3"),)
    assert (parsed.errors, parsed.notes, parsed.read) == ((), (), 1)


def test_the_second_dialect_is_utc_unless_it_carries_an_offset() -> None:
    data = (
        b"timestamp,event_type,impact_score\n"
        b"2025-05-13T12:30:00,CPI,0.9\n2025-05-13T08:30:00-04:00,CPI,0.9\n2025-05-13T12:30:00.5Z,CPI,0.9\n"
    )
    first, second, third = parse_macro_events(data).records
    assert first.start_at == second.start_at == datetime(2025, 5, 13, 12, 30, tzinfo=UTC)
    assert third.start_at == datetime(2025, 5, 13, 12, 30, 0, 500_000, tzinfo=UTC)


def test_a_file_of_type_and_impact_alone_gives_undated_events_and_says_so() -> None:
    parsed = parse_macro_events(b"impact,type\n0.8,FOMC\n0.2,PMI\n")
    assert [(event.event_type, event.start_at) for event in parsed.records] == [("FOMC", None), ("PMI", None)]
    assert parsed.notes == ("events without a time: 2",)


def test_bad_rows_are_refused_with_line_field_value_and_expectation_and_good_rows_go_in() -> None:
    data = (
        b"start_time,type,impact\n"
        b"2025-05-07 18:00:00,FOMC,1.0\n"
        b"2025-05-07 18:00:00,FOMC,1.4\n"
        b"2025-05-07 18:00:00,FOMC,nan\n"
        b"2025-05-07 18:00:00,FOMC,inf\n"
        b"2025-02-30 18:00:00,CPI,0.9\n"
        b"13/05/2025,CPI,0.9\n"
        b"2025-05-13 12:30:00,,0.9\n"
        b"2025-05-13 12:30:00,CPI\n"
        b"2025-05-13 12:30:00,CPI,\n"
        b"2025-06-06 12:30:00,NFP,0.9\n"
    )
    parsed = parse_macro_events(data)
    assert [event.line for event in parsed.records] == [2, 11]
    assert [(error.line, error.field, error.value) for error in parsed.errors] == [
        (3, "impact", "1.4"),
        (4, "impact", "nan"),
        (5, "impact", "inf"),
        (6, "start_time", "2025-02-30 18:00:00"),
        (7, "start_time", "13/05/2025"),
        (8, "type", ""),
        (9, "", "2025-05-13 12:30:00,CPI"),
        (10, "impact", ""),
    ]
    assert parsed.errors[0].message == 'impact must be a number from 0 to 1, not "1.4"'
    assert parsed.errors[6].message == "the row has 2 values, the header has 3"
    assert parsed.errors[7].message == "impact is missing: it must be a number from 0 to 1"
    assert parsed.read == 10


def test_an_impact_never_passes_through_a_float() -> None:
    (event,) = parse_macro_events(b"type,impact\nFOMC,0.70000000000000000001\n").records
    assert event.impact == Decimal("0.70000000000000000001") > Decimal("0.7")


def test_byte_order_mark_windows_lines_empty_lines_and_comments_are_read() -> None:
    data = b"\xef\xbb\xbf# macro events\r\n\r\nstart_time,type,impact\r\n\r\n2025-05-07 18:00:00,FOMC,1\r\n\r\n"
    parsed = parse_macro_events(data)
    assert [(event.line, event.event_type) for event in parsed.records] == [(5, "FOMC")]


def test_a_stray_quotation_mark_costs_one_row_and_not_the_rest() -> None:
    data = b'type,impact\n"FOMC,1\nCPI,0.9\n"NFP",0.9\n'
    parsed = parse_macro_events(data)
    assert [event.event_type for event in parsed.records] == ["CPI", "NFP"]
    assert [error.line for error in parsed.errors] == [2]


def test_a_currency_is_a_code_and_unread_columns_are_named() -> None:
    parsed = parse_macro_events(b"type,impact,currency,source\nFOMC,1,usd,fed\nECB,1,euro,ecb\n")
    assert [event.currency for event in parsed.records] == ["USD"]
    assert [(error.line, error.field) for error in parsed.errors] == [(3, "currency")]
    assert "columns not imported: source" in parsed.notes


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"start_time,type\n2025-05-07 18:00:00,FOMC\n", "a column of a macro calendar is missing"),
        (b"", "empty"),
        (b" \n \n", "empty"),
        (b"# only a comment\n", "no header"),
        (b"type,impact\nCaf\xe9,1\n", "not UTF-8 text (line 2)"),
        (b"type,type,impact\nFOMC,FOMC,1\n", 'column "type" stands twice'),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_macro_events(data)
    assert words in str(caught.value)
