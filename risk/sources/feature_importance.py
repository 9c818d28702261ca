"""feature_importance.csv and its cache: the SHAP value of each feature of the model."""

from collections.abc import Callable

from risk.sources.bounds import MAX_MONEY
from risk.sources.fields import number_field, text_field
from risk.sources.notes import Notes
from risk.sources.records import FeatureImportance, Kind, Parsed, SourceError
from risk.sources.rows import FieldError, Row, collect
from risk.sources.tables import read_table
from risk.sources.text import decode
from risk.sources.withdrawn import NAMES, is_withdrawn

FEATURE_COUNT = 150
NAME_COLUMNS = ("feature", "feature_name")
VALUE_COLUMNS = ("shap_value", "importance", "mean_abs_shap", "shap_importance")


def parse_feature_importance(data: bytes, *, count: int = FEATURE_COUNT) -> Parsed[FeatureImportance]:
    """Read a feature set: the `count` features of greatest |SHAP|, greatest first, equal ones by name.

    Raises SourceError where fewer than `count` distinct features have a finite value.
    """
    notes = Notes()
    table = read_table(decode(data), notes)
    name_column = _column(table.header, NAME_COLUMNS)
    value_column = _column(table.header, VALUE_COLUMNS)
    table.note_unread((name_column, value_column), notes)
    parsed = collect(Kind.FEATURE_IMPORTANCE, table.rows, _reader(name_column, value_column), notes)
    if len(parsed.records) < count:
        first = [f"; the first refused row is line {row.line}: {row.message}" for row in parsed.errors[:1]]
        raise SourceError(
            f"{count} distinct features with finite values are needed, the file has {len(parsed.records)}"
            + "".join(first)
        )
    ranked = sorted(parsed.records, key=lambda feature: (-feature.importance, feature.name))
    if len(ranked) > count:
        notes.say(f"the {count} features of greatest |SHAP| were taken of {len(ranked)}")
    return Parsed(parsed.kind, tuple(ranked[:count]), parsed.errors, notes.sentences(), parsed.read)


def _reader(name_column: str, value_column: str) -> Callable[[Row], FeatureImportance]:
    seen: set[str] = set()

    def record_of(row: Row) -> FeatureImportance:
        name = text_field(row.values, name_column)
        if not name.isascii() or is_withdrawn(name):
            expected = f"an ASCII name outside the withdrawn {' and '.join(NAMES)} features"
            raise FieldError(name_column, name, expected)
        if name in seen:
            raise FieldError(name_column, name, "a feature that no line above names")
        expected = "a finite number"
        value = number_field(row.values, value_column, -MAX_MONEY, MAX_MONEY, expected)
        if value is None:
            raise FieldError(value_column, None, expected)
        seen.add(name)
        return FeatureImportance(name, abs(float(value)))

    return record_of


def _column(header: tuple[str, ...], names: tuple[str, ...]) -> str:
    found = next((name for name in names if name in header), None)
    if found is None:
        raise SourceError(f"the column {names[0]} is missing")
    return found
