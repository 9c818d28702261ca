"""market_config.yaml: what of MIA's market configuration is a limit of the desk, and why the rest is not.

It is taken whole or not at all: half of a limits file would be a limits file that nobody wrote.
"""

import re
from collections.abc import Callable
from decimal import Decimal

from risk.sources.bounds import MAX_CONFIG_BYTES
from risk.sources.fields import decimal_of
from risk.sources.notes import Notes
from risk.sources.records import Kind, LimitsRecord, Parsed, RowError, SourceError
from risk.sources.rows import FieldError, shown
from risk.sources.text import decode
from risk.sources.yaml_leaves import Leaf, yaml_leaves

LIMIT_KEYS = (
    "max_drawdown",
    "entry_freq_max",
    "entry_freq_min_interval",
    "pause_trading_window_minutes",
    "max_loss_per_trade",
)
_HOMES = {"pause_trading_window_minutes": ("", "news"), "max_loss_per_trade": ("", "risk", "thresholds")}
_SECRET = re.compile(r"api_?key|secret|token|password|passwd|credential|private_key", re.IGNORECASE)
_COMMENT = re.compile(r"(.*_)?(description|range|options|reference)|version|updated", re.IGNORECASE)
_GROUPS = {
    "metadata": "a comment",
    "notes": "a comment",
    "data_sources": "the bots' data feed",
    "data": "the bots' data files",
    "market": "describes the market",
    "market_params": "describes the market",
    "modes": "belongs to the model",
    "trading_options": "belongs to the bots' execution",
    "logging": "the bots' logging",
    "dashboard": "the bots' dashboard",
}
_REASONS = {
    "news_impact_threshold": "adjusts the model's signals; blackouts have their own, impact_above",
    "vix_defensive_threshold": "a volatility threshold of the model",
    "vix_method5_threshold": "a volatility threshold of the model",
    "iv_high_threshold": "a volatility threshold of the model",
    "critical_events": "blackouts go by impact, for every type of event",
}
_SECTIONS = {"risk": "belongs to the bots' choice of signals", "news": "the bots' news feed"}
_NO_LIMIT = "no limit of this version"
Settings = dict[str, dict[str, object]]


def parse_market_config(data: bytes) -> Parsed[LimitsRecord]:
    """Read the limits of a market configuration, plain or in a Markdown fence, flat or under `thresholds`.

    A value that is no limit is an error, and then there is no record. Raises SourceError where the file is
    not YAML, names none of the limits, or names one twice.
    """
    notes = Notes()
    limits: dict[str, Leaf] = {}
    ignored: list[tuple[str, str]] = []
    for leaf in yaml_leaves(decode(data, MAX_CONFIG_BYTES), LIMIT_KEYS, notes):
        name = _limit_of(leaf.path)
        if name is None:
            ignored.append((shown(leaf.key, 200), ignored_because(leaf.path)))
        elif name in limits:
            raise SourceError(f"{name} stands twice, on the lines {limits[name].line} and {leaf.line}")
        else:
            limits[name] = leaf
    if not limits:
        raise SourceError(f"none of the limits {', '.join(LIMIT_KEYS)} is in the file")
    if ignored:
        notes.say(f"{len(limits)} settings are limits, {len(ignored)} others are not imported")
    record, errors = _record(limits, tuple(ignored))
    return Parsed(Kind.MARKET_CONFIG, () if errors else (record,), errors, notes.sentences(), 1)


def _record(limits: dict[str, Leaf], ignored: tuple[tuple[str, str], ...]) -> tuple[LimitsRecord, tuple[RowError, ...]]:
    values: dict[str, object] = {}
    mapped: list[tuple[str, str, str]] = []
    errors: list[RowError] = []
    for name, leaf in limits.items():
        try:
            for path, value in _MAPPINGS[name](leaf):
                mapped.append((leaf.key, path, str(value)))
                _put(values, path, value)
        except FieldError as error:
            errors.append(RowError(leaf.line, str(error), error.field, error.value))
    return LimitsRecord(values, tuple(mapped), ignored), tuple(errors)


def _put(values: dict[str, object], path: str, value: str | int) -> None:
    if path == DRAWDOWN_PATH:
        allowance = {"of": "reference", "value": value}
        values["drawdown"] = [{"name": "max_drawdown", "mode": "trailing_intraday", "allowance": allowance}]
        return
    section, name = path.split(".")
    part = values.setdefault(section, {})
    assert isinstance(part, dict)
    part[name] = value


def _limit_of(path: tuple[str, ...]) -> str | None:
    """The limit that a path names, flat or nested, with or without a last `value`."""
    if len(path) > 1 and path[-1] == "value":
        path = path[:-1]
    *parents, name = path
    homes = _HOMES.get(name, ("", "thresholds"))
    return name if name in LIMIT_KEYS and ".".join(parents) in homes else None


def ignored_because(path: tuple[str, ...]) -> str:
    """Why the setting at `path` is not imported."""
    if any(_SECRET.search(part) for part in path):
        return "a secret: it is not read into the product"
    if _COMMENT.fullmatch(path[-1]):
        return "a comment"
    name = path[-2] if path[-1] == "value" and len(path) > 1 else path[-1]
    return _GROUPS.get(path[0]) or _REASONS.get(name) or _SECTIONS.get(path[0], _NO_LIMIT)


DRAWDOWN_PATH = "drawdown[0].allowance.value"


def _number(leaf: Leaf, low: Decimal, high: Decimal, expected: str) -> Decimal:
    number = decimal_of(leaf.value)
    if number is None or not low <= number <= high:
        raise FieldError(leaf.key, "a list" if leaf.value is None else leaf.value, expected)
    return number


def _whole(leaf: Leaf, low: int, high: int, factor: int = 1) -> int:
    expected = f"a whole number from {low:,} to {high:,}"
    number = _number(leaf, Decimal(low), Decimal(high), expected) * factor
    if number != number.to_integral_value():
        raise FieldError(leaf.key, leaf.value, expected)
    return int(number)


def _drawdown(leaf: Leaf) -> list[tuple[str, str | int]]:
    expected = "a fraction between 0 and 1 with at most 6 decimals, such as 0.05 for 5 %"
    fraction = _number(leaf, Decimal(-1), Decimal(1), expected).copy_abs()
    if fraction in (0, 1) or fraction != round(fraction, 6):
        raise FieldError(leaf.key, leaf.value, expected)
    return [(DRAWDOWN_PATH, f"{fraction:f}")]


def _openings(leaf: Leaf) -> list[tuple[str, str | int]]:
    return [("pace.max_openings_per_hour", _whole(leaf, 1, 100_000))]


def _interval(leaf: Leaf) -> list[tuple[str, str | int]]:
    return [("pace.min_interval_seconds", _whole(leaf, 0, 1_440, factor=60))]


def _blackout(leaf: Leaf) -> list[tuple[str, str | int]]:
    minutes = _whole(leaf, 0, 1_440)
    return [("blackout.minutes_before", minutes), ("blackout.minutes_after", minutes)]


def _trade_loss(leaf: Leaf) -> list[tuple[str, str | int]]:
    expected = "an amount of at most 1,000,000 and 4 decimals, such as -50"
    amount = _number(leaf, Decimal(-1_000_000), Decimal(1_000_000), expected).copy_abs()
    if not amount or amount != round(amount, 4):
        raise FieldError(leaf.key, leaf.value, expected)
    return [("losses.max_per_trade", f"{amount:f}")]


_MAPPINGS: dict[str, Callable[[Leaf], list[tuple[str, str | int]]]] = {
    "max_drawdown": _drawdown,
    "entry_freq_max": _openings,
    "entry_freq_min_interval": _interval,
    "pause_trading_window_minutes": _blackout,
    "max_loss_per_trade": _trade_loss,
}
