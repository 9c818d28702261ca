"""From what a bot sent to the rows that will be written: judged on one book of facts, nothing saved here."""

import hashlib
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from decisions.exposure_figures import market_told, quote_told, reserved
from decisions.inputs import DecisionInput, regime_dict
from decisions.judged_on import judged_on, reason_dict, shadow_dict
from decisions.models import Decision, DecisionFeatures
from mia_site.audit.actors import Actor
from mia_site.ops.alerts import alert_raise
from risk.admissions import admission_apply
from risk.algorithms import algorithm_settle
from risk.equity import equity_take_in, positions_apply, time_check
from risk.inputs import EquityInput, InputError
from risk.locking import seq_next
from risk.models import Admission, AlgorithmSwitch, Client, EquityBatch, PositionReport
from risk.rules.ask import Ask, Effect, Side
from risk.rules.codes import ReasonCode
from risk.rules.effect import effect_of, side_of
from risk.rules.facts import Facts, TradingState
from risk.rules.gate import judge
from risk.rules.limits import FreshnessLimits
from risk.rules.messages import number
from risk.rules.reference import Quote, quotes_take
from risk.rules.scopes import strictest
from risk.rules.verdict import Verdict, VerdictKind
from risk.selectors.facts import FactsBook
from risk.written import Written

SALT_BYTES = 16
MESSAGES = EquityBatch, PositionReport
"""Facts inside a decision's body that count as messages of their own."""


@dataclass(slots=True)
class Judged:
    """One decision, ready to be written."""

    decision: Decision
    features: DecisionFeatures | None
    admission: Admission | None
    told: Written
    """Facts that came inside the same body: equity, positions, and a stop they caused."""


def decision_judge(book: FactsBook, sent: DecisionInput, *, client: Client | None, actor: Actor) -> Judged:
    """Takes in what the body tells, judges (mode gate), and builds the rows. Raises `InputError`."""
    seq = seq_next(book.state)
    told = _told(book, sent, actor=actor, seq=seq)
    ask = ask_of(sent, client)
    vector = _vector(book, sent)
    book.heard(sum(isinstance(fact, MESSAGES) for fact in told.facts))
    quote = _quote(book, sent)
    facts = book.facts(ask, vector, quote)
    book.heard(1)
    decision = _decision(book, sent, ask, seq=seq, client=client, actor=actor)
    features = _features(book, sent, decision, vector)
    if sent.mode == "record":
        decision.effect = _effect(ask, facts, book.now).value
        return Judged(decision, features, None, told)
    verdict = judge(ask, facts, book.now)
    verdict_apply(decision, verdict, facts, market=market_told(sent, book.now))
    _self_match_tell(decision, verdict)
    admission = None
    if verdict.verdict is not VerdictKind.BLOCK:
        quantity = verdict.max_quantity or sent.quantity
        book.admitted(ask, verdict.effect, id=decision.id, quantity=quantity)
        admission = admission_apply(
            book.state, id=decision.id, effect=verdict.effect, instrument=sent.instrument, side=side_of(ask) or "",
            quantity=quantity, algorithm=sent.algorithm, seq=seq, now=book.now, lasts=reserved(decision.judged_on),
        )  # fmt: skip
    told.facts += _algorithm_settled(book, ask, actor=actor, seq=seq)
    return Judged(decision, features, admission, told)


def _algorithm_settled(book: FactsBook, ask: Ask, *, actor: Actor, seq: int) -> list[AlgorithmSwitch]:
    """The fact that disables the algorithm of `ask`, where that was its last opening before a review."""
    view = book.algorithm(ask)
    switch = algorithm_settle(book.state, book.limits, view, actor=actor, seq=seq, now=book.now)
    if switch is None:
        return []
    book.algorithm_disabled(switch)
    return [switch]


def ask_of(sent: DecisionInput, client: Client | None = None) -> Ask:
    """The question as the pure gate takes it."""
    return Ask(
        trade_id=sent.trade_id,
        decision=sent.decision,
        instrument=sent.instrument,
        side=None if sent.side is None else Side(sent.side),
        quantity=sent.quantity,
        price=sent.price,
        decided_at=sent.decided_at,
        signal_score=sent.signal_score,
        algorithm=sent.algorithm,
        client="" if client is None else client.name,
    )


def _told(book: FactsBook, sent: DecisionInput, *, actor: Actor, seq: int) -> Written:
    """Equity and positions inside the body are stored and judged first, in the same transaction. What limits that
    cannot be read would not judge is left to the decision's context: an exit does not wait for a new release."""
    written = Written()
    if sent.equity is not None:
        written = _equity_told(book, sent.equity, actor=actor, seq=seq)
    if sent.positions is not None:
        at = sent.equity.at if sent.equity is not None else book.now
        written.add(positions_apply(book.state, at, sent.positions, seq=seq, now=book.now))
    if sent.positions is not None or (sent.equity is not None and sent.equity.positions is not None):
        book.positions_reported()
    return written


def _equity_told(book: FactsBook, equity: EquityInput, *, actor: Actor, seq: int) -> Written:
    """The point as a report of its own would be taken in; trouble names its field in the body."""
    try:
        if book.measurable:
            return equity_take_in(book.desk, book.state, [equity], actor=actor, seq=seq, now=book.now)[0]
        time_check("at", equity.at, book.now)
        held = equity.positions
        return Written() if held is None else positions_apply(book.state, equity.at, held, seq=seq, now=book.now)
    except InputError as error:
        raise error.of_one("equity.") from error


def _quote(book: FactsBook, sent: DecisionInput) -> Quote | None:
    """Takes in the price that came with an ask; None where none did, or it is none to go by."""
    market = market_told(sent, book.now)
    if market is None or sent.mode == "record":
        return None
    time_check("market.at", datetime.fromisoformat(market["at"]), book.now)
    quote = quote_told(sent.instrument, market)
    if quote is not None:
        book.state.prices = quotes_take(book.state.prices, quote)
    return quote


def _vector(book: FactsBook, sent: DecisionInput) -> list[float] | None:
    try:
        return book.vector(sent.features)
    except KeyError as error:
        version = book.features.version if book.features else 0
        raise InputError("features", str(error.args[0])[:100], f"names of feature set v{version}") from error


def _decision(
    book: FactsBook, sent: DecisionInput, ask: Ask, *, seq: int, client: Client | None, actor: Actor
) -> Decision:
    state = book.state
    return Decision(
        recorded_at=book.now, account=state.account, seq=seq, client=client, actor=str(actor), mode=sent.mode,
        at=book.now, decided_at=sent.decided_at, trade_id=sent.trade_id, decision=sent.decision,
        signal_score=sent.signal_score, regime_probs=regime_dict(sent.regime_probs), instrument=sent.instrument,
        side=sent.side or "", quantity=sent.quantity, price=sent.price, order_type=sent.order_type,
        order_id=sent.order_id, reason=sent.reason, algorithm=sent.algorithm, model=sent.model,
        trace_id=sent.trace_id, limits=state.limits,
        limits_version=None if state.limits is None else state.limits.version,
        trading_state=trading_state(book, ask).value, context=_unmeasured(book, sent),
    )  # fmt: skip


def _unmeasured(book: FactsBook, sent: DecisionInput) -> dict[str, Any] | None:
    """Equity that nothing could be made of, kept as it was told."""
    if sent.equity is None or book.measurable:
        return None
    told = sent.equity
    return {"equity": {"at": told.at.isoformat(), "equity": number(told.equity), "cash_flow": number(told.cash_flow)}}


def trading_state(book: FactsBook, ask: Ask) -> TradingState:
    """The strictest of the account's state, the desk's, and the stops of what the ask names."""
    return strictest((TradingState(book.state.state), TradingState(book.desk.state)), book.stops, ask)


def _features(
    book: FactsBook, sent: DecisionInput, decision: Decision, vector: list[float] | None
) -> DecisionFeatures | None:
    """The packed vector with its commitment in the decision; without a loaded set the names go to the context."""
    if not sent.features:
        return None
    if book.features is None or vector is None:
        decision.context = (decision.context or {}) | {"features": sent.features}
        return None
    return features_commit(decision, book.features.id, vector, book.now)


def features_commit(
    decision: Decision, set_id: UUID, vector: Sequence[float], recorded_at: datetime
) -> DecisionFeatures:
    """The packed vector (in the set's order, NaN = missing) as a fact; the decision (unsaved) commits to it."""
    packed, salt = struct.pack(f"<{len(vector)}d", *vector), os.urandom(SALT_BYTES)
    decision.feature_set_id = set_id
    decision.feature_commitment = hashlib.sha256(salt + packed).hexdigest()
    return DecisionFeatures(id=decision.id, recorded_at=recorded_at, feature_set_id=set_id, vector=packed, salt=salt)


def _effect(ask: Ask, facts: Facts, now: datetime) -> Effect:
    freshness = facts.limits.freshness if facts.limits else FreshnessLimits()
    return effect_of(ask, facts.position, now, timedelta(seconds=freshness.positions_seconds))


def verdict_apply(
    decision: Decision, verdict: Verdict, facts: Facts, *, market: Mapping[str, Any] | None = None
) -> None:
    """Writes the gate's answer, and what it was judged on, into the decision (unsaved)."""
    decision.verdict, decision.effect = verdict.verdict.value, verdict.effect.value
    decision.reasons = [reason_dict(reason) for reason in verdict.reasons]
    decision.shadow_reasons = [shadow_dict(item) for item in verdict.shadow]
    decision.reason_code = verdict.reasons[0].code.value if verdict.reasons else ""
    decision.max_quantity, decision.valid_until = verdict.max_quantity, verdict.valid_until
    decision.retry_at = verdict.retry_at
    decision.judged_on = judged_on(facts, market)
    if facts.features is not None:
        decision.feature_coverage = float(facts.features.coverage)


def _self_match_tell(decision: Decision, verdict: Verdict) -> None:
    """Accounts of one owner that may trade with each other are told of, blocked or not."""
    for found in (*verdict.reasons, *verdict.shadow_reasons):
        if found.code is ReasonCode.SELF_MATCH:
            alert_raise(
                "self_match", priority=3, account=decision.account.code,
                dedup_key=f"{decision.instrument} {found.evidence['accounts']}",
                params={"instrument": decision.instrument, "accounts": found.evidence["accounts"]},
            )  # fmt: skip
