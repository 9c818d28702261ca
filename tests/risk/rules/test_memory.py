"""Market memory: what is recalled, how much it strains, what it leaves of a limit. It never leaves more."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import ClusterView, Facts, MemoryView, PaceView
from risk.rules.gate import judge
from risk.rules.limits import Limits
from risk.rules.recall import recall, same_type
from risk.rules.tightening import Tightening, tightening
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ago, ask, codes, facts, fomc, limits
from tests.risk.rules.strategies import asks
from tests.risk.rules.test_gate_properties import days

PACED, SIZED = ReasonCode.MEMORY_PACE_TIGHTENED, ReasonCode.MEMORY_ORDER_TIGHTENED


def cluster(name: str = "c1", **changes: Any) -> ClusterView:
    """A FOMC day, of which memory is sure, with a correlation of 0.8."""
    calm = ClusterView(
        cluster_id=name, event_type="FOMC", at=ago(days=0), confidence=1.0, vix_es_correlation=0.8
    )  # fmt: skip
    return replace(calm, **changes)


def remembers(stress: str) -> MemoryView:
    return MemoryView(cluster_ids=("c1",), at=ago(hours=1), recalled=("c1", "c2"), stress=Decimal(stress))


def tight(floor: str | None = "0.5", **sections: Any) -> Limits:
    return limits(memory={"tightening_floor": floor}, order={"max_quantity": "4"}, **sections)


def measured(stress: str, floor: str = "0.5") -> Tightening:
    found = tightening(remembers(stress), tight(floor).memory)
    assert found is not None
    return found


# --- recall -------------------------------------------------------------------------------------------------


def test_one_sure_memory_of_today_strains_by_its_correlation() -> None:
    assert recall([cluster()], [], NOW, limits().memory).stress == Decimal("0.8")


def test_a_memory_weighs_half_after_ninety_days_and_by_its_confidence() -> None:
    old = cluster(at=ago(days=90), confidence=0.9)
    assert recall([old], [], NOW, limits().memory).stress == Decimal("0.36")


def test_memories_are_weighed_together() -> None:
    two = [cluster(), cluster("c2", vix_es_correlation=0.2)]
    assert recall(two, [], NOW, limits().memory).stress == Decimal("0.5")


@pytest.mark.parametrize(("correlation", "stress"), [(None, "0.5"), (-0.6, "0"), (0.9, "0.9"), (float("nan"), "0.5")])
def test_a_correlation_is_read_as_in_the_overtrade_score(correlation: float | None, stress: str) -> None:
    found = recall([cluster(vix_es_correlation=correlation)], [], NOW, limits().memory)
    assert found.stress == Decimal(stress)


def test_memories_of_the_event_that_is_near_are_recalled_alone() -> None:
    memory = [cluster("nfp", event_type="NFP"), cluster("fed", event_type="FOMC")]
    found = recall(memory, [fomc(event_type="FOMC Statement")], NOW, limits().memory)
    assert [item.cluster_id for item in found.clusters] == ["fed"]
    assert found.event_types == ("FOMC Statement",)


@pytest.mark.parametrize("hours", [25, -2])
def test_without_a_near_event_all_memories_are_recalled(hours: int) -> None:
    memory = [cluster("nfp", event_type="NFP"), cluster("fed", event_type="FOMC")]
    found = recall(memory, [fomc(start_at=NOW + timedelta(hours=hours))], NOW, limits().memory)
    assert [item.cluster_id for item in found.clusters] == ["nfp", "fed"]
    assert found.event_types == ()


def test_an_event_that_nobody_remembers_recalls_all() -> None:
    found = recall([cluster(event_type="NFP")], [fomc()], NOW, limits().memory)
    assert len(found.clusters) == 1


def test_what_is_dated_later_or_too_long_ago_is_not_recalled() -> None:
    memory = [cluster("later", at=ago(seconds=-1)), cluster("old", at=ago(days=366))]
    found = recall(memory, [], NOW, limits().memory)
    assert not found.clusters
    assert found.stress == 0


@pytest.mark.parametrize(
    ("one", "other", "same"), [("CPI", "US cpi m/m", True), ("CPI", "PPI", False), ("", "CPI", False)]
)
def test_a_type_may_be_written_longer(one: str, other: str, same: bool) -> None:
    assert same_type(one, other) is same_type(other, one) is same


# --- what it leaves of a limit ------------------------------------------------------------------------------


def test_memory_tightens_nothing_unless_the_limits_name_a_floor() -> None:
    assert tightening(remembers("1"), limits().memory) is None


@pytest.mark.parametrize(
    ("stress", "factor", "pace", "contracts"),
    [("0", "1", 10, 4), ("0.36", "0.82", 8, 3), ("0.7", "0.65", 6, 2), ("1", "0.5", 5, 2)],
)
def test_a_limit_shrinks_with_stress_down_to_the_floor(stress: str, factor: str, pace: int, contracts: int) -> None:
    found = measured(stress)
    assert (found.factor, found.pace(10)) == (Decimal(factor), pace)
    assert found.quantity(Decimal(4)) == contracts


def test_the_pace_is_halved_when_memory_says_volatile() -> None:
    assert not measured("0.7", "0.2").volatile
    volatile = measured("0.71", "0.2")
    assert volatile.volatile
    assert [volatile.pace(limit) for limit in (11, 10, 3, 1)] == [4, 4, 1, 1]
    assert measured("0.71").pace(11) == 5


def test_the_floor_holds_for_the_halving_too() -> None:
    assert measured("1", "0.8").pace(10) == 8


def test_at_least_one_contract_is_left() -> None:
    found = measured("1", "0.1")
    assert [found.quantity(Decimal(cap)) for cap in ("20", "2", "1", "0.5")] == [2, 1, 1, Decimal("0.5")]


SHARES = st.decimals("0", "1", places=6)


@given(SHARES, SHARES.filter(bool), st.integers(1, 100_000), st.decimals("0.0001", "100000", places=4))
def test_it_never_leaves_more_than_the_limit_nor_less_than_the_floor(
    stress: Decimal, floor: Decimal, limit: int, cap: Decimal
) -> None:
    found = measured(str(stress), str(floor))
    assert max(1, int(limit * floor)) <= found.pace(limit) <= limit
    assert min(cap, max(Decimal(1), Decimal(int(cap * floor)))) <= found.quantity(cap) <= cap


@given(SHARES, SHARES, SHARES.filter(bool))
def test_more_stress_never_leaves_more(one: Decimal, other: Decimal, floor: Decimal) -> None:
    calm, strained = sorted([one, other])
    assert measured(str(strained), str(floor)).pace(100) <= measured(str(calm), str(floor)).pace(100)


CLUSTERS = st.lists(
    st.builds(
        cluster,
        event_type=st.sampled_from(["FOMC", "CPI"]),
        at=st.integers(-10, 5000).map(lambda days: ago(days=days)),
        confidence=st.floats(),
        vix_es_correlation=st.none() | st.floats(),
    ),
    max_size=5,
)


@given(CLUSTERS)
def test_whatever_is_remembered_stress_lies_from_0_to_1(memory: list[ClusterView]) -> None:
    assert 0 <= recall(memory, [fomc()], NOW, limits().memory).stress <= 1


# --- the verdict --------------------------------------------------------------------------------------------


def busy(openings: int, **changes: Any) -> Facts:
    pace = PaceView(openings_last_hour=openings, oldest_at=ago(minutes=30), last_opening_at=ago(minutes=10))
    return facts(**{"pace": pace, "limits": tight(), "memory": remembers("0.36")} | changes)


def test_the_ninth_opening_finds_no_room_when_memory_leaves_eight_of_ten() -> None:
    assert judge(ask(), busy(7), NOW).verdict is VerdictKind.ALLOW
    blocked = judge(ask(), busy(8), NOW)
    assert codes(blocked.reasons) == [PACED]
    assert blocked.retry_at == ago(minutes=-30)
    assert blocked.reasons[0].evidence == {
        "openings": 8, "limit": 8, "untightened": 10, "factor": "0.82", "stress": "0.36", "volatile": False,
        "volatile_above": "0.7", "floor": "0.5", "event_types": [], "clusters": ["c1", "c2"], "recalled": 2,
    }  # fmt: skip


def test_an_order_is_reduced_to_what_memory_leaves() -> None:
    verdict = judge(ask(quantity=Decimal(4)), busy(0), NOW)
    assert (verdict.verdict, codes(verdict.reasons)) == (VerdictKind.REDUCE, [SIZED])
    assert verdict.max_quantity == 3


@pytest.mark.parametrize("name", ["memory", "pace"])
@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_only_an_enforced_memory_tightens_an_enforced_limit(name: str, mode: str) -> None:
    under = tight(rules={name: {"mode": mode, "reason": "trial"}})
    verdict = judge(ask(), busy(8, limits=under), NOW)
    assert verdict.verdict is VerdictKind.ALLOW
    shadowed = (name, mode) == ("memory", "shadow")
    assert codes(verdict.shadow_reasons) == ([PACED] if shadowed else [])


@given(asks(), days(), SHARES)
def test_what_is_remembered_never_loosens_a_verdict(question: Ask, day: Facts, stress: Decimal) -> None:
    assert day.limits is not None
    order = [VerdictKind.ALLOW, VerdictKind.REDUCE, VerdictKind.BLOCK]
    calm = MemoryView(cluster_ids=("c1",), at=ago(hours=1))
    before = judge(question, replace(day, memory=calm), NOW)
    strained = replace(calm, recalled=("c1",), stress=stress)
    after = judge(question, replace(day, memory=strained), NOW)
    assert order.index(after.verdict) >= order.index(before.verdict)
    if before.max_quantity is not None and after.max_quantity is not None:
        assert after.max_quantity <= before.max_quantity
