"""Alerts written and sent by several threads: what they commit is real (fixture cloned_database)."""

import threading
import time
from collections.abc import Iterator

import pytest
from django.core import mail
from django.db import connection, transaction
from pytest_django import Settings

from mia_site.ops import alerts
from mia_site.ops.alerts import alert_raise, alert_raise_outside
from mia_site.ops.background import BackgroundWriter
from mia_site.ops.channels.log import LogChannel
from mia_site.ops.delivery import Delivered, alerts_deliver, alerts_route
from mia_site.ops.models import Alert, AlertDelivery, Timing
from mia_site.ops.timings import _write as timings_write
from mia_site.ops.timings import timed, writer
from tests.threads import at_once
from tests.waiting import PATIENCE, wait_for

pytestmark = pytest.mark.usefixtures("cloned_database")


@pytest.fixture
def threaded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fresh writers with their threads on, and off again before the database is dropped."""
    settings.MIA_TIMINGS_BACKGROUND = True
    outside = BackgroundWriter("alerts", alerts._write_all, capacity=100, gather_seconds=0.02)
    fresh = BackgroundWriter("timings", timings_write, capacity=100, gather_seconds=0.05)
    monkeypatch.setattr(alerts, "outside", outside)
    monkeypatch.setattr("mia_site.ops.timings.writer", fresh)
    yield
    outside.stop()
    fresh.stop()


def test_two_workers_send_each_delivery_once(settings: Settings) -> None:
    settings.MIA_ALERT_EMAILS = ["risk@example.com"]
    for number in range(10):
        alert_raise("t_busy", priority=4, params={}, dedup_key=str(number))
    answers = at_once([alerts_deliver] * 4)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert sum(answer.sent for answer in answers if isinstance(answer, Delivered)) == 20
    assert len(mail.outbox) == 10
    assert AlertDelivery.objects.filter(status="sent", attempts=1).count() == 20


def test_a_slow_destination_is_not_sent_to_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    def slow(*_: object) -> None:
        time.sleep(0.3)
        sent.append(threading.current_thread().name)

    monkeypatch.setattr(LogChannel, "send", slow)
    alert_raise("t_slow", priority=1, params={})
    at_once([alerts_deliver] * 4)
    assert len(sent) == 1


def test_two_routers_give_an_alert_its_deliveries_once() -> None:
    for number in range(10):
        alert_raise("t_busy", priority=1, params={}, dedup_key=str(number))
    now = Alert.objects.latest("created_at").created_at
    answers = at_once([lambda: alerts_route(now)] * 4)
    assert sum(answer for answer in answers if isinstance(answer, int)) == 10
    assert AlertDelivery.objects.count() == 10


def test_the_same_trouble_in_many_threads_becomes_one_alert_that_counts_them_all() -> None:
    def raise_it() -> None:
        alert_raise("t_storm", priority=1, params={}, account="ES-DEMO")

    answers = at_once([raise_it] * 8)
    assert answers == [None] * 8
    alerts_route(Alert.objects.latest("created_at").created_at)
    alert = Alert.objects.get()
    assert alert.repeats == 7


@pytest.mark.postgres
def test_raising_never_waits_for_another_transaction() -> None:
    alert_raise("t_storm", priority=1, params={})
    repeated, done = threading.Event(), threading.Event()

    def hold_the_row() -> None:
        with transaction.atomic():
            alert_raise("t_storm", priority=1, params={})
            repeated.set()
            assert done.wait(PATIENCE)

    def raise_beside_it() -> float:
        assert repeated.wait(PATIENCE)
        started = time.perf_counter()
        alert_raise("t_storm", priority=1, params={})
        done.set()
        return time.perf_counter() - started

    _, seconds = at_once([hold_the_row, raise_beside_it])
    assert isinstance(seconds, float) and seconds < 2
    alerts_route(Alert.objects.latest("created_at").created_at)
    assert Alert.objects.get().repeats == 2


@pytest.mark.usefixtures("threaded")
def test_the_alert_of_trouble_is_written_while_the_caller_holds_the_write_lock_and_rolls_back() -> None:
    def fail() -> None:
        with transaction.atomic():
            alert_raise("t_undone", priority=3, params={})
            started = time.perf_counter()
            alert_raise_outside("t_trouble", priority=4, params={"error": "disk full"}, account="ES-DEMO")
            assert time.perf_counter() - started < 0.1, "the caller never waits"
            time.sleep(0.2)  # long enough for the thread to run into the lock
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    alert = wait_for(lambda: Alert.objects.filter(code="t_trouble").first(), what="the alert of the trouble")
    assert alert.priority == 4 and alert.params == {"error": "disk full"}
    assert not Alert.objects.filter(code="t_undone").exists()


@pytest.mark.usefixtures("threaded")
def test_timings_are_written_by_a_thread_with_a_connection_of_its_own() -> None:
    def work() -> None:
        with transaction.atomic(), timed("t_undone_work"):
            Alert.objects.count()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    row = wait_for(lambda: Timing.objects.filter(operation="t_undone_work").first(), what="the timing")
    assert row.success is False
    assert len(writer) == 0 and not connection.in_atomic_block
