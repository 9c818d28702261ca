"""market_config.yaml: what is a limit, what is not and why; never a secret."""

import pytest

from risk.rules.limits import limits_parse
from risk.sources.market_config import parse_market_config
from risk.sources.records import SourceError

NESTED = b"""```yaml
# Market configuration
api_keys:
  openai_api_key:
    value: "sk-very-secret"
    description: |
      A key.
thresholds:
  reference: "router_config.yaml"
  max_drawdown:
    value: -0.10
    range: [-1.0, 0.0]
  vix_defensive_threshold:
    value: 25.0
  entry_freq_max:
    value: 5
  entry_freq_min_interval:
    value: 5
risk:
  max_loss_per_trade:
    value: -50
news:
  critical_events:
    value: ["FOMC", "CPI"]
  pause_trading_window_minutes:
    value: 30
logging:
  directory: "data/logs/market"
custom: 1
```
Prose after the block.
"""


def test_the_nested_form_in_a_markdown_fence_becomes_limits() -> None:
    (record,) = parse_market_config(NESTED).records
    assert record.values == {
        "drawdown": [
            {
                "name": "max_drawdown",
                "mode": "trailing_intraday",
                "allowance": {"of": "reference", "value": "0.10"},
            }
        ],
        "pace": {"max_openings_per_hour": 5, "min_interval_seconds": 300},
        "losses": {"max_per_trade": "50"},
        "blackout": {"minutes_before": 30, "minutes_after": 30},
    }
    assert record.mapped == (
        ("thresholds.max_drawdown.value", "drawdown[0].allowance.value", "0.10"),
        ("thresholds.entry_freq_max.value", "pace.max_openings_per_hour", "5"),
        ("thresholds.entry_freq_min_interval.value", "pace.min_interval_seconds", "300"),
        ("risk.max_loss_per_trade.value", "losses.max_per_trade", "50"),
        ("news.pause_trading_window_minutes.value", "blackout.minutes_before", "30"),
        ("news.pause_trading_window_minutes.value", "blackout.minutes_after", "30"),
    )


def test_the_values_are_a_limits_document() -> None:
    (record,) = parse_market_config(NESTED).records
    limits = limits_parse(record.values)
    assert str(limits.drawdown[0].allowance.value) == "0.10"
    assert limits.pace.min_interval_seconds == 300


def test_every_other_setting_is_listed_with_a_reason() -> None:
    (record,) = parse_market_config(NESTED).records
    assert record.ignored == (
        ("api_keys.openai_api_key.value", "a secret: it is not read into the product"),
        ("api_keys.openai_api_key.description", "a secret: it is not read into the product"),
        ("thresholds.reference", "a comment"),
        ("thresholds.max_drawdown.range", "a comment"),
        ("thresholds.vix_defensive_threshold.value", "a volatility threshold of the model"),
        ("news.critical_events.value", "blackouts go by impact, for every type of event"),
        ("logging.directory", "the bots' logging"),
        ("custom", "no limit of this version"),
    )


def test_a_secret_appears_nowhere() -> None:
    assert "sk-very-secret" not in repr(parse_market_config(NESTED))
    assert "sk-very" not in repr(parse_market_config(NESTED.replace(b'"sk', b'["sk')))
    for broken in (
        NESTED.replace(b"value: 5\n", b"value: [5\n", 1),
        NESTED.replace(b'"sk-very-secret"', b"*sk-very-secret"),
    ):
        with pytest.raises(SourceError) as caught:
            parse_market_config(broken)
        assert "sk-very" not in str(caught.value)


@pytest.mark.parametrize("text", [b"max_drawdown: 0.05", b"max_drawdown: -0.05", b"thresholds: {max_drawdown: 0.05}"])
def test_either_sign_and_the_flat_form_are_read(text: bytes) -> None:
    (record,) = parse_market_config(text).records
    assert record.mapped[0][1:] == ("drawdown[0].allowance.value", "0.05")
    assert list(record.values) == ["drawdown"]


def test_a_fraction_keeps_its_digits_as_text() -> None:
    (record,) = parse_market_config(b"max_drawdown: 0.100000").records
    assert record.mapped[0][2] == "0.100000"


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("max_drawdown: 10", "max_drawdown"),
        ("max_drawdown: 0", "max_drawdown"),
        ("max_drawdown: -1", "max_drawdown"),
        ("max_drawdown: .nan", "max_drawdown"),
        ("max_drawdown: 5%", "max_drawdown"),
        ("max_drawdown: [0.05]", "max_drawdown"),
        ("max_drawdown: 0.0000001", "max_drawdown"),
        ("max_loss_per_trade: 0", "max_loss_per_trade"),
        ("max_loss_per_trade: 0.00001", "max_loss_per_trade"),
        ("entry_freq_max: 0", "entry_freq_max"),
        ("entry_freq_max: 2.5", "entry_freq_max"),
        ("entry_freq_min_interval: 0.001", "entry_freq_min_interval"),
        ("news: {pause_trading_window_minutes: -5}", "news.pause_trading_window_minutes"),
        ("news: {pause_trading_window_minutes: 1441}", "news.pause_trading_window_minutes"),
    ],
)
def test_one_bad_limit_refuses_the_whole_file(line: str, field: str) -> None:
    other = "max_drawdown: 0.05" if "max_drawdown" not in line else "entry_freq_max: 5"
    parsed = parse_market_config(f"{other}\n{line}\n".encode())
    assert parsed.records == ()
    assert [(error.line, error.field) for error in parsed.errors] == [(2, field)]


def test_half_a_minute_between_entries_is_30_seconds() -> None:
    (record,) = parse_market_config(b"entry_freq_min_interval: 0.5").records
    assert record.values == {"pace": {"min_interval_seconds": 30}}


def test_prose_that_is_not_yaml_is_left_out_where_it_names_no_limit() -> None:
    data = b"max_drawdown: 0.05\nnotes:\n  - Critical (ex. : a)\n    (twice: b: c\nmode: paper\n"
    parsed = parse_market_config(data)
    assert [key for key, _ in parsed.records[0].ignored] == ["mode"]
    assert "lines 2 to 4 are not YAML and were left out: no limit is named there" in parsed.notes


def test_a_broken_section_that_names_a_limit_refuses_the_file() -> None:
    data = b"max_drawdown: 0.05\nthresholds:\n  entry_freq_max: [5\nmode: paper\n"
    with pytest.raises(SourceError, match="the section of a limit is not YAML"):
        parse_market_config(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            b"max_drawdown: 0.05\nthresholds:\n  max_drawdown: 0.1\n",
            "max_drawdown stands twice, on the lines 1 and 3",
        ),
        (b"max_drawdown: 0.05\nmax_drawdown: 0.1\n", "line 2: every key must be plain and stand once"),
        (b"a: &a [x]\nmax_drawdown: *a\n", "aliases are not read"),
        (b"a: 1\n", "none of the limits max_drawdown, "),
        (b"- max_drawdown: 0.05\n", "not a YAML mapping"),
        (b"max_drawdown: " + b"[" * 500, "nested deeper than 16"),
        (b"max_drawdown: !!python/object/apply:os.system [ls]\nmax_drawdown: 1", "stand once"),
        (b"? [a]\n: max_drawdown\n", "every key must be plain"),
        (b'a: "\\U99999999"\n', "not YAML"),
        (b"max_drawdown: \x01\n", "not YAML"),
        (b"#" * (256 * 1024 + 1), "at most 262,144 are read"),
        (b"".join(b"k%d: 1\n" % number for number in range(2_001)), "more than 2,000 settings"),
    ],
)
def test_a_file_that_is_no_plain_configuration_is_one_sentence(data: bytes, words: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_market_config(data)
    assert words in str(caught.value)
