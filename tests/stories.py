"""A desk with a history, for pages: a morning of trades, a blackout, a breach, a halted account."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from decisions.models import Decision
from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from risk.equity import equity_record
from risk.inputs import EquityInput, PositionInput
from risk.models import Account, Desk, FeatureSet
from risk.risk_controller import limits_submit, trading_halt
from risk.rules.facts import TradingState
from tests.factories import (
    DRAWDOWN_REASON,
    LIMITS,
    AccountFactory,
    AlertFactory,
    CalendarFetchFactory,
    ClientFactory,
    ClusterFactory,
    DecisionFactory,
    FeatureSetFactory,
    ImportRunFactory,
    MacroEventFactory,
    OutcomeFactory,
    PenaltyFactory,
    SnapshotFactory,
    TimingFactory,
)

TELLER = Actor("client", "1")


@dataclass(frozen=True)
class Story:
    """What a test may look for."""

    now: datetime
    trading: Account
    halted: Account
    blocked: Decision
    features: FeatureSet


def desk_story() -> Story:
    """Two accounts, their day up to now, one blocked decision with features, open alerts, events ahead."""
    now = database_now()
    features = FeatureSetFactory(version=1)
    trading, halted = AccountFactory(code="ES-MAIN", owner="Index desk"), AccountFactory(code="ES-SWING")
    ClientFactory(name="mia-es", account=trading)
    for account in (trading, halted):
        limits_submit(account.code, LIMITS, actor=TELLER, reason="limits of the risk committee, May")
        _equity(account, now)
    Desk.objects.update_or_create(
        id=1, defaults={"feature_set": features, "calendar_at": now - timedelta(minutes=8), "checks_at": now}
    )
    trading_halt(
        account=halted.code, state=TradingState.HALTED, reason="Positions do not match the broker's", actor=TELLER
    )
    _decisions(trading, now)
    blocked = _blocked(trading, now, features)
    _rest(trading, now)
    loose = {**LIMITS, "pace": {"max_openings_per_hour": 20}}
    limits_submit(trading.code, loose, actor=Actor("command", "limits:uid0"), reason="a busier bot")
    return Story(now, trading, halted, blocked, features)


def _equity(account: Account, now: datetime) -> None:
    points = [
        EquityInput(
            at=now - timedelta(minutes=3 * (120 - step)),
            equity=Decimal(round(50_000 + 1100 * math.sin(step / 14) + 3 * step, 2)).quantize(Decimal("0.01")),
            positions=(PositionInput(instrument="ES", quantity=Decimal(2)),) if step == 120 else None,
        )
        for step in range(121)
    ]
    equity_record(account=account.code, points=points, actor=TELLER)


def _decisions(account: Account, now: datetime) -> None:
    for step in range(40):
        at = now - timedelta(hours=step / 2, minutes=7)
        row = DecisionFactory(
            account=account, at=at, trade_id=f"es-{at:%m%d}-{40 - step:03d}", side=("buy", "sell")[step % 2]
        )
        if step % 3 == 0:
            OutcomeFactory(
                account=account, decision_id=row.pk, pnl=Decimal(250 - 40 * step), closed_at=at + timedelta(minutes=9)
            )
        if step % 5 == 0:
            DecisionFactory(account=account, at=at, trade_id=f"es-{at:%m%d}-{40 - step:03d}b", blocked=True)
    DecisionFactory(
        account=account, at=now - timedelta(minutes=4), verdict="reduce", quantity=Decimal(5), max_quantity=Decimal(3),
        trade_id="es-reduced",
        reasons=[{"code": "order_too_large", "message": "", "evidence": {"quantity": "5", "max_quantity": "3"}}],
        reason_code="order_too_large",
    )  # fmt: skip


def _blocked(account: Account, now: datetime, features: FeatureSet) -> Decision:
    vector = [math.nan if place % 7 == 3 else round(math.sin(place) * 3, 4) for place in range(features.count)]
    decision: Decision = DecisionFactory(
        account=account, at=now - timedelta(minutes=1), trade_id="es-fomc-1", verdict="block",
        reasons=[
            {
                "code": "blackout", "message": "",
                "evidence": {"until": "2025-05-07T18:30:00Z", "names": "FOMC statement"},
                "retry_at": (now + timedelta(minutes=29)).isoformat(),
            },
            DRAWDOWN_REASON,
        ],
        reason_code="blackout", feature_set=features, feature_coverage=0.934, vector=vector,
        shadow_reasons=[{"code": "pace_exceeded", "message": "", "evidence": {"openings": 11, "limit": 10}}],
    )  # fmt: skip
    DecisionFactory(
        account=account,
        at=now - timedelta(seconds=20),
        trade_id="es-fomc-1",
        decision="exit",
        side="sell",
        effect="reduces",
    )
    return decision


def _rest(account: Account, now: datetime) -> None:
    for step in range(6):
        at = now - timedelta(minutes=15 * step)
        SnapshotFactory(account=account, at=at, drawdown=Decimal("0.012") + Decimal(step) / 1000)
    PenaltyFactory(account=account, at=now - timedelta(hours=5))
    for name, hours, impact in (("FOMC statement", 3, "0.95"), ("CPI", 30, "0.9"), ("Beige Book", 6, "0.5")):
        MacroEventFactory(event_type=name, start_at=now + timedelta(hours=hours), impact=Decimal(impact))
    CalendarFetchFactory()
    ClusterFactory()
    ImportRunFactory(account=account)
    for step in range(5):
        TimingFactory(timestamp=now - timedelta(minutes=step))
    AlertFactory(account=account.code, created_at=now - timedelta(minutes=2))
    alert_raise(
        "calendar_refresh_failed", priority=4, params={"source": "fed", "file": "fed.csv", "error": "no such file"}
    )
