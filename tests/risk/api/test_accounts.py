"""Equity, positions, state and readiness over HTTP."""

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from mia_site.audit.models import Entry
from mia_site.ops.clock import database_now
from risk.models import Desk, EquityPoint
from risk.trading_states import trading_halt
from tests.risk.accounts import CODE, MANAGER, state_now
from tests.risk.api.conftest import Bot

pytestmark = pytest.mark.usefixtures("quiet_background")
EQUITY, POSITIONS = f"accounts/{CODE}/equity", f"accounts/{CODE}/positions"


def at(seconds: float = 0) -> str:
    return (database_now() - timedelta(seconds=seconds)).isoformat()


def test_one_point_is_recorded_with_a_receipt(bot: Bot) -> None:
    answer = bot.post(EQUITY, {"at": at(), "equity": 50250.5, "balance": "50000", "open_pnl": 250.5})
    assert answer.status == 201
    assert {key: answer.body[key] for key in ("recorded", "unchanged", "trading_state")} == {
        "recorded": 1, "unchanged": 0, "trading_state": "ACTIVE",
    }  # fmt: skip
    entry = Entry.objects.get(kind_name="equity_batch")
    assert answer.body["receipt"]["entry_id"] == str(entry.pk)
    assert base64.b64decode(answer.body["receipt"]["leaf_hash"]) == bytes(entry.leaf_hash)
    assert "\n\n— " in answer.body["receipt"]["note"]


def test_a_list_of_points_is_one_report_and_a_point_known_before_has_no_receipt(bot: Bot) -> None:
    points = [{"at": at(2), "equity": 50000}, {"at": at(1), "equity": 50010}]
    assert bot.post(EQUITY, points).body["recorded"] == 2
    again = bot.post(EQUITY, points).body
    assert (again["recorded"], again["unchanged"], again["receipt"]) == (0, 2, None)


def test_a_point_below_the_floor_answers_with_the_stop(bot: Bot) -> None:
    answer = bot.post(EQUITY, {"at": at(), "equity": 47000, "positions": [{"instrument": "ES", "quantity": 2}]})
    assert answer.body["trading_state"] == "REDUCE_ONLY" and state_now().positions == {"ES": "2"}


def test_a_number_keeps_its_digits(bot: Bot) -> None:
    bot.post(EQUITY, b'{"at": "2025-05-13T17:00:00Z", "equity": 50000.0003}')
    assert str(EquityPoint.objects.get().equity) == "50000.0003"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "2025-05-13T17:00:00"),
        ("at", "yesterday"),
        ("at", "1969-12-31T23:59:59Z"),
        ("at", "9999-12-31T23:59:59-12:00"),
        ("at", 1747155600),
        ("equity", "NaN"),
        ("equity", "Infinity"),
        ("equity", 1e11),
        ("equity", 0.00001),
        ("equity", None),
        ("equity", True),
        ("cash_flow", "1e9999999"),
        ("open_pnl", "-1e11"),
        ("balance", {}),
        ("positions", "flat"),
        ("positions", [{"instrument": "ES", "quantity": 1}, {"instrument": "ES", "quantity": 2}]),
    ],
)
def test_a_bad_value_of_a_point_is_named(bot: Bot, field: str, value: Any) -> None:
    error = bot.post(EQUITY, {"at": at(), "equity": 50000, field: value}).error
    assert error["field"] == field and error["expected"]
    assert not EquityPoint.objects.exists()


def test_a_bad_point_of_a_list_is_named_by_its_place_and_none_is_stored(bot: Bot) -> None:
    points = [{"at": at(), "equity": 50000}, {"at": at(-60), "equity": 50000}]
    assert bot.post(EQUITY, points).error["field"] == "[1].at"
    points[1] = {"at": at(), "equity": "1e12"}
    assert bot.post(EQUITY, points).error["field"] == "[1].equity"
    assert not EquityPoint.objects.exists()


def test_a_bad_point_sent_alone_has_no_place(bot: Bot) -> None:
    assert bot.post(EQUITY, {"at": at(-60), "equity": 50000}).error["field"] == "at"


@pytest.mark.parametrize("count", [0, 1001])
def test_a_report_has_1_to_1000_points(bot: Bot, count: int) -> None:
    error = bot.post(EQUITY, [{"at": at(), "equity": 50000}] * count).error
    assert error == {"field": "body", "expected": "1 to 1000 points", "value": count}


def test_positions_are_reported_whole(bot: Bot) -> None:
    held = [{"instrument": "ES", "quantity": 2}, {"instrument": "NQ", "quantity": "-1.5"}]
    assert bot.post(POSITIONS, {"at": at(1), "positions": held}).body["recorded"] == 1
    assert state_now().positions == {"ES": "2", "NQ": "-1.5"}
    assert bot.post(POSITIONS, {"at": at(), "positions": []}).status == 201
    assert state_now().positions == {}


@pytest.mark.parametrize(
    ("instrument", "quantity", "field"),
    [
        ("", 1, "positions[0].instrument"),
        ("es", 1, "positions[0].instrument"),
        ("ES\n", 1, "positions[0].instrument"),
        ("E" * 33, 1, "positions[0].instrument"),
        ("ES", "NaN", "positions[0].quantity"),
        ("ES", 1e11, "positions[0].quantity"),
    ],
)
def test_a_bad_position_is_named(bot: Bot, instrument: str, quantity: Any, field: str) -> None:
    held = [{"instrument": instrument, "quantity": quantity}]
    assert bot.post(POSITIONS, {"at": at(), "positions": held}).error["field"] == field


def test_the_state_has_all_a_bot_needs_to_know(bot: Bot) -> None:
    bot.post(EQUITY, [{"at": at(3), "equity": 52000}, {"at": at(2), "equity": 50000}])
    trading_halt(account=CODE, reason="positions differ", actor=MANAGER)
    told = bot.get(f"accounts/{CODE}/state").body
    assert (told["state"], told["account_state"], told["desk_state"]) == ("HALTED", "HALTED", "ACTIVE")
    assert (told["reason"], told["equity"], told["limits_version"]) == ("positions differ", "50000", 1)
    assert told["drawdowns"] == {"max_drawdown": "0.0384615385"}
    worst = told["worst_drawdown"]
    assert worst["value"] == "0.0384615385" and worst["peak_at"] < worst["trough_at"]
    assert told["limits"]["drawdown"][0]["allowance"]["value"] == "0.05"
    assert told["freshness"]["calendar_at"] is None and told["next_blackout"] is None
    assert datetime.fromisoformat(told["now"]).tzinfo is not None


def test_a_new_account_has_a_state_too(bot: Bot) -> None:
    told = bot.get(f"accounts/{CODE}/state").body
    assert (told["state"], told["equity"], told["drawdowns"], told["positions"]) == ("ACTIVE", None, {}, {})


def test_readiness_lists_each_input_with_its_fix(bot: Bot) -> None:
    told = bot.get(f"accounts/{CODE}/readiness").body
    inputs = {line["name"]: line for line in told["inputs"]}
    assert told["ready"] is False
    assert inputs["limits"]["ok"] and inputs["client"]["ok"]
    assert inputs["equity"] == {
        "name": "equity", "ok": False, "detail": "never reported", "fix": f"POST /api/v1/{EQUITY}", "age_seconds": None,
    }  # fmt: skip
    bot.post(EQUITY, {"at": at(), "equity": 50000, "positions": []})
    Desk.objects.update(calendar_at=database_now(), checks_at=database_now())
    inputs = {line["name"]: line for line in bot.get(f"accounts/{CODE}/readiness").body["inputs"]}
    assert [name for name, line in inputs.items() if not line["ok"]] == ["features"]
