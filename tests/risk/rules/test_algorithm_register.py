"""The register of algorithms, judged on plain values."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.rules.facts import AlgorithmView, EntryStatus, RegisteredView
from risk.rules.gate import judge
from risk.rules.limits import tightens
from risk.rules.verdict import Verdict, VerdictKind
from tests.risk.rules.given import NOW, ago, ask, exit_one, facts, limits

ASKED = limits(algorithms={"required": True}, order={"max_quantity": "5"})
APPROVED = RegisteredView(version=2, status=EntryStatus.APPROVED, since=ago(days=1), reason="tested on 2024")
STRICTNESS = [VerdictKind.ALLOW, VerdictKind.REDUCE, VerdictKind.BLOCK]


def judged(entry: RegisteredView | None, name: str = "Trend 1.4", **asked: Any) -> Verdict:
    view = AlgorithmView(key="trend 1.4", entry=entry) if name else None
    return judge(ask(algorithm=name, **asked), facts(limits=ASKED, algorithm=view), NOW)


def codes(verdict: Verdict) -> list[str]:
    return [reason.code.value for reason in verdict.reasons]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (None, ["algorithm_unregistered"]),
        (replace(APPROVED, status=EntryStatus.PROPOSED), ["algorithm_unapproved"]),
        (replace(APPROVED, status=EntryStatus.REJECTED), ["algorithm_unapproved"]),
        (replace(APPROVED, status=EntryStatus.WITHDRAWN), ["algorithm_withdrawn"]),
        (APPROVED, []),
    ],
)
def test_only_what_is_approved_opens_and_everything_exits(entry: RegisteredView | None, code: list[str]) -> None:
    assert codes(judged(entry)) == code
    leaving = facts(limits=ASKED, algorithm=AlgorithmView(key="trend 1.4", entry=entry))
    assert judge(exit_one(algorithm="Trend 1.4"), leaving, NOW).verdict is VerdictKind.ALLOW


def test_a_decision_that_names_none_is_of_none_that_is_registered() -> None:
    verdict = judged(None, name="")
    assert codes(verdict) == ["algorithm_unregistered"]
    assert verdict.reasons[0].message == "The algorithm - is not in the register."


def test_a_register_that_could_not_be_read_blocks() -> None:
    assert codes(judge(ask(algorithm="trend"), facts(limits=ASKED), NOW)) == ["engine_unavailable"]


def test_an_entry_s_cap_reduces_below_the_account_s_and_never_above() -> None:
    small, large = (replace(APPROVED, max_quantity=Decimal(most)) for most in (2, 9))
    assert judged(small, quantity=Decimal(10)).max_quantity == 2
    assert judged(large, quantity=Decimal(10)).max_quantity == 5
    assert codes(judged(small, quantity=Decimal(2))) == []


def test_the_third_opening_of_its_hour_is_the_last_of_three() -> None:
    entry = replace(APPROVED, max_openings_per_hour=3, openings_last_hour=2, oldest_at=ago(minutes=50))
    assert codes(judged(entry)) == []
    verdict = judged(replace(entry, openings_last_hour=3))
    assert codes(verdict) == ["algorithm_pace_exceeded"]
    assert verdict.retry_at == NOW + timedelta(minutes=10)


@settings(max_examples=40)
@given(
    st.none() | st.sampled_from(list(EntryStatus)),
    st.none() | st.integers(1, 9),
    st.none() | st.integers(1, 9),
    st.integers(0, 9),
    st.integers(1, 9),
)
def test_no_entry_frees_what_the_account_s_limits_hold(
    status: EntryStatus | None, quantity: int | None, pace: int | None, openings: int, asked: int
) -> None:
    entry = None
    if status is not None:
        entry = replace(
            APPROVED, status=status, max_openings_per_hour=pace, openings_last_hour=openings,
            max_quantity=None if quantity is None else Decimal(quantity),
        )  # fmt: skip
    alone = judge(ask(quantity=Decimal(asked)), facts(limits=limits(order={"max_quantity": "5"})), NOW)
    beside = judged(entry, quantity=Decimal(asked))
    assert STRICTNESS.index(beside.verdict) >= STRICTNESS.index(alone.verdict)
    if beside.max_quantity is not None and alone.max_quantity is not None:
        assert beside.max_quantity <= alone.max_quantity


def test_asking_for_the_register_tightens_and_ceasing_to_loosens() -> None:
    plain = limits(order={"max_quantity": "5"})
    assert tightens(plain, ASKED) and not tightens(ASKED, plain)
