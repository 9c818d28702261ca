"""The gate as a whole, told as trading days: allow, reduce, block, shadow, and faults that never read as allowed."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from risk.rules import gate
from risk.rules.ask import Ask, Effect, Side
from risk.rules.codes import ReasonCode
from risk.rules.exposure_types import ExposureView, Holding, OpposingView, PriceView
from risk.rules.facts import (
    AlgorithmView,
    CalendarView,
    EntryStatus,
    EquityView,
    Facts,
    FeatureView,
    HeldView,
    LossView,
    MemoryView,
    PaceView,
    PositionView,
    RegisteredView,
    ScopedStopView,
    SessionView,
    StopScope,
    TradingState,
)
from risk.rules.gate import judge
from risk.rules.limits import Limits, RuleName, SessionHours
from risk.rules.verdict import Finding, Outcome, Verdict, VerdictKind
from tests.risk.rules.given import (
    FOMC_AT,
    INITIAL,
    NOW,
    ago,
    ask,
    codes,
    doubt,
    equity_of,
    exit_one,
    facts,
    fomc,
    hold,
    limits,
    opening,
    penalty,
    stopped,
)

ALLOW, REDUCE, BLOCK = VerdictKind.ALLOW, VerdictKind.REDUCE, VerdictKind.BLOCK
CALM_PACE = PaceView(openings_last_hour=0)
CALM_EQUITY = EquityView(equity=INITIAL, at=ago(seconds=10), initial=INITIAL)
REASONS = Path(__file__).parents[3] / "docs" / "reasons.md"


def breaching(under: Limits, **changes: Any) -> Facts:
    return facts(limits=under, **equity_of("94000", under) | changes)


def test_on_a_calm_day_an_opening_is_allowed_without_reasons() -> None:
    verdict = judge(ask(), facts(), NOW)
    assert verdict == Verdict(
        verdict=ALLOW,
        effect=Effect.OPENS,
        reasons=(),
        shadow=(),
        max_quantity=None,
        valid_until=NOW + timedelta(seconds=5),
        retry_at=None,
    )


def test_a_breached_and_stopped_account_opens_nothing_and_closes_what_it_has() -> None:
    day = breaching(limits(), state=stopped(TradingState.REDUCE_ONLY))
    refused = judge(ask(), day, NOW)
    assert refused.verdict is BLOCK
    assert codes(refused.reasons) == [ReasonCode.ACCOUNT_REDUCE_ONLY, ReasonCode.DRAWDOWN_BREACHED]
    assert refused.reasons[1].evidence["drawdown"] == "0.06"
    closed = judge(exit_one(quantity=Decimal(2)), day, NOW)
    assert (closed.verdict, closed.effect, closed.reasons) == (ALLOW, Effect.REDUCES, ())


def test_a_flip_is_an_opening_and_is_told_why() -> None:
    day = facts(state=stopped(TradingState.REDUCE_ONLY))
    verdict = judge(exit_one(quantity=Decimal(3)), day, NOW)
    assert (verdict.verdict, verdict.effect) == (BLOCK, Effect.OPENS)
    assert codes(verdict.reasons) == [ReasonCode.ACCOUNT_REDUCE_ONLY, ReasonCode.POSITION_FLIP]


@pytest.mark.parametrize(
    ("position", "remark"),
    [
        (None, ReasonCode.POSITION_UNKNOWN),
        (PositionView(quantity=Decimal(2), at=ago(seconds=121)), ReasonCode.POSITION_STALE),
    ],
)
def test_an_exit_of_an_unknown_position_is_refused_and_told_why(
    position: PositionView | None, remark: ReasonCode
) -> None:
    day = facts(state=stopped(TradingState.REDUCE_ONLY), position=position)
    assert codes(judge(exit_one(), day, NOW).reasons) == [ReasonCode.ACCOUNT_REDUCE_ONLY, remark]


def test_an_opening_that_calls_itself_one_needs_no_explanation() -> None:
    day = facts(state=stopped(TradingState.REDUCE_ONLY), position=None)
    verdict = judge(ask(decision="enter_long"), day, NOW)
    assert codes(verdict.reasons) == [ReasonCode.ACCOUNT_REDUCE_ONLY]


def test_an_allow_carries_no_explanation_either() -> None:
    verdict = judge(exit_one(), facts(position=None), NOW)
    assert (verdict.verdict, verdict.effect, verdict.reasons) == (ALLOW, Effect.OPENS, ())


@pytest.mark.parametrize("scope", ["state", "desk_state"])
def test_halted_lets_nothing_pass_but_waiting(scope: str) -> None:
    day = facts(**{scope: stopped(TradingState.HALTED)})
    assert judge(ask(), day, NOW).verdict is BLOCK
    assert judge(exit_one(), day, NOW).verdict is BLOCK
    assert judge(hold(), day, NOW).verdict is ALLOW


def test_it_collects_every_reason_at_once() -> None:
    worst = breaching(
        limits(memory={"required": True}, pace={"max_openings_per_hour": 1, "min_interval_seconds": 60}),
        state=stopped(TradingState.HALTED),
        desk_state=stopped(TradingState.REDUCE_ONLY),
        calendar=CalendarView(refreshed_at=None, events=(fomc(start_at=NOW),), event_reported=True),
        pace=replace(CALM_PACE, openings_last_hour=1, last_opening_at=NOW),
        features=None,
        memory=None,
        position=None,
    )
    verdict = judge(ask(decided_at=ago(minutes=1)), worst, NOW)
    assert codes(verdict.reasons) == [
        ReasonCode.DESK_REDUCE_ONLY,
        ReasonCode.ACCOUNT_HALTED,
        ReasonCode.CLOCK_SKEW,
        ReasonCode.DRAWDOWN_BREACHED,
        ReasonCode.CALENDAR_MISSING,
        ReasonCode.BLACKOUT,
        ReasonCode.EVENT_REPORTED,
        ReasonCode.PACE_EXCEEDED,
        ReasonCode.INTERVAL_TOO_SHORT,
        ReasonCode.FEATURES_SET_MISSING,
        ReasonCode.MEMORY_MISSING,
        ReasonCode.POSITION_UNKNOWN,
    ]
    assert judge(exit_one(), replace(worst, position=facts().position), NOW).reasons != ()
    assert judge(hold(), worst, NOW).reasons == ()


def test_without_limits_openings_are_blocked_and_exits_pass() -> None:
    bare = facts(limits=None, limits_version=None)
    assert codes(judge(ask(), bare, NOW).reasons) == [ReasonCode.LIMITS_MISSING]
    assert judge(exit_one(), bare, NOW).verdict is ALLOW
    assert judge(ask(), bare, NOW).valid_until == NOW + timedelta(seconds=5)


def test_a_large_opening_is_reduced_to_the_cap() -> None:
    day = facts(limits=limits(order={"max_quantity": "2"}))
    verdict = judge(ask(quantity=Decimal(5)), day, NOW)
    assert verdict.verdict is REDUCE
    assert verdict.max_quantity == 2
    assert codes(verdict.reasons) == [ReasonCode.ORDER_TOO_LARGE]
    assert verdict.retry_at is None


def test_a_large_exit_is_not_reduced() -> None:
    day = facts(
        limits=limits(order={"max_quantity": "2"}),
        position=PositionView(quantity=Decimal(5), at=ago(seconds=1)),
    )
    verdict = judge(exit_one(quantity=Decimal(5)), day, NOW)
    assert verdict.verdict is ALLOW
    assert verdict.max_quantity is None


def test_any_block_beats_a_reduction() -> None:
    day = facts(limits=limits(order={"max_quantity": "2"}), features=None)
    verdict = judge(ask(quantity=Decimal(5)), day, NOW)
    assert verdict.verdict is BLOCK
    assert verdict.max_quantity is None
    assert codes(verdict.reasons) == [ReasonCode.ORDER_TOO_LARGE, ReasonCode.FEATURES_SET_MISSING]


def test_a_quantity_that_several_caps_need_is_asked_for_once() -> None:
    day = facts(
        limits=limits(order={"max_quantity": "2"}, exposure={"max_position": "3"}),
        exposure=ExposureView(),
        position=PositionView(quantity=Decimal(0), at=ago(seconds=1)),
    )
    assert codes(judge(ask(quantity=None), day, NOW).reasons) == [ReasonCode.QUANTITY_UNKNOWN]


def test_a_rule_in_shadow_allows_and_says_what_it_would_have_done() -> None:
    day = facts(limits=limits(rules={"features": {"mode": "shadow"}}), features=None)
    verdict = judge(ask(), day, NOW)
    assert (verdict.verdict, verdict.reasons) == (ALLOW, ())
    assert codes(verdict.shadow_reasons) == [ReasonCode.FEATURES_SET_MISSING]
    assert [(item.finding.rule, item.finding.outcome, item.counts) for item in verdict.shadow] == [
        (RuleName.FEATURES, Outcome.BLOCK, True)
    ]
    assert judge(exit_one(), day, NOW).shadow_reasons == ()


def test_a_rule_that_is_off_says_nothing() -> None:
    day = facts(limits=limits(rules={"features": {"mode": "off", "reason": "no model"}}), features=None)
    verdict = judge(ask(), day, NOW)
    assert (verdict.verdict, verdict.shadow_reasons) == (ALLOW, ())


def test_a_reduction_in_shadow_reduces_nothing() -> None:
    shadow = limits(order={"max_quantity": "2"}, rules={"order_size": {"mode": "shadow"}})
    verdict = judge(ask(quantity=Decimal(5)), facts(limits=shadow), NOW)
    assert verdict.verdict is ALLOW
    assert verdict.max_quantity is None
    assert codes(verdict.shadow_reasons) == [ReasonCode.ORDER_TOO_LARGE]


def test_fomc_blocks_from_half_an_hour_before_to_half_an_hour_after() -> None:
    def at(minutes: int) -> Verdict:
        now = FOMC_AT + timedelta(minutes=minutes)
        fresh = equity_of(100_000, limits())
        fresh["equity"] = replace(fresh["equity"], at=now)
        position = PositionView(quantity=Decimal(2), at=now)
        return judge(ask(decided_at=now), facts(**fresh, position=position, checks_at=now), now)

    assert [at(minutes).verdict for minutes in (-31, -30, 0, 30, 31)] == [ALLOW, BLOCK, BLOCK, BLOCK, ALLOW]
    assert at(0).retry_at == FOMC_AT + timedelta(minutes=30)


def test_an_answer_is_never_good_past_the_opening_of_the_next_window() -> None:
    opens = FOMC_AT - timedelta(minutes=30)
    now = opens - timedelta(seconds=2)
    assert judge(ask(), facts(), now).valid_until == opens
    assert judge(ask(instrument="NQM5"), facts(), now).valid_until == opens
    unenforced = facts(limits=limits(rules={"calendar": {"mode": "shadow"}}))
    assert judge(ask(), unenforced, now).valid_until == now + timedelta(seconds=5)


def test_retry_at_is_the_latest_and_only_where_every_block_knows_one() -> None:
    event = fomc(start_at=NOW)
    window = CalendarView(refreshed_at=ago(hours=1), events=(event,))
    due = NOW + timedelta(hours=2)
    both = facts(state=stopped(TradingState.HALTED, until=due), calendar=window)
    assert judge(ask(), both, NOW).retry_at == due
    assert judge(ask(), facts(calendar=window), NOW).retry_at == NOW + timedelta(minutes=30)
    assert judge(ask(), facts(calendar=window, features=None), NOW).retry_at is None


def test_an_explanation_does_not_hide_when_to_ask_again() -> None:
    window = CalendarView(refreshed_at=ago(hours=1), events=(fomc(start_at=NOW),))
    verdict = judge(exit_one(), facts(calendar=window, position=None), NOW)
    assert codes(verdict.reasons) == [ReasonCode.BLACKOUT, ReasonCode.POSITION_UNKNOWN]
    assert verdict.retry_at == NOW + timedelta(minutes=30)


# Faults


class BrokenRuleError(RuntimeError):
    """What a rule raises in these tests."""


def broken(*_: object) -> Iterator[Finding]:
    raise BrokenRuleError


def break_rule(monkeypatch: pytest.MonkeyPatch, name: RuleName) -> None:
    table = gate.ALWAYS if name in gate.ALWAYS else gate.LIMITED
    monkeypatch.setitem(table, name, broken)


@pytest.mark.parametrize("name", list(RuleName))
def test_a_rule_that_fails_blocks_openings_and_traps_no_exit(monkeypatch: pytest.MonkeyPatch, name: RuleName) -> None:
    break_rule(monkeypatch, name)
    refused = judge(ask(), facts(), NOW)
    assert refused.verdict is BLOCK
    assert refused.reasons[0].code is ReasonCode.ENGINE_UNAVAILABLE
    assert refused.reasons[0].evidence == {"rule": name, "error": "BrokenRuleError"}
    leaving = judge(exit_one(), facts(), NOW)
    assert leaving.verdict is (BLOCK if name is RuleName.STATE else ALLOW)
    assert codes(leaving.shadow_reasons) == [ReasonCode.ENGINE_UNAVAILABLE]
    assert [item.counts for item in leaving.shadow] == [False]
    assert judge(hold(), facts(), NOW).verdict is ALLOW


def test_a_failed_state_rule_means_that_nobody_knows_whether_it_is_halted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_rule(monkeypatch, RuleName.STATE)
    assert codes(judge(exit_one(), facts(), NOW).reasons) == [ReasonCode.STATE_UNKNOWN]


def test_a_rule_that_fails_in_shadow_is_only_written_down(monkeypatch: pytest.MonkeyPatch) -> None:
    break_rule(monkeypatch, RuleName.FEATURES)
    verdict = judge(ask(), facts(limits=limits(rules={"features": {"mode": "shadow"}})), NOW)
    assert verdict.verdict is ALLOW
    assert codes(verdict.shadow_reasons) == [ReasonCode.ENGINE_UNAVAILABLE]


def test_what_a_rule_found_before_it_failed_still_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    real = gate.LIMITED[RuleName.EQUITY]

    def half(question: Ask, given: Facts, under: Limits, now: datetime) -> Iterator[Finding]:
        yield from real(question, given, under, now)
        raise BrokenRuleError

    monkeypatch.setitem(gate.LIMITED, RuleName.EQUITY, half)
    verdict = judge(ask(), facts(equity=None), NOW)
    assert codes(verdict.reasons) == [ReasonCode.EQUITY_MISSING, ReasonCode.ENGINE_UNAVAILABLE]


def test_an_uncountable_pace_blocks_openings_only() -> None:
    assert codes(judge(ask(), facts(pace=None), NOW).reasons) == [ReasonCode.ENGINE_UNAVAILABLE]
    assert judge(exit_one(), facts(pace=None), NOW).verdict is ALLOW


@pytest.mark.parametrize(
    "changes",
    [
        {"position": PositionView(quantity=Decimal("NaN"), at=NOW)},
        {"position": PositionView(quantity=Decimal(2), at=NOW.replace(tzinfo=None))},
        {"features": FeatureView(set_version="1", coverage=Decimal("NaN"), present=0, count=1)},
        {"calendar": CalendarView(refreshed_at=NOW, events=(fomc(impact=Decimal("NaN")),))},
        {"calendar": CalendarView(refreshed_at=NOW, events=(fomc(start_at=FOMC_AT.replace(tzinfo=None)),))},
        {"calendar": CalendarView(refreshed_at=NOW.replace(tzinfo=None))},
    ],
)
def test_facts_that_are_nonsense_block_openings(changes: dict[str, Any]) -> None:
    verdict = judge(exit_one(decision="sell", side=Side.SELL, quantity=Decimal(3)), facts(**changes), NOW)
    assert verdict.verdict is BLOCK
    assert ReasonCode.ENGINE_UNAVAILABLE in codes(verdict.reasons)


COOLING = {"cooldown_after_stop_minutes": 30}

# What the gate says is what docs/reasons.md says


CAPPED_WINDOW = {"name": "medium", "impact_above": "0.5", "action": "reduce", "max_quantity": "1"}
TONIGHT = SessionView(hours=SessionHours.GLOBEX, opens_at=NOW + timedelta(hours=7), closes_at=NOW + timedelta(hours=30))


REVIEWED = limits(algorithms={"max_unreviewed": 100})
REGISTERED = limits(algorithms={"required": True})


def entries() -> list[AlgorithmView]:
    """An algorithm whose entry waits, was withdrawn, and is full."""
    waits = RegisteredView(version=1, status=EntryStatus.PROPOSED, since=NOW, reason="tested")
    full = replace(waits, status=EntryStatus.APPROVED, max_quantity=Decimal(1), max_openings_per_hour=0)
    told = (waits, replace(waits, status=EntryStatus.WITHDRAWN), full)
    return [AlgorithmView(key="sac", entry=entry) for entry in told]


def everything_the_gate_can_say() -> list[Verdict]:
    capped = limits(order={"max_quantity": "2"}, memory={"required": True}, pace={"min_interval_seconds": 60})
    days = [
        (ask(), facts(state=None)),
        (ask(), facts(limits=None)),
        (ask(), facts(state=stopped(TradingState.HALTED), desk_state=stopped(TradingState.HALTED))),
        (ask(), facts(state=stopped(TradingState.REDUCE_ONLY), desk_state=stopped(TradingState.REDUCE_ONLY))),
        (ask(quantity=Decimal(9), decided_at=ago(hours=1)), breaching(capped, features=None, memory=None)),
        (ask(quantity=None), facts(limits=capped, equity=None, drawdowns=())),
        (ask(), facts(pace=replace(CALM_PACE, openings_last_hour=10, last_opening_at=NOW), limits=capped)),
        (ask(), facts(calendar=CalendarView(refreshed_at=None, events=(fomc(start_at=NOW),)))),
        (ask(), facts(calendar=CalendarView(refreshed_at=ago(days=2)))),
        (ask(), facts(calendar=CalendarView(refreshed_at=NOW, events=(fomc(),), event_reported=True))),
        (ask(), facts(pace=None)),
        (ask(), facts(messages=(NOW,), limits=limits(pace={"max_messages_per_minute": 1}))),
        (ask(), facts(openings=(opening(),), limits=limits(pace={"duplicate_seconds": 30}))),
        (ask(), facts(limits=REVIEWED)),
        (ask(), facts(limits=REGISTERED)),
        *((ask(algorithm="sac", quantity=Decimal(9)), facts(limits=REGISTERED, algorithm=view)) for view in entries()),
        (ask(algorithm="sac"), facts(limits=REVIEWED, algorithm=AlgorithmView(key="sac", executions=100))),
        (exit_one(), facts(position=PositionView(quantity=Decimal(2), at=ago(hours=1)), features=None)),
        (exit_one(quantity=Decimal(3)), facts(features=None)),
        (ask(decision="rebalance", side=None), facts(position=None, features=None)),
    ]
    reducing = limits(windows={"rules": [CAPPED_WINDOW]}, calendar={"horizon_hours": 72}, session={"hours": "globex"})
    loaded = CalendarView(refreshed_at=NOW, known_until=NOW, events=(fomc(start_at=NOW, impact=Decimal("0.6")),))
    days.append((ask(quantity=Decimal(9)), facts(limits=reducing, calendar=loaded)))
    days.append((ask(), facts(limits=reducing, session=TONIGHT)))
    thin = FeatureView(
        set_version="1", coverage=Decimal("0.5"), present=1, count=2, missing_top=("a",), missing_ranks=(1,)
    )
    stale = replace(CALM_EQUITY, at=ago(hours=1))
    days.append((ask(), facts(features=thin, equity=stale)))
    steady = limits(features={"max_drift": "0.5"})
    drifted = replace(thin, drift=Decimal("0.6"), reference="1")
    days += [(ask(), facts(limits=steady, features=thin)), (ask(), facts(limits=steady, features=drifted))]
    fresh = limits(
        freshness={"positions_required": True, "memory_hours": 1, "features_days": 1},
        memory={"required": True},
        flat={"by": "09:00", "until": "17:00"},
    )
    old_memory = MemoryView(cluster_ids=("c1",), at=ago(days=2))
    days += [
        (ask(), facts(limits=fresh, checks_at=None, position=None, memory=old_memory)),
        (ask(), facts(doubts=(doubt(),), held=HeldView(count=2, since=NOW))),
        (ask(), facts(losses=LossView(stopped_at=NOW, penalties=(penalty(),)), limits=limits(losses=COOLING))),
        (ask(), facts(limits=fresh, position=PositionView(quantity=Decimal(0), at=ago(hours=1)))),
    ]
    straining = limits(memory={"tightening_floor": "0.5"}, order={"max_quantity": "4"})
    strained = replace(old_memory, recalled=("c1",), stress=Decimal(1))
    busy = replace(CALM_PACE, openings_last_hour=5)
    days.append((ask(quantity=Decimal(4)), facts(limits=straining, memory=strained, pace=busy)))
    days += exposed_days()
    named = ask(client="mia-es", algorithm="trend")
    for state in (TradingState.HALTED, TradingState.REDUCE_ONLY):
        stops = tuple(
            ScopedStopView(scope=scope, key=key, account=None, view=stopped(state))
            for scope, key in (
                (StopScope.CLIENT, "mia-es"),
                (StopScope.ALGORITHM, "trend"),
                (StopScope.INSTRUMENT, "ES"),
            )
        )
        days += [(named, facts(stops=stops)), (ask(), facts(stops=stops))]
    return [judge(question, day, NOW) for question, day in days]


def exposed_days() -> list[tuple[Ask, Facts]]:
    """Caps on positions and money, a collar and named contracts, each missed in turn."""
    mine = Holding(instrument="ES", position=Decimal(2))
    seen = PriceView(price=Decimal(5600), at=NOW)
    against = OpposingView(account="ES-TWO", instrument="ES", side="sell", at=NOW)
    caps = limits(
        exposure={"max_position": "3", "max_notional": "800000"}, order={"max_value": "500000"},
        contracts={"allowed": ["ESZ6"]}, price={"max_deviation": "0.01"}, self_match={"action": "block"},
    )  # fmt: skip
    known = ExposureView(holdings=(mine,), reference=seen, opposing=(against,))
    lost = replace(mine, unknown=1)
    return [
        (ask(quantity=Decimal(2), price=Decimal(5000)), facts(limits=caps, exposure=known)),
        (ask(price=None), facts(limits=caps, exposure=replace(known, reference=None))),
        (ask(), facts(limits=caps, exposure=replace(known, reference=None))),
        (ask(instrument="YM"), facts(limits=caps, exposure=known)),
        (ask(), facts(limits=caps, exposure=replace(known, reference=replace(seen, at=ago(hours=1))))),
        (ask(), facts(limits=caps, exposure=replace(known, holdings=(lost,)))),
    ]


def test_the_gate_s_evidence_is_exactly_what_the_documentation_lists() -> None:
    said: dict[ReasonCode, set[str]] = {}
    for verdict in everything_the_gate_can_say():
        for item in verdict.reasons:
            said.setdefault(item.code, set()).update(item.evidence)
    made_elsewhere = {ReasonCode.VERDICT_EXPIRED, ReasonCode.INVALID_REQUEST, ReasonCode.NOT_RECORDABLE}
    assert set(said) == set(ReasonCode) - made_elsewhere
    for code, fields in said.items():
        section = re.search(rf"(?ms)^### {code}\n.*?Evidence: (.*?)\nWhat to do", REASONS.read_text())
        assert section, code
        # Fields of one event are listed in brackets behind `events`.
        top_level = re.sub(r"\(each .*?\)", "", section[1], flags=re.DOTALL)
        assert set(re.findall(r"`([a-z_]+)`", top_level)) == fields, code
