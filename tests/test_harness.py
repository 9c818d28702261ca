"""The harness itself: what the other tests rely on."""

import errno
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import psutil
import pytest
import redis
from django.conf import settings
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, connections, transaction
from pytest_django.plugin import DjangoDbBlocker
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome

from mia_site.celery import app
from mia_site.ops.append_only import fact_models, missing_triggers
from tests.databases import clone, refuse_flushing
from tests.environment import ROOT, child_environment, is_sqlite
from tests.servers.browser import BrowserFactory
from tests.servers.desk import Desk
from tests.servers.processes import ManagedProcess
from tests.servers.web import WebProcess
from tests.threads import at_once
from tests.waiting import wait_for


def database_exists(url: str) -> bool:
    name = url.rpartition("/")[2]
    if is_sqlite():
        return Path(url.removeprefix("sqlite:///")).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name])
        return bool(cursor.fetchone()[0])


def test_the_suite_never_uses_the_desks_own_data_directory() -> None:
    assert not settings.DATA_DIR.is_relative_to(ROOT)
    assert str(settings.KEYS_DIR).startswith(str(settings.DATA_DIR))


def test_the_tests_on_sqlite_run_on_a_file_with_the_desks_own_settings(db: None) -> None:
    if not is_sqlite():
        pytest.skip("the other run")
    with connection.cursor() as cursor:
        values = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert values == ["wal", 2]


def test_every_fact_of_the_test_database_is_append_only(db: None) -> None:
    assert fact_models()
    assert missing_triggers(connection) == []


def test_facts_of_a_clone_are_append_only_too(cloned_database: str) -> None:
    assert missing_triggers(connection) == []
    table = fact_models()[0]._meta.db_table
    if not is_sqlite():
        with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
            cursor.execute(f'TRUNCATE "{table}" CASCADE')


def test_a_clone_commits_for_every_thread_and_every_process(cloned_database: str) -> None:
    Group.objects.create(name="committed")
    assert at_once([lambda: Group.objects.filter(name="committed").count()] * 3) == [1, 1, 1]
    program = (
        "import django; django.setup(); from django.contrib.auth.models import Group;"
        "print(Group.objects.filter(name='committed').count())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=child_environment(DATABASE_URL=cloned_database),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout.strip() == "1"


def test_a_clone_vanishes_with_what_was_committed(database_template: str, django_db_blocker: DjangoDbBlocker) -> None:
    with django_db_blocker.unblock():
        with clone(database_template) as url:
            Group.objects.create(name="committed")
            assert database_exists(url)
        assert not database_exists(url)
        with clone(database_template) as other:
            assert other != url
            assert not Group.objects.filter(name="committed").exists()
        connection.close()


def test_threads_write_at_the_same_time_and_errors_come_back(cloned_database: str) -> None:
    barrier = threading.Barrier(4)

    def write(number: int) -> str:
        barrier.wait(10)
        with transaction.atomic():
            return Group.objects.create(name=f"group {number % 3}").name

    answers = at_once([lambda number=number: write(number) for number in range(4)])  # type: ignore[misc]
    assert sum(isinstance(answer, DatabaseError) for answer in answers) == 1
    assert Group.objects.filter(name__startswith="group ").count() == 3


def test_a_clone_is_where_new_connections_lead(cloned_database: str) -> None:
    assert cloned_database.endswith(str(connections["default"].settings_dict["NAME"]).rpartition("/")[2])


@dataclass
class FakeItem:
    """What the refusal looks at in a collected test."""

    fixturenames: list[str]
    mark: pytest.Mark | None = None
    nodeid: str = "tests/test_x.py::test_it_flushes"

    def get_closest_marker(self, name: str) -> pytest.Mark | None:
        return self.mark


@pytest.mark.parametrize(
    ("item", "complaint"),
    [
        (FakeItem(["transactional_db"]), "transactional_db would flush"),
        (FakeItem(["live_server"]), "live_server would flush"),
        (FakeItem([], pytest.mark.django_db(transaction=True).mark), "a django_db mark with arguments"),
        (FakeItem(["db", "cloned_database"]), "two databases"),
    ],
)
def test_a_test_that_would_flush_facts_is_refused(item: FakeItem, complaint: str) -> None:
    with pytest.raises(pytest.UsageError, match=complaint):
        refuse_flushing([cast(pytest.Item, item)])


def test_ordinary_tests_are_not_refused() -> None:
    plain = [
        FakeItem([]),
        FakeItem(["db"]),
        FakeItem(["cloned_database"]),
        FakeItem([], pytest.mark.django_db.mark),
    ]
    refuse_flushing(cast(list[pytest.Item], plain))


def test_waiting_returns_the_first_true_answer_or_says_what_never_came() -> None:
    answers = iter([0, "", "yes"])
    assert wait_for(lambda: next(answers), timeout=5) == "yes"
    with pytest.raises(AssertionError, match=r"not within 0\.05 s: the moon"):
        wait_for(lambda: None, timeout=0.05, what="the moon")


def test_redis_is_down_unless_a_test_asks_for_it() -> None:
    port = urlsplit(settings.CELERY_BROKER_URL).port or 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_has_a_real_and_empty_broker(turn: str, valkey: str) -> None:
    assert valkey == settings.CELERY_BROKER_URL
    with redis.Redis.from_url(valkey) as client:
        assert client.dbsize() == 0
        app.send_task("nobody.takes.this")
        assert client.llen("celery") == 1


def test_the_web_server_answers_from_its_own_process(web_process: WebProcess) -> None:
    with urllib.request.urlopen(f"{web_process.url}/admin/login/", timeout=30) as page:
        assert page.status == 200
    assert web_process.process.is_running()
    web_process.process.stop()
    assert not web_process.process.is_running()


def test_a_worker_takes_tasks_from_the_broker(worker_process: ManagedProcess) -> None:
    answers = wait_for(lambda: app.control.ping(timeout=2), timeout=20, what="a worker's answer")
    assert [list(answer.values()) for answer in answers] == [[{"ok": "pong"}]]


def test_the_scheduler_starts(beat_process: ManagedProcess) -> None:
    assert beat_process.is_running()


def test_a_process_that_dies_is_reported_with_its_words(tmp_path: Path) -> None:
    program = [sys.executable, "-c", "print('the disk is full'); raise SystemExit(3)"]
    process = ManagedProcess("writer", program, child_environment(), tmp_path / "log")
    with pytest.raises(AssertionError, match="writer ended with 3:\nthe disk is full"):
        process.wait_for_line("ready")


def test_killing_a_process_ends_what_it_started(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys, time;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('child', child.pid, flush=True); time.sleep(60)"
    )
    process = ManagedProcess("parent", [sys.executable, "-c", program], child_environment(), tmp_path / "log")
    child = psutil.Process(int(process.wait_for_line(r"child (\d+)")[1]))
    process.kill()
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, what="the child's end")
    assert not process.is_running()


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_browser_speaks_its_owners_language_and_reaches_only_this_machine(
    language: str, desk_processes: Desk, browsers: BrowserFactory, screenshot: Callable[[Chrome, str], Path]
) -> None:
    web, browser = desk_processes.start_web(), browsers(language)
    browser.get(f"{web.url}/admin/login/")
    assert browser.execute_script("return navigator.language") == language
    assert browser.find_element("name", "username").is_displayed()
    assert screenshot(browser, f"login-{language}").stat().st_size > 1_000
    with pytest.raises(WebDriverException, match="ERR_NAME_NOT_RESOLVED"):
        browser.get("http://example.com/")
