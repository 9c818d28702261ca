"""Each periodic task through a real worker and a real broker, sent by the scheduler as it starts."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from mia_site.celery import PERIODS
from mia_site.ops.clock import database_now
from mia_site.ops.heartbeat import pulses
from mia_site.ops.models import AlertDelivery, Timing
from risk.equity import equity_record
from risk.inputs import EquityInput
from risk.models import Desk as DeskRow
from risk.models import Snapshot
from tests.factories import FACTORY, AlertFactory, TimingFactory
from tests.risk.calendars import desk_account
from tests.servers.desk import Desk
from tests.servers.processes import ManagedProcess
from tests.waiting import wait_for


def succeeded(worker: ManagedProcess, task: str) -> bool:
    return re.search(rf"Task {re.escape(task)}\[\S+\] succeeded", worker.output()) is not None


def test_the_scheduler_has_every_task_run_at_once_and_each_does_its_work(desk_processes: Desk, valkey: str) -> None:
    """A desk that was down for days checks its accounts, its calendar and its alerts when it comes back."""
    now = database_now()
    desk_account("ES-MAIN")
    point = EquityInput(at=now - timedelta(minutes=5), equity=Decimal(50_000))
    equity_record(account="ES-MAIN", points=[point], actor=FACTORY)
    old = TimingFactory(timestamp=now - timedelta(days=30))
    AlertFactory(created_at=now, priority=3)
    worker = desk_processes.start_worker()
    desk_processes.start_beat()

    for task in PERIODS:
        wait_for(lambda task=task: succeeded(worker, task), what=f"{task} to succeed")  # type: ignore[misc]
    [snapshot] = Snapshot.objects.all()  # check_drawdown
    assert (snapshot.cause, snapshot.penalty_active) == ("check", False)
    assert DeskRow.objects.filter(checks_at__gte=now).exists()
    wait_for(AlertDelivery.objects.filter(status="sent", channel="log").exists, what="deliver_alerts to deliver")
    yesterday = (datetime.now(UTC) - timedelta(minutes=10)).date() - timedelta(days=1)
    tree = desk_processes.data_dir / "exports" / yesterday.isoformat() / "ES-MAIN"  # export_daily
    assert (tree / "logs" / "trading" / "decision_log.csv").read_bytes().startswith(b"timestamp,")
    assert not Timing.objects.filter(pk=old.pk).exists()  # expire_work_rows
    assert all(pulse.age is not None and pulse.age < 60 for pulse in pulses())
    wait_for(Timing.objects.filter(operation="check_drawdown", success=True).exists, what="the check timed")
