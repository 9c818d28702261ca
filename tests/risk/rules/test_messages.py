"""Every refusal is a sentence, made from a template that can be translated and from its own evidence."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from risk.rules.codes import ReasonCode
from risk.rules.messages import MESSAGES, gettext_noop, instant, message, number
from risk.rules.reasons import reason


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_code_has_a_sentence(code: ReasonCode) -> None:
    evidence = dict.fromkeys(re.findall(r"%\((\w+)\)s", MESSAGES[code]), "7")
    sentence = message(code, evidence)
    assert "%" not in sentence
    assert sentence[0].isupper() or evidence


def test_templates_use_named_text_fields_only() -> None:
    for template in MESSAGES.values():
        assert "%" not in re.sub(r"%\(\w+\)s", "", template)


def test_a_sentence_without_its_evidence_is_an_error_and_no_half_sentence() -> None:
    with pytest.raises(KeyError):
        message(ReasonCode.EQUITY_STALE, {"at": "now"})


def test_marking_a_template_does_not_change_it() -> None:
    assert gettext_noop("No limits are set.") == "No limits are set."


def test_a_reason_holds_its_sentence_and_a_copy_of_its_evidence() -> None:
    evidence = {"rule": "daily_loss"}
    made = reason(ReasonCode.DRAWDOWN_UNKNOWN, evidence)
    evidence["rule"] = "other"
    assert made.message == "daily_loss: the drawdown was not measured."
    assert made.evidence == {"rule": "daily_loss"}
    assert made.retry_at is None


@pytest.mark.parametrize(
    ("value", "text"),
    [("0.0500", "0.05"), ("100000", "100000"), ("1E+5", "100000"), ("0", "0"), ("-2.50", "-2.5")],
)
def test_decimals_are_written_in_plain_digits(value: str, text: str) -> None:
    assert number(Decimal(value)) == text


def test_times_are_written_in_utc() -> None:
    chicago_summer = timezone(timedelta(hours=-5))
    assert instant(datetime(2025, 5, 7, 13, 0, tzinfo=chicago_summer)) == "2025-05-07T18:00:00Z"
    assert instant(datetime(2025, 5, 7, 18, 0, 0, 250_000, tzinfo=UTC)) == "2025-05-07T18:00:00.250000Z"
    assert instant(None) == "-"
