"""Alerts through a real worker process and a real broker, also when the worker is killed in the middle."""

import hashlib
import hmac
import json
import os
import signal
from collections.abc import Iterator

import pytest
from django.utils import timezone

from mia_site.celery import app
from mia_site.ops.alerts import alert_raise
from mia_site.ops.models import Alert, AlertDelivery
from tests.ops.receiver import Receiver, receiver
from tests.servers.desk import Desk
from tests.waiting import wait_for

TASK = "mia_site.ops.tasks.deliver_alerts"


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as told:
        yield told


def breach(priority: int) -> Alert:
    alert_raise("t_drawdown", priority=priority, params={"drawdown": "0.06"}, account="ES-DEMO")
    return Alert.objects.get()


def all_sent() -> bool:
    rows = AlertDelivery.objects.all()
    return rows.exists() and not rows.exclude(status="sent").exists()


def test_a_worker_delivers_what_another_process_raised(desk_processes: Desk, valkey: str, hook: Receiver) -> None:
    worker = desk_processes.start_worker(MIA_ALERT_WEBHOOKS=f"{hook.url}/hook")
    alert = breach(priority=5)
    app.send_task(TASK)
    wait_for(all_sent, what="log, webhook and file sent")
    assert set(alert.deliveries.values_list("channel", flat=True)) == {"log", "webhook", "file"}
    [got] = hook.received
    secret = (desk_processes.data_dir / "secrets" / "webhook").read_bytes()
    fields = dict(part.split("=", 1) for part in got.headers["X-Mia-Signature"].split(","))
    expected = hmac.new(secret, f"{fields['t']}.".encode() + got.body, hashlib.sha256).hexdigest()
    assert fields["v1"] == expected
    critical = (desk_processes.data_dir / "alerts" / "critical.log").read_text(encoding="utf-8")
    assert json.loads(critical)["id"] == str(alert.pk) == json.loads(got.body)["id"]
    assert "t_drawdown: account=ES-DEMO, drawdown=0.06" in worker.output()


def test_a_worker_killed_while_it_sends_leads_to_one_repeat_under_the_same_id(
    desk_processes: Desk, valkey: str, hook: Receiver
) -> None:
    hook.delay_seconds = 4
    worker = desk_processes.start_worker(MIA_ALERT_WEBHOOKS=f"{hook.url}/hook")
    alert = breach(priority=3)
    app.send_task(TASK)
    wait_for(lambda: len(hook.received) == 1, what="the receiver has the alert")
    os.killpg(worker.pid, signal.SIGKILL)
    hook.delay_seconds = 0
    row = alert.deliveries.get(channel="webhook")
    assert row.status == "pending" and row.attempts == 1 and row.next_try_at > timezone.now()
    AlertDelivery.objects.filter(pk=row.pk).update(next_try_at=timezone.now())  # the lease is over
    desk_processes.start_worker(MIA_ALERT_WEBHOOKS=f"{hook.url}/hook")
    app.send_task(TASK)
    wait_for(all_sent, what="the repeat is sent")
    assert [got.headers["X-Mia-Alert"] for got in hook.received] == [str(alert.pk)] * 2
