import time
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY

from mia_site.ops import timings
from mia_site.ops.models import Timing
from mia_site.ops.timings import timed, timings_csv, timings_expire
from mia_site.ops.usage import UsageSampler, usage

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
HEADER = "timestamp,operation,latency,success,memory_usage_mb,cpu_percent\n"


def add(at: datetime, operation: str = "stop_trading", success: bool = True) -> Timing:
    return Timing.objects.create(
        timestamp=at,
        operation=operation,
        latency=0.25,
        success=success,
        memory_usage_mb=96.5,
        cpu_percent=12.5,
    )


@pytest.mark.django_db
def test_a_block_is_measured() -> None:
    before = datetime.now(UTC)
    with timed("stop_trading"):
        time.sleep(0.01)
    assert timings.flush() == 1
    row = Timing.objects.get()
    assert row.operation == "stop_trading" and row.success is True
    assert 0.01 <= row.latency < 1
    assert before <= row.timestamp <= datetime.now(UTC)
    assert row.memory_usage_mb > 10 and 0 <= row.cpu_percent <= 100


@pytest.mark.django_db
def test_a_failure_is_measured_and_passes() -> None:
    with pytest.raises(ZeroDivisionError), timed("stop_trading"):
        raise ZeroDivisionError
    timings.flush()
    assert Timing.objects.get().success is False


@pytest.mark.django_db
def test_each_call_of_a_decorated_function_is_measured_also_within_itself() -> None:
    @timed("countdown")
    def countdown(n: int) -> int:
        """Counts down."""
        time.sleep(0.002)
        return countdown(n - 1) if n else 0

    assert countdown(2) == 0
    assert countdown.__name__ == "countdown" and countdown.__doc__ == "Counts down."
    assert timings.flush() == 3
    inner, middle, outer = Timing.objects.order_by("id").values_list("latency", flat=True)
    assert inner < middle < outer


def test_measuring_needs_no_database() -> None:
    with timed("pure"):
        pass
    assert len(timings.writer) == 1


def test_a_fault_of_the_measurement_never_reaches_the_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[float, float]:
        raise OSError("no /proc")

    monkeypatch.setattr(timings, "usage", broken)
    with timed("stop_trading"):
        answer = 42
    assert answer == 42


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_name_that_does_not_fit_is_found_when_the_code_is_loaded(name: str) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        timed(name)


def test_prometheus_counts_operations_by_outcome() -> None:
    def count(success: str) -> float:
        labels = {"operation": "t_counted", "success": success}
        return REGISTRY.get_sample_value("mia_operations_total", labels) or 0.0

    good, bad = count("true"), count("false")
    with timed("t_counted"):
        pass
    with pytest.raises(ValueError), timed("t_counted"):
        raise ValueError
    assert (count("true") - good, count("false") - bad) == (1, 1)
    assert (REGISTRY.get_sample_value("mia_operation_seconds_count", {"operation": "t_counted"}) or 0) >= 2


@pytest.mark.django_db
def test_the_csv_has_the_schema_of_the_specification() -> None:
    add(NINE)
    add(NINE + timedelta(seconds=1, microseconds=5), "block_trade", success=False)
    add(NINE, "log_decision")
    assert list(timings_csv({"stop_trading", "block_trade"})) == [
        HEADER,
        "2026-03-02 09:00:00.000000,stop_trading,0.25,True,96.5,12.5\n",
        "2026-03-02 09:00:01.000005,block_trade,0.25,False,96.5,12.5\n",
    ]


@pytest.mark.django_db
def test_the_csv_takes_since_and_leaves_until() -> None:
    for minute in range(4):
        add(NINE + timedelta(minutes=minute))
    lines = list(timings_csv(["stop_trading"], NINE + timedelta(minutes=1), NINE + timedelta(minutes=3)))
    assert [line[:19] for line in lines[1:]] == ["2026-03-02 09:01:00", "2026-03-02 09:02:00"]


@pytest.mark.django_db
def test_a_csv_without_rows_still_has_its_header() -> None:
    assert list(timings_csv({"stop_trading"})) == [HEADER]


@pytest.mark.django_db
def test_old_timings_expire_in_small_batches() -> None:
    for hours in range(5):
        add(NINE + timedelta(hours=hours))
    now = NINE + timedelta(days=7, hours=2, seconds=1)
    assert timings_expire(now, days=7, limit=2) == 2
    assert timings_expire(now, days=7, limit=2) == 1
    assert timings_expire(now, days=7, limit=2) == 0
    assert Timing.objects.count() == 2 and Timing.objects.earliest("timestamp").timestamp > NINE


def test_usage_is_read_at_most_ten_times_a_second() -> None:
    sampler = UsageSampler()
    first = sampler.read()
    assert sampler.read() is first
    time.sleep(0.11)
    ballast = bytearray(30 * 1024 * 1024)
    memory, cpu = sampler.read()
    assert memory >= first[0] + 20 and 0 <= cpu <= 100
    del ballast
    assert usage()[0] > 10
