"""Faults around a bot that asks: whatever fails, it gets an answer in time, and what was acknowledged is kept."""

import json
import os
import signal
import sqlite3
import threading
import uuid
from contextlib import closing
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from decisions.models import Decision, IdempotencyKey
from mia_site.audit.models import Entry
from mia_site.celery import app
from mia_site.ops.models import Alert, Timing
from risk.locking import account_lock
from risk.models import Admission, Snapshot
from tests.databases import server_run
from tests.environment import DEADLINE_MS, is_sqlite
from tests.process.bot import Answer, Bot, bot_start, calendar_load
from tests.process.disks import disk_fill, growth_forbid, small_disk
from tests.servers.desk import Desk
from tests.servers.processes import ManagedProcess
from tests.threads import at_once
from tests.waiting import PATIENCE, wait_for

IN_TIME = 2.0
"""Seconds: the deadline of 0.5, and room for a machine that is busy with other tests."""
HURRIED = str(DEADLINE_MS)


@pytest.fixture(scope="module")
def desk(shared_desk: Desk) -> Desk:
    calendar_load(shared_desk.data_dir)
    return shared_desk


@pytest.fixture(scope="module")
def url(desk: Desk) -> str:
    """Address of a web server with two processes, which the tests of this module leave whole."""
    return desk.start_web(workers=2).url


@pytest.fixture(scope="module")
def hurried_url(desk: Desk) -> str:
    """As `url`, with the deadline of production: what a busy machine answers too late is refused."""
    return desk.start_web(workers=2, MIA_DEADLINE_MS=HURRIED).url


def refused(answer: Answer) -> bool:
    """503, and nobody can read it as an allow."""
    if answer.status != 503:
        return False
    assert (answer.body["verdict"], answer.body["recorded"]) == ("block", False)
    assert answer.body["code"] == "engine_unavailable"
    return True


def trading(bot: Bot) -> Bot:
    """The bot, once it has got an allow: a hurried server that has just started may need longer than the deadline."""
    wait_for(lambda: allowed(bot), what="a first allow")
    return bot


def allowed(bot: Bot) -> bool:
    return bool(bot.ask(equity=bot.equity(50_000)).body["verdict"] == "allow")


# The broker


def test_bots_are_answered_while_redis_is_down(url: str) -> None:
    bot = trading(bot_start(url, "ES-NOREDIS"))
    answer = bot.ask(equity=bot.equity(50_000))
    assert (answer.status, answer.body["verdict"]) == (201, "allow")
    assert answer.seconds < IN_TIME
    assert bot.report(47_000).body["trading_state"] == "REDUCE_ONLY"


def test_bots_are_answered_while_redis_hangs(url: str, valkey_process: ManagedProcess) -> None:
    bot = trading(bot_start(url, "ES-HUNG"))
    valkey_process.send(signal.SIGSTOP)  # takes connections, says nothing
    try:
        answer = bot.ask(equity=bot.equity(50_000))
    finally:
        valkey_process.send(signal.SIGCONT)
    assert (answer.status, answer.body["verdict"]) == (201, "allow")
    assert answer.seconds < IN_TIME


# The database


def test_a_locked_database_is_told_within_the_deadline_and_nothing_is_recorded(hurried_url: str) -> None:
    bot = trading(bot_start(hurried_url, "ES-LOCKED"))
    question = bot.question(equity=bot.equity(50_000))
    with transaction.atomic():  # this process holds the account (on SQLite: everything)
        account_lock("ES-LOCKED")
        answer = bot.post("decisions/", question)
        assert refused(answer)
        assert 0.4 < answer.seconds < IN_TIME
    assert not Decision.objects.filter(trade_id=question["trade_id"]).exists()
    wait_for(lambda: bot.post("decisions/", question).body["verdict"] == "allow", what="an allow, once it is free")
    told = Alert.objects.filter(code="deadline_missed", account="ES-LOCKED", priority=4)
    wait_for(told.exists, what="the alert, once the database can be written")


def test_reports_that_wait_for_a_locked_account_give_their_threads_back(desk: Desk) -> None:
    web = desk.start_web(MIA_DATABASE_WAIT="1", MIA_WEB_THREADS="2", MIA_DEADLINE_MS=HURRIED)
    bot = bot_start(web.url, "ES-QUEUE")
    with transaction.atomic():
        account_lock("ES-QUEUE")
        answers = at_once([lambda: bot.report(50_000)] * 2)  # every thread of the server
        assert [refused(answer) for answer in answers if isinstance(answer, Answer)] == [True, True]
        assert refused(bot.ask())
    web.process.stop()


@pytest.mark.postgres
def test_a_database_that_is_gone_is_told_and_comes_back_by_itself(hurried_url: str) -> None:
    bot = trading(bot_start(hurried_url, "ES-GONE"))
    name = connection.settings_dict["NAME"]
    connection.close()
    server_run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    try:
        server_run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        answer = bot.ask()
        assert refused(answer)
        assert answer.seconds < IN_TIME
    finally:
        server_run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert wait_for(lambda: allowed(bot), what="an allow again")


@pytest.mark.postgres
def test_a_connection_that_is_cut_in_the_middle_is_a_refusal_or_a_recorded_answer(hurried_url: str) -> None:
    bot = trading(bot_start(hurried_url, "ES-CUT"))
    question, answers = bot.question(equity=bot.equity(50_000)), []
    waiting = "FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with transaction.atomic():
        account_lock("ES-CUT")
        asking = threading.Thread(target=lambda: answers.append(bot.post("decisions/", question)))
        asking.start()
        with connection.cursor() as cursor:

            def cut() -> bool:
                cursor.execute("SELECT pg_stat_clear_snapshot()")  # a transaction looks once, and keeps what it saw
                cursor.execute(f"SELECT pg_terminate_backend(pid) {waiting}")
                return cursor.fetchone() is not None

            wait_for(cut, what="the question to wait for the lock")
    asking.join(PATIENCE)
    [answer] = answers
    recorded = Decision.objects.filter(trade_id=question["trade_id"]).exists()
    assert recorded == (not refused(answer))
    trading(bot)


# The disk


@pytest.mark.skipif(not is_sqlite(), reason="PostgreSQL's disk is its server's business")
def test_a_full_disk_is_a_refusal_and_loses_nothing(desk_processes: Desk, tmp_path: Path) -> None:
    calendar_load(desk_processes.data_dir)
    bot = bot_start("", "ES-FULL")
    connection.close()  # all it has written is in the file
    with small_disk(tmp_path / "disk") as mounted:
        file = tmp_path / "disk" / "desk.sqlite3"
        with closing(sqlite3.connect(desk_processes.database_url.removeprefix("sqlite:///"))) as source:
            source.execute("VACUUM INTO ?", [str(file)])
        web = desk_processes.start_web(DATABASE_URL=f"sqlite:///{file}")
        bot = trading(Bot(web.url, bot.account, bot.token))
        before = [bot.ask(equity=bot.equity(50_000)) for _ in range(3)]
        make_room = disk_fill(file.parent) if mounted else growth_forbid(web.process.pid)
        wait_for(lambda: refused(bot.ask()), what="the disk to be full")
        assert bot.get(f"decisions/{before[0].body['id']}/").status == 200  # what is recorded can be read
        make_room()
        wait_for(lambda: allowed(bot), what="an allow again")
        web.process.stop()
        with closing(sqlite3.connect(file)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            kept = {uuid.UUID(row[0]) for row in database.execute("SELECT id FROM decisions_decision")}
    assert {uuid.UUID(answer.body["id"]) for answer in before} <= kept


# Processes that are killed


def running_task(name: str) -> int | None:
    """The pool process in which the task runs now."""
    for tasks in (app.control.inspect(timeout=1).active() or {}).values():
        for task in tasks:
            if task["name"] == name:
                return int(task["worker_pid"])
    return None


def test_a_task_whose_process_is_killed_runs_again_and_nothing_doubles(
    desk: Desk, url: str, valkey: str, request: pytest.FixtureRequest
) -> None:
    task = "risk.tasks.check_drawdown"
    bot = bot_start(url, "ES-TASK")
    bot.report(50_000)  # no snapshot was taken of it yet
    worker = desk.start_worker(concurrency=1)
    request.addfinalizer(worker.stop)
    with transaction.atomic():
        account_lock("ES-TASK")  # the check waits for it in the middle of its work
        app.send_task(task)
        victim = wait_for(lambda: running_task(task), what="the check to run")
        os.kill(victim, signal.SIGKILL)
        again = wait_for(lambda: running_task(task) not in (None, victim), what="the check to run again")
    assert again
    done = Timing.objects.filter(operation="check_drawdown", success=True)
    wait_for(Snapshot.objects.filter(account__code="ES-TASK").exists, what="the snapshot")
    wait_for(done.exists, what="the check done")
    assert Snapshot.objects.filter(account__code="ES-TASK").count() == 1


def test_a_web_server_killed_in_a_storm_has_kept_what_it_acknowledged(desk: Desk) -> None:
    web = desk.start_web(workers=2)
    bot = bot_start(web.url, "ES-STORM", "pace.max_openings_per_hour=100000")
    bot.report(50_000)
    acknowledged: list[str] = []
    enough = threading.Event()

    def ask_on() -> None:
        while True:
            try:
                answer = bot.ask(key=uuid.uuid4().hex)
            except (OSError, HTTPException, json.JSONDecodeError):
                return  # killed, in the middle of an answer perhaps
            if answer.status == 201:  # not one that came too late for its deadline
                acknowledged.append(answer.body["id"])
            if len(acknowledged) >= 60:
                enough.set()

    storm = [threading.Thread(target=ask_on) for _ in range(4)]
    for thread in storm:
        thread.start()
    assert enough.wait(PATIENCE)
    web.process.kill()
    for thread in storm:
        thread.join(PATIENCE)

    rows = Decision.objects.filter(account__code="ES-STORM")
    recorded = set(map(str, rows.values_list("id", flat=True)))
    assert set(acknowledged) <= recorded
    assert len(recorded) - len(acknowledged) <= 4  # at most what each thread was waiting for
    assert set(map(str, Entry.objects.filter(id__in=recorded).values_list("id", flat=True))) == recorded
    assert set(map(str, Admission.objects.filter(id__in=recorded).values_list("id", flat=True))) == recorded
    keys = IdempotencyKey.objects.filter(client__account__code="ES-STORM")
    assert {key for row in keys for key in row.decision_ids} == recorded
    first, *_, last = sorted(rows.values_list("seq", flat=True))
    assert last - first + 1 == len(recorded)
    if is_sqlite():
        with connection.cursor() as cursor:
            assert cursor.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    trading(Bot(desk.start_web().url, bot.account, bot.token))


# The same request twice


def test_the_same_key_at_the_same_moment_is_one_decision(url: str) -> None:
    bot = trading(bot_start(url, "ES-TWICE"))
    question = bot.question(equity=bot.equity(50_000))

    def post(**changes: Any) -> Answer:
        """Asks again where there was no answer in time: that is what the key is for."""
        while refused(answer := bot.post("decisions/", {**question, **changes}, **{"Idempotency-Key": "order-1"})):
            continue
        return answer

    answers = at_once([post] * 8)
    told = [answer for answer in answers if isinstance(answer, Answer)]
    assert [answer.status for answer in told] == [201] * 8
    assert len({answer.body["id"] for answer in told}) == 1
    assert sorted(answer.body["replayed"] for answer in told) == [False, *[True] * 7]
    assert {answer.body["verdict"] for answer in told} == {"allow"}
    assert Decision.objects.filter(trade_id=question["trade_id"]).count() == 1
    other = post(quantity=2)
    assert (other.status, other.body["code"], other.body["verdict"]) == (409, "key_reused", "block")
