"""How each input of the gate is broken for real: rows left out or dated back, a server stopped, a clock set wrong.

The words are those of the table in docs/operations.md, which says what the gate answers then.
"""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mia_site.celery import app
from mia_site.ops import health, heartbeat
from risk.accounts import account_open, client_issue
from risk.equity import equity_record, positions_record
from risk.inputs import EquityInput, PositionInput, PositionsInput
from risk.limits_law import limits_submit
from risk.models import AccountState, Desk
from risk.risk_controller import trading_halt
from risk.rules.facts import TradingState
from tests.decisions.bots import FEATURES, NO_FEATURES, Bot, desk_refresh, feature_desk
from tests.factories import (
    FACTORY,
    LIMITS,
    ClusterFactory,
    FeatureReferenceFactory,
    FeatureSetFactory,
    LimitsVersionFactory,
)
from tests.stillness import StillClock

HELD = 2
"""Contracts of ES: a reducing decision sells one of them."""
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
POSITIONS = {"freshness": {"positions_required": True}}
MEMORY = {"memory": {"required": True}, "freshness": {"memory_hours": 24}}
WITH_FEATURES: dict[str, Any] = {"rules": {}, "freshness": {"features_days": 30}}
STEADY: dict[str, Any] = {**WITH_FEATURES, "features": {"max_drift": "0.5"}}


@dataclass
class Scene:
    """A bot that may trade. A fault takes something away from it, or changes what it asks (`question`)."""

    bot: Bot
    clock: StillClock
    request: pytest.FixtureRequest
    question: dict[str, Any] = field(default_factory=dict)

    def equity(self, amount: int = 50_000) -> None:
        point = EquityInput(at=self.clock.now, equity=Decimal(amount))
        equity_record(account=self.bot.account.code, points=[point], actor=FACTORY)

    def positions(self) -> None:
        held = (PositionInput(instrument="ES", quantity=Decimal(HELD)),)
        told = PositionsInput(at=self.clock.now, positions=held)
        positions_record(account=self.bot.account.code, report=told, actor=FACTORY)

    def goes_by(self, elapsed: timedelta, *, without: str = "") -> None:
        """Time passes; every input but one is as fresh as before."""
        self.clock.now += elapsed
        if without != "equity":
            self.equity()
        if without != "positions":
            self.positions()
        kept = {"calendar": "calendar_at", "checks": "checks_at"}
        told = {column: self.clock.now for name, column in kept.items() if name != without}
        Desk.objects.filter(id=1).update(**told)


@dataclass(frozen=True)
class Fault:
    """What happens to a scene; `limits` are further parts of its limits document, None: none are set.

    `lacks` is what was never there.
    """

    happens: Callable[[Scene], object] = lambda scene: None
    limits: Mapping[str, Any] | None = field(default_factory=dict)
    lacks: str = ""


def scene_start(fault: Fault, clock: StillClock, request: pytest.FixtureRequest) -> Scene:
    """The bot, its inputs but what the fault lacks, and then the fault."""
    account_open("ES-DEMO", initial_balance="50000", actor=FACTORY)
    if fault.limits is not None:
        document = {"drawdown": LIMITS["drawdown"][:1], **NO_FEATURES, **fault.limits}
        limits_submit("ES-DEMO", document, actor=FACTORY, reason="limits of the committee")
    scene = Scene(Bot(*client_issue("bot", account="ES-DEMO", actor=FACTORY)), clock, request)
    desk_refresh(clock.now)
    if fault.lacks != "equity":
        scene.equity()
    if fault.lacks != "positions":
        scene.positions()
    fault.happens(scene)
    return scene


def _set_old(scene: Scene) -> None:
    features = FeatureSetFactory(
        version=1, count=3, names=list(FEATURES), importances=[0.6, 0.3, 0.1], recorded_at=scene.clock.now - 31 * DAY
    )
    Desk.objects.update(feature_set=features)
    scene.question = {"features": FEATURES}


def _features_without(*missing: str) -> Callable[[Scene], None]:
    def happens(scene: Scene) -> None:
        feature_desk()
        scene.question = {"features": {name: value for name, value in FEATURES.items() if name not in missing}}

    return happens


def _far_away(scene: Scene) -> None:
    """Features usually lie at 0, within 1; the vix of 17.25 is cut at 5 scales."""
    reference = FeatureReferenceFactory(feature_set=feature_desk())
    Desk.objects.update(feature_reference=reference)
    scene.question = {"features": FEATURES}


def _stopped_and_silent(scene: Scene) -> None:
    trading_halt(account="ES-DEMO", state=TradingState.REDUCE_ONLY, reason="a person says so", actor=FACTORY)
    scene.goes_by(121 * SECOND, without="positions")


def _limits_of_another_release(scene: Scene) -> None:
    account = scene.bot.account
    version = LimitsVersionFactory(account=account, version=2, body={**LIMITS, "leverage": {"max": 3}}, applied=True)
    AccountState.objects.filter(account=account).update(limits=version)


def _limits_of_another_release_with_equity(scene: Scene) -> None:
    _limits_of_another_release(scene)
    held = [{"instrument": "ES", "quantity": HELD}]
    scene.question = {"equity": {"at": scene.clock.now.isoformat(), "equity": 49_000, "positions": held}}


def _with_a_price(scene: Scene) -> None:
    scene.question = {"price": "5600"}


def _redis_gone(scene: Scene) -> None:
    """A test has no broker unless it asks for one."""
    heartbeat.broker_forget()
    assert "does not answer (ConnectionError)" in health.check_broker()


def _redis_hangs(scene: Scene) -> None:
    server = scene.request.getfixturevalue("valkey_process")
    server.send(signal.SIGSTOP)
    scene.request.addfinalizer(lambda: server.send(signal.SIGCONT))
    heartbeat.broker_forget()
    assert "does not answer (TimeoutError)" in health.check_broker()


def _worker_gone(scene: Scene) -> None:
    """Beat sends the check, and nobody takes it."""
    scene.request.getfixturevalue("valkey")
    heartbeat.broker_forget()
    app.send_task("risk.tasks.check_drawdown")
    assert health.queue_length() == {(): 1.0} and health.check_worker()
    scene.goes_by(180 * SECOND, without="checks")


def _worker_long_gone(scene: Scene) -> None:
    _worker_gone(scene)
    scene.goes_by(SECOND, without="checks")


def _beat_gone(scene: Scene) -> None:
    """The broker is there, and nobody sends anything."""
    scene.request.getfixturevalue("valkey")
    heartbeat.broker_forget()
    assert health.queue_length() == {(): 0.0} and health.check_beat()
    scene.goes_by(181 * SECOND, without="checks")


def _bots_clock(skew: timedelta) -> Callable[[Scene], None]:
    def happens(scene: Scene) -> None:
        scene.question = {"decided_at": (scene.clock.now + skew).isoformat()}

    return happens


def _silent(name: str, elapsed: timedelta) -> Callable[[Scene], None]:
    return lambda scene: scene.goes_by(elapsed, without=name)


FAULTS: dict[tuple[str, str], Fault] = {
    ("nothing", "all is well"): Fault(),
    ("equity", "never reported"): Fault(lacks="equity"),
    ("equity", "older than `freshness.equity_seconds`"): Fault(_silent("equity", 121 * SECOND)),
    ("equity", "moved further than `plausibility.max_move`"): Fault(
        lambda scene: scene.equity(5_000), {"plausibility": {"max_move": "0.2"}}
    ),
    ("equity", "one point below the floor, `confirmation.points` asks for more"): Fault(
        lambda scene: scene.equity(47_000), {"confirmation": {"points": 3}}
    ),
    ("positions", "never reported, and not required"): Fault(lacks="positions"),
    ("positions", "never reported, `freshness.positions_required`"): Fault(limits=POSITIONS, lacks="positions"),
    ("positions", "too old, `freshness.positions_required`"): Fault(_silent("positions", 121 * SECOND), POSITIONS),
    ("positions", "too old, and the account is REDUCE_ONLY"): Fault(_stopped_and_silent),
    ("calendar", "never loaded"): Fault(lambda scene: Desk.objects.update(calendar_at=None)),
    ("calendar", "older than `freshness.calendar_hours`"): Fault(_silent("calendar", 25 * HOUR)),
    ("calendar", "ends before `calendar.horizon_hours`"): Fault(limits={"calendar": {"horizon_hours": 48}}),
    ("sessions", "none is known, `session.hours` asks for one"): Fault(limits={"session": {"hours": "globex"}}),
    ("memory", "none, and not required"): Fault(),
    ("memory", "none, `memory.required`"): Fault(limits=MEMORY),
    ("memory", "older than `freshness.memory_hours`, `memory.required`"): Fault(
        lambda scene: ClusterFactory(at=scene.clock.now - 25 * HOUR), MEMORY
    ),
    ("features", "no set is loaded"): Fault(limits=WITH_FEATURES),
    ("features", "the set is older than `freshness.features_days`"): Fault(_set_old, WITH_FEATURES),
    ("features", "the most important one is missing"): Fault(_features_without("vix"), WITH_FEATURES),
    ("features", "an influential one is missing, coverage is enough"): Fault(
        _features_without("spread"), WITH_FEATURES
    ),
    ("features", "nothing to measure their drift against, `features.max_drift`"): Fault(_features_without(), STEADY),
    ("features", "farther from their reference than `features.max_drift`"): Fault(_far_away, STEADY),
    ("limits", "none are set"): Fault(limits=None),
    ("limits", "not written as this release reads them"): Fault(_limits_of_another_release),
    ("limits", "the same, and equity comes with the question"): Fault(_limits_of_another_release_with_equity),
    ("price", "of the order unknown, `exposure.max_notional`"): Fault(limits={"exposure": {"max_notional": "1000000"}}),
    ("price", "no reference is known, `price.max_deviation`"): Fault(
        _with_a_price, {"price": {"max_deviation": "0.01"}}
    ),
    ("Redis", "gone"): Fault(_redis_gone),
    ("Redis", "takes connections and says nothing"): Fault(_redis_hangs),
    ("worker", "gone, the last check not older than `freshness.checks_seconds`"): Fault(_worker_gone),
    ("worker", "gone for longer: tasks wait"): Fault(_worker_long_gone),
    ("beat", "gone for longer: nothing sends the tasks"): Fault(_beat_gone),
    ("clock", "the bot's is ahead by more than `clock.max_skew_seconds`"): Fault(_bots_clock(6 * SECOND)),
    ("clock", "the bot's is behind by as much"): Fault(_bots_clock(-6 * SECOND)),
}
"""What the table of docs/operations.md names, all but the database's rows, which need a database of their own."""
