"""Readiness: 503 only while the gate cannot record."""

import sqlite3
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from mia_site.ops import health, heartbeat, registry
from mia_site.ops.append_only import fact_models
from mia_site.ops.registry import Health
from mia_site.ops.views import overall
from tests.environment import is_sqlite

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(health, "_schema_is_current", False)
    heartbeat.broker_forget()
    yield
    heartbeat.broker_forget()


def _check(name: str, *, ok: bool, essential: bool = False) -> Health:
    return Health(name, ok, essential, "" if ok else "trouble", 0.0)


def test_only_essential_trouble_means_not_ready() -> None:
    assert overall([_check("database", ok=True, essential=True), _check("worker", ok=True)]) == "ok"
    assert overall([_check("database", ok=True, essential=True), _check("worker", ok=False)]) == "degraded"
    assert overall([_check("database", ok=False, essential=True), _check("worker", ok=True)]) == "failed"


@pytest.mark.django_db
def test_without_broker_and_workers_the_desk_is_degraded_and_answers_200(client: Client) -> None:
    response = client.get("/readyz")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "degraded")
    assert not body["checks"]["broker"]["ok"] and not body["checks"]["worker"]["ok"]
    assert all(check["ok"] for check in body["checks"].values() if check["essential"])


@pytest.mark.django_db
def test_an_essential_check_that_raises_is_503_with_its_reason(client: Client) -> None:
    def fail() -> str:
        raise OSError("No space left on device")

    registry.health_register("test-disk", fail, essential=True)
    try:
        response = client.get("/readyz")
    finally:
        registry.unregister("test-disk")
    assert (response.status_code, response.json()["status"]) == (503, "failed")
    assert response.json()["checks"]["test-disk"]["detail"] == "OSError: No space left on device"


@pytest.mark.django_db
def test_healthz_looks_at_nothing(client: Client) -> None:
    assert client.get("/healthz").content == b"ok\n"
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.check_disk() == ""
    monkeypatch.setattr("mia_site.ops.health.shutil.disk_usage", lambda _: Usage(10**12, 10**12, 5 * 2**20))
    assert health.check_disk() == f"only 5 MB are free in {settings.DATA_DIR}"


@pytest.mark.django_db
def test_migrations_that_wait_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "schema_state", lambda _: SimpleNamespace(pending=["risk.0002_more"]))
    assert health.check_schema() == "1 migration is not applied"
    monkeypatch.undo()
    assert health.check_schema() == ""


@pytest.mark.django_db
def test_a_missing_trigger_is_told() -> None:
    assert health.check_triggers() == ""
    table = fact_models()[0]._meta.db_table
    name = f"{table}_no_update" if is_sqlite() else f"{table}_no_change"
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TRIGGER "{name}"' + ("" if is_sqlite() else f' ON "{table}"'))
    assert health.check_triggers() == f"append-only triggers are missing: {name}"


def test_a_database_that_somebody_else_holds_is_told_within_a_second(cloned_database: str) -> None:
    if not is_sqlite():
        pytest.skip("PostgreSQL has no lock of the whole database")
    assert health.check_database() == ""
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
        other.execute("BEGIN IMMEDIATE")
        assert health.check_database() == "database is locked"
        other.rollback()
    assert health.check_database() == ""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)


def test_a_database_that_only_reads_is_told(cloned_database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = ON" if is_sqlite() else "SET default_transaction_read_only = on")
    assert ("readonly" if is_sqlite() else "read-only") in health.check_database()
    connection.close()


def test_a_silent_worker_is_told_by_its_last_sign_of_life(valkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert health.check_broker() == ""
    assert health.check_worker() == "no sign of life yet"
    heartbeat.pulse()
    assert health.check_worker() == ""
    assert health.check_beat() == "no sign of life yet"
    now = time.time()
    monkeypatch.setattr("mia_site.ops.heartbeat.time.time", lambda: now + 60)
    assert health.check_worker() == "no sign of life for 60 s"
    assert health.pulse_ages() == {("worker",): pytest.approx(60, abs=1)}


def test_without_a_broker_nothing_is_claimed_about_the_worker() -> None:
    assert "the broker does not answer (ConnectionError)" in health.check_broker()
    assert health.check_worker() == "unknown while the broker does not answer"
