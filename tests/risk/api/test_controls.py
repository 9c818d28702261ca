"""The specification's two questions over HTTP."""

from typing import Any

import pytest

from risk.models import Snapshot
from tests.risk.accounts import CODE, state_now
from tests.risk.api.conftest import Bot
from tests.risk.calendars import event, load
from tests.stillness import FOMC

pytestmark = pytest.mark.usefixtures("quiet_background")


def stop(bot: Bot, drawdown: Any) -> Any:
    return bot.post("risk/stop-trading", {"account": CODE, "drawdown": drawdown})


def block(bot: Bot, **asked: Any) -> Any:
    return bot.post("risk/block-trade", {"account": CODE, "instrument": "ES", **asked})


def test_006_stops_under_a_limit_of_005(bot: Bot) -> None:
    answer = stop(bot, 0.06)
    assert answer.status == 201
    assert (answer.body["stop"], answer.body["penalty_active"]) == (True, True)
    snapshot = Snapshot.objects.get()
    assert answer.body["snapshot"] == {
        "id": str(snapshot.pk), "drawdown": "0.06", "overtrade_risk_score": 0.5, "limit": "0.05",
    }  # fmt: skip
    assert answer.body["receipt"]["entry_id"] == str(snapshot.pk)
    assert state_now().state == "REDUCE_ONLY"


def test_005_exactly_does_not(bot: Bot) -> None:
    assert stop(bot, 0.05).body["stop"] is False
    assert stop(bot, "-0.05").body["stop"] is False
    assert state_now().state == "ACTIVE"


@pytest.mark.parametrize("drawdown", ["NaN", "Infinity", "-inf", "1e9999999", 1001, "six", None, True, [0.06], ""])
def test_a_figure_that_is_none_is_refused_with_stop(bot: Bot, drawdown: Any) -> None:
    answer = stop(bot, drawdown)
    assert answer.error["field"] == "drawdown" and answer.body["stop"] is True
    assert not Snapshot.objects.exists()


def test_a_figure_of_endless_digits_is_answered_in_few(bot: Bot) -> None:
    assert stop(bot, "0." + "0" * 400_000 + "1").body["snapshot"]["drawdown"] == "0.000000000001"


@pytest.mark.parametrize(
    ("at", "blocked"),
    [("2025-05-07T18:05:00Z", True), ("2025-05-07T17:30:00Z", True), ("2025-05-07T17:29:59Z", False)],
)
def test_a_moment_is_judged_by_the_calendar_alone(bot: Bot, at: str, blocked: bool) -> None:
    load(event(FOMC))
    answer = block(bot, at=at)
    assert (answer.status, answer.body["blocked"]) == (200, blocked)
    assert [reason["code"] for reason in answer.body["reasons"]] == (["blackout"] if blocked else [])
    if blocked:
        assert "FOMC" in answer.body["reasons"][0]["message"]
        assert answer.body["reasons"][0]["retry_at"] == "2025-05-07T18:30:00Z"


def test_without_a_calendar_trades_are_blocked_with_a_reason(bot: Bot) -> None:
    (reason,) = block(bot).body["reasons"]
    assert reason["code"] == "calendar_missing" and reason["message"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "2025-05-07T18:05:00"),
        ("at", "soon"),
        ("at", "0001-01-01T00:00:00+14:00"),
        ("instrument", "es"),
        ("instrument", 5),
        ("event_active", "yes"),
        ("event_active", 1),
        ("account", "es-main"),
        ("account", None),
    ],
)
def test_a_question_that_is_not_understood_is_refused_with_blocked(bot: Bot, field: str, value: Any) -> None:
    answer = block(bot, **{field: value})
    assert answer.error["field"] == field and answer.body["blocked"] is True
