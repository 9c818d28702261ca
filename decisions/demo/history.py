"""The synthetic week as facts: imported history, dated when it would have been and recorded now.

It moves no projection: equity, marks, positions, pace and trading state of the account stay as they are.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from decisions.demo import ACTOR
from decisions.demo.account import Equity, Lifted, Shot
from decisions.demo.week import Asked, Closed, Week
from decisions.judging import features_commit, verdict_apply
from decisions.models import Decision, Outcome
from mia_site.ops.clock import database_now
from risk.equity import points_digest
from risk.locking import account_lock
from risk.models import (
    AccountState,
    EquityBatch,
    EquityPoint,
    FeatureSet,
    LimitsVersion,
    Penalty,
    PositionReport,
    Snapshot,
)
from risk.models.columns import Origin
from risk.rules.messages import number
from risk.stops import penalty_build
from risk.written import Written

CONTEXT = {"synthetic": "demo"}
WHY = "synthetic history of the demo"


def week_record(told: Week, *, limits: LimitsVersion, features: FeatureSet) -> int:
    """Writes the week in the caller's transaction, for the account of `limits`; returns how many facts it has."""
    state = account_lock(limits.account.code)
    scribe = _Scribe(state, limits, features, database_now())
    for _day, points in groupby(told.reported, key=lambda point: point.at.date()):
        scribe.equity(list(points))
    for held in told.held:
        scribe.position(held.at, held.quantity, told.asked[0].ask.instrument)
    for asked in told.asked:
        scribe.decision(asked)
    for closed in told.closed:
        scribe.outcome(closed)
    for shot in told.shots:
        scribe.snapshot(shot)
    for lifted in told.lifted:
        scribe.lifting(lifted)
    state.save(update_fields=["seq"])
    scribe.written.record(actor=ACTOR, account=limits.account.code, why=WHY)
    return len(scribe.written.facts)


class _Scribe:
    """Turns what was simulated into unsaved facts, each with the account's next number."""

    def __init__(self, state: AccountState, limits: LimitsVersion, features: FeatureSet, now: datetime) -> None:
        self._state, self._limits, self._features, self._now = state, limits, features, now
        self._decisions: list[Decision] = []
        self.written = Written()

    def _seq(self) -> int:
        self._state.seq += 1
        return self._state.seq

    def equity(self, points: Sequence[Equity]) -> None:
        """A batch of one day."""
        account, seq = self._state.account, self._seq()
        batch = EquityBatch(account=account, seq=seq, count=len(points), origin=Origin.IMPORTED, recorded_at=self._now)
        rows = [
            EquityPoint(
                account=account, batch_id=batch.id, ordinal=ordinal, seq=seq, at=point.at, equity=point.equity,
                balance=point.balance, open_pnl=point.open_pnl, origin=Origin.IMPORTED, recorded_at=self._now,
            )
            for ordinal, point in enumerate(points)
        ]  # fmt: skip
        batch.digest = points_digest(rows)
        self.written.facts.append(batch)
        self.written.companions += rows

    def position(self, at: datetime, quantity: Decimal, instrument: str) -> None:
        held = {instrument: number(quantity)} if quantity else {}
        self.written.facts.append(
            PositionReport(account=self._state.account, seq=self._seq(), at=at, positions=held, recorded_at=self._now)
        )

    def decision(self, asked: Asked) -> None:
        """As the gate would have written it, with its features."""
        ask = asked.ask
        decision = Decision(
            account=self._state.account, seq=self._seq(), actor=str(ACTOR), origin=Origin.IMPORTED, at=asked.at,
            decided_at=ask.decided_at, trade_id=ask.trade_id, decision=ask.decision, signal_score=ask.signal_score,
            regime_probs=asked.regimes, instrument=ask.instrument, side=ask.side or "", quantity=ask.quantity,
            price=ask.price, order_type="market" if ask.side else "", algorithm="demo-bot", model="synthetic",
            context=CONTEXT, limits=self._limits, limits_version=self._limits.version, recorded_at=self._now,
        )  # fmt: skip
        if asked.facts.state is not None:
            decision.trading_state = asked.facts.state.state.value
        vector = features_commit(decision, self._features.id, asked.vector, self._now)
        verdict_apply(decision, asked.verdict, asked.facts)
        self._decisions.append(decision)
        self.written.facts.append(decision)
        self.written.companions.append(vector)

    def outcome(self, closed: Closed) -> None:
        self.written.facts.append(
            Outcome(
                account=self._state.account, seq=self._seq(), decision_id=self._decisions[closed.place].id,
                pnl=closed.pnl, closed_at=closed.at, quantity=closed.quantity, exit_price=closed.exit_price,
                actor=str(ACTOR), origin=Origin.IMPORTED, recorded_at=self._now,
            )
        )  # fmt: skip

    def snapshot(self, shot: Shot) -> None:
        """With its penalty, where it stopped the account."""
        snapshot = Snapshot(
            account=self._state.account, seq=self._seq(), at=shot.at, drawdown=shot.drawdown,
            overtrade_risk_score=shot.score, penalty_active=shot.penalty, limit=shot.limit, cause=shot.cause,
            evidence={**shot.evidence, **CONTEXT}, origin=Origin.IMPORTED, recorded_at=self._now,
        )  # fmt: skip
        self.written.facts.append(snapshot)
        if shot.reason:
            penalty = penalty_build(snapshot, reason=shot.reason)
            penalty.origin = Origin.IMPORTED
            self.written.facts.append(penalty)

    def lifting(self, lifted: Lifted) -> None:
        self.written.facts.append(
            Penalty(
                account=self._state.account, seq=self._seq(), at=lifted.at, penalty_active=False, penalty_kind="lifted",
                value=0, reason=lifted.reason, overtrade_risk_score=lifted.score, origin=Origin.IMPORTED,
                recorded_at=self._now,
            )
        )  # fmt: skip
