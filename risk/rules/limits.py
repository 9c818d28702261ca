"""The door to an account's limits: read a document, write it back, compare two.

A document is a mapping (from YAML or a form) or JSON bytes. Fractions and money are decimal text, never
floats, so that "0.05" stays 0.05: a YAML loader that keeps scalars as text may be used too. What a field may
hold is in `limit_types.py` and the files beside it, what differs between two documents in `limits_diff.py`.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from risk.rules.limit_base import Section
from risk.rules.limit_drawdown import (
    Allowance,
    AllowanceOf,
    BreachAction,
    ConfirmationLimits,
    DrawdownLimit,
    DrawdownMode,
    PlausibilityLimits,
    ResumeWhen,
)
from risk.rules.limit_exposure import (
    ContractLimits,
    ExposureLimits,
    InstrumentCap,
    Multiplier,
    PriceLimits,
    SelfMatchAction,
    SelfMatchLimits,
)
from risk.rules.limit_types import (
    AlgorithmLimits,
    AnswerLimits,
    BlackoutLimits,
    ClockLimits,
    FeatureLimits,
    FlatLimits,
    FreshnessLimits,
    Limits,
    LossLimits,
    MemoryLimits,
    OrderLimits,
    PaceLimits,
    RuleMode,
    RuleName,
    RuleSetting,
)
from risk.rules.limit_windows import (
    CalendarLimits,
    SessionHours,
    SessionLimits,
    WindowAction,
    WindowLimits,
    WindowPreset,
    WindowRule,
)
from risk.rules.limits_diff import Change, Direction, limits_diff, tightens
from risk.rules.limits_expected import expected_text
from risk.rules.messages import number

__all__ = [
    "AlgorithmLimits",
    "Allowance",
    "AllowanceOf",
    "AnswerLimits",
    "BlackoutLimits",
    "BreachAction",
    "CalendarLimits",
    "Change",
    "ClockLimits",
    "ConfirmationLimits",
    "ContractLimits",
    "Direction",
    "DrawdownLimit",
    "DrawdownMode",
    "ExposureLimits",
    "FeatureLimits",
    "FlatLimits",
    "FreshnessLimits",
    "InstrumentCap",
    "Limits",
    "LimitsError",
    "LossLimits",
    "MemoryLimits",
    "Multiplier",
    "OrderLimits",
    "PaceLimits",
    "PlausibilityLimits",
    "PriceLimits",
    "ResumeWhen",
    "RuleMode",
    "RuleName",
    "RuleSetting",
    "SelfMatchAction",
    "SelfMatchLimits",
    "SessionHours",
    "SessionLimits",
    "WindowAction",
    "WindowLimits",
    "WindowPreset",
    "WindowRule",
    "limits_diff",
    "limits_dump",
    "limits_parse",
    "section_parse",
    "tightens",
]

S = TypeVar("S", bound=Section)

_PATH = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`$")
_CHECKED = re.compile(r"(?P<name>\w+):(?P<word>\w+)")
_NAMED = re.compile(r"(?:unknown|required) field `(?P<name>[^`]*)`")

# Decimal from the digits as written: a float would round them.
_JSON = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class LimitsError(ValueError):
    """A limits document that cannot be used.

    `field` is a dotted path ("drawdown[0].allowance.value"), `value` what stood there, `expected` an English
    sentence of the closed catalogue in `limits_expected.py`, to be translated like any other message.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field or 'limits'}: expected {expected}, got {value!r}")
        self.field = field
        self.value = value
        self.expected = expected


def limits_parse(document: Mapping[str, Any] | bytes) -> Limits:
    """Read limits from a mapping or from JSON bytes.

    Raises LimitsError, naming the field, what it held and what belongs there; unknown fields and floats are
    errors too.
    """
    if isinstance(document, bytes):
        document = _json_mapping(document)
    _refuse_floats(document, "")
    try:
        return msgspec.convert(document, Limits, strict=False, str_keys=True)
    except msgspec.ValidationError as error:
        raise _limits_error(document, str(error)) from error


def section_parse(document: Any, section: type[S], name: str) -> S:
    """Read a section called `name` that belongs to another document. Raises LimitsError."""
    _refuse_floats(document, name)
    try:
        return msgspec.convert(document, section, strict=False, str_keys=True)
    except msgspec.ValidationError as error:
        path, key = _fault(str(error))
        expected = expected_text(_dotted(name, path) if key == path else key)
        raise LimitsError(_dotted(name, path), _value_at(document, path), expected) from error


def _json_mapping(text: bytes) -> dict[str, Any]:
    try:
        return _JSON.decode(text)
    except msgspec.DecodeError as error:
        raise LimitsError("", text[:80], expected_text("json")) from error


def limits_dump(limits: Limits) -> dict[str, Any]:
    """Write limits as a complete, canonical document: equal limits give equal text, decimals included."""
    plain = msgspec.to_builtins(limits, builtin_types=(Decimal,), str_keys=True)
    document: dict[str, Any] = _with_decimal_text(plain)
    document["rules"] = dict(sorted(document["rules"].items()))
    return document


def _with_decimal_text(value: Any) -> Any:
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, Mapping):
        return {key: _with_decimal_text(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_decimal_text(item) for item in value]
    return value


def _refuse_floats(value: object, path: str) -> None:
    if isinstance(value, float):
        raise LimitsError(path, value, expected_text("text"))
    if isinstance(value, Mapping):
        for key, item in value.items():
            _refuse_floats(item, _dotted(path, str(key)))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for index, item in enumerate(value):
            _refuse_floats(item, f"{path}[{index}]")


def _limits_error(document: Any, message: str) -> LimitsError:
    """Turn msgspec's sentence into a field, its value and our own sentence."""
    path, key = _fault(message)
    if path.startswith("rules[") or "`key`" in message:
        return _rules_error(document["rules"])
    return LimitsError(path, _value_at(document, path), expected_text(key))


def _rules_error(rules: Mapping[str, Any]) -> LimitsError:
    """Find the entry of `rules` that msgspec refused: it does not name the key of a mapping."""
    for name, setting in rules.items():
        if name not in set(RuleName):
            return LimitsError(f"rules.{name}", setting, expected_text("rules.name"))
        try:
            msgspec.convert(setting, RuleSetting, strict=False)
        except msgspec.ValidationError as error:
            path, key = _fault(str(error))
            expected = expected_text(_dotted("rules", path) if key == path else key)
            return LimitsError(_dotted(f"rules.{name}", path), _value_at(setting, path), expected)
    return LimitsError("rules", rules, expected_text("rules"))


def _fault(message: str) -> tuple[str, str]:
    """Return the path that msgspec's sentence is about and its key in the catalogue of expectations."""
    at = _PATH.search(message)
    path = at["path"] if at else ""
    checked = _CHECKED.match(message)
    if checked:
        return _dotted(path, checked["name"]), checked["word"]
    named = _NAMED.search(message)
    if named:
        path = _dotted(path, named["name"])
        return path, path if "required" in message else "known_field"
    return path, path


def _dotted(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


def _value_at(document: object, path: str) -> object:
    """Return what stands at a dotted path, None where there is nothing."""
    for step in re.findall(r"[^.\[\]]+", path):
        if isinstance(document, Mapping):
            document = document.get(step)
        elif isinstance(document, Sequence) and step.isdigit():
            document = document[int(step)]
    return document
