import pytest
from django.db import IntegrityError, OperationalError
from hypothesis import given
from hypothesis import strategies as st

from mia_site.ops.retry import Deadline, DeadlineExceeded, retry_within, with_retries


class Clock:
    """Monotonic time that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Flaky:
    """Fails `failures` times with `error`, then answers 42."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    def __call__(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return 42


LOCKED = OperationalError("database is locked")


def test_outside_work_waits_two_to_the_power_of_the_attempt() -> None:
    clock, work = Clock(), Flaky(2, OSError("file is locked"))
    assert with_retries(work, sleep=clock.sleep) == 42
    assert clock.slept == [2.0, 4.0] and work.calls == 3


def test_after_three_attempts_the_last_error_leaves() -> None:
    clock, work = Clock(), Flaky(9, OSError("file is locked"))
    with pytest.raises(OSError, match="file is locked"):
        with_retries(work, sleep=clock.sleep)
    assert work.calls == 3 and clock.slept == [2.0, 4.0]


def test_work_that_succeeds_never_waits() -> None:
    clock = Clock()
    assert with_retries(Flaky(0, LOCKED), sleep=clock.sleep) == 42
    assert clock.slept == []


def test_an_error_that_is_not_named_is_not_retried() -> None:
    clock, work = Clock(), Flaky(1, ValueError("a wrong figure stays wrong"))
    with pytest.raises(ValueError, match="wrong figure"):
        with_retries(work, retry_on=(OSError,), sleep=clock.sleep)
    assert work.calls == 1 and clock.slept == []


def test_attempts_and_base_are_the_callers_choice() -> None:
    clock = Clock()
    with pytest.raises(OperationalError):
        with_retries(Flaky(9, LOCKED), attempts=4, base=3, sleep=clock.sleep)
    assert clock.slept == [3.0, 9.0, 27.0]


def test_a_deadline_counts_down_and_then_says_so() -> None:
    clock = Clock()
    deadline = Deadline(0.5, clock=clock)
    assert deadline.remaining() == pytest.approx(0.5)
    clock.sleep(0.2)
    deadline.check()
    assert deadline.remaining() == pytest.approx(0.3)
    clock.sleep(1)
    assert deadline.remaining() == 0.0
    with pytest.raises(DeadlineExceeded, match=r"0\.5 s"):
        deadline.check()


def test_the_gate_tries_again_after_20_40_and_80_ms() -> None:
    clock, work = Clock(), Flaky(3, LOCKED)
    assert retry_within(Deadline(0.5, clock=clock), work, sleep=clock.sleep) == 42
    assert clock.slept == [0.02, 0.04, 0.08] and work.calls == 4


def test_the_gate_gives_up_with_the_databases_own_error() -> None:
    clock, work = Clock(), Flaky(9, LOCKED)
    with pytest.raises(OperationalError, match="locked"):
        retry_within(Deadline(0.5, clock=clock), work, sleep=clock.sleep)
    assert work.calls == 4


def test_the_gate_never_waits_past_its_deadline() -> None:
    clock, work = Clock(), Flaky(9, LOCKED)
    with pytest.raises(OperationalError):
        retry_within(Deadline(0.05, clock=clock), work, sleep=clock.sleep)
    assert clock.slept == [0.02] and work.calls == 2


def test_nothing_begins_after_the_deadline() -> None:
    clock, work = Clock(), Flaky(0, LOCKED)
    with pytest.raises(DeadlineExceeded):
        retry_within(Deadline(0, clock=clock), work, sleep=clock.sleep)
    assert work.calls == 0


def test_a_violated_constraint_is_no_reason_to_try_again() -> None:
    clock, work = Clock(), Flaky(1, IntegrityError("UNIQUE"))
    with pytest.raises(IntegrityError):
        retry_within(Deadline(0.5, clock=clock), work, sleep=clock.sleep)
    assert work.calls == 1


@given(
    seconds=st.floats(0.001, 1),
    delays=st.lists(st.floats(0.001, 0.5), max_size=6),
    failures=st.integers(0, 9),
)
def test_the_waits_always_fit_into_the_deadline(seconds: float, delays: list[float], failures: int) -> None:
    clock, work = Clock(), Flaky(failures, LOCKED)
    try:
        retry_within(Deadline(seconds, clock=clock), work, delays=delays, sleep=clock.sleep)
    except OperationalError:
        assert work.calls <= len(delays) + 1
    else:
        assert work.calls == failures + 1
    assert sum(clock.slept) <= seconds + 1e-9
