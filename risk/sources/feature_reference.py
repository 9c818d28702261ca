"""feature_reference.csv: where each feature of the model usually lies, by its median and interquartile range."""

from decimal import Decimal

from risk.sources.bounds import MAX_MONEY
from risk.sources.feature_importance import NAME_COLUMNS
from risk.sources.fields import number_field, text_field
from risk.sources.notes import Notes
from risk.sources.records import FeatureStatistics, Kind, Parsed, SourceError
from risk.sources.rows import FieldError, Row, collect
from risk.sources.tables import read_table
from risk.sources.text import decode

NAMES = (*NAME_COLUMNS, "name")
MEDIAN, IQR, QUARTILES, COUNT = "median", "iqr", ("q1", "q3"), "count"
FINITE = "a finite number"
NOT_NEGATIVE = "a finite number of at least 0"


def is_reference_header(header: frozenset[str]) -> bool:
    """Whether a table of these columns states medians and ranges of features."""
    ranged = IQR in header or header.issuperset(QUARTILES)
    return bool(header.intersection(NAMES)) and MEDIAN in header and ranged


def parse_feature_reference(data: bytes) -> Parsed[FeatureStatistics]:
    """Read the reference of each feature: name, median, iqr (or q1 and q3), count where it is told.

    Raises SourceError where a column is missing, or no row could be taken.
    """
    notes = Notes()
    table = read_table(decode(data), notes)
    name = next((column for column in NAMES if column in table.header), None)
    if name is None or not is_reference_header(frozenset(table.header)):
        raise SourceError("the columns name, median and iqr (or q1 and q3) are needed")
    table.note_unread((name, MEDIAN, IQR, *QUARTILES, COUNT), notes)
    seen: set[str] = set()

    def record_of(row: Row) -> FeatureStatistics:
        found = _statistics(row, name)
        if found.name in seen:
            raise FieldError(name, found.name, "a feature that no line above names")
        seen.add(found.name)
        return found

    parsed = collect(Kind.FEATURE_REFERENCE, table.rows, record_of, notes)
    if not parsed.records:
        raise SourceError("no feature has a median and a range")
    return parsed


def _statistics(row: Row, name: str) -> FeatureStatistics:
    median = _needed(row, MEDIAN, -MAX_MONEY, FINITE)
    if row.values.get(IQR) not in (None, ""):
        iqr = _needed(row, IQR, Decimal(0), NOT_NEGATIVE)
    else:
        low, high = (_needed(row, column, -MAX_MONEY, FINITE) for column in QUARTILES)
        if not low <= median <= high:
            raise FieldError(MEDIAN, str(median), "between q1 and q3")
        iqr = high - low
    count = number_field(row.values, COUNT, Decimal(0), MAX_MONEY, NOT_NEGATIVE)
    told = None if count is None else int(count)
    return FeatureStatistics(text_field(row.values, name), float(median), float(iqr), told)


def _needed(row: Row, column: str, low: Decimal, expected: str) -> Decimal:
    value = number_field(row.values, column, low, MAX_MONEY, expected)
    if value is None:
        raise FieldError(column, None, expected)
    return value
