"""`manage.py up` on a fresh machine: what a newcomer sees, what survives a kill, what stays behind (nothing)."""

import http.client
import os
import re
import secrets
import signal
import stat
import subprocess
import sys
import time
import urllib.parse

import psutil
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from tests.environment import ROOT
from tests.process.desk_up import DeskUp, gone
from tests.waiting import wait_for

CHILDREN = ("redis", "web", "worker", "beat")
LOGIN = r"first login +admin / (\S+)"


def _refused(desk: DeskUp) -> str:
    """What a start prints that must not come about."""
    process = desk.launch()
    assert process.wait(30) == 1
    return process.output()


# What a newcomer sees


def test_it_is_ready_and_shows_the_login_page(running_desk: DeskUp) -> None:
    assert running_desk.get("/readyz")[0] == 200
    assert running_desk.get("/healthz")[2] == "ok\n"
    status, _, page = running_desk.get("/admin/login/")
    assert status == 200
    assert 'name="password"' in page


def test_the_whole_desk_gives_signs_of_life(running_desk: DeskUp) -> None:
    running_desk.wait_until_whole()
    assert {"database", "schema", "disk", "broker", "worker", "beat"} <= set(running_desk.health()["checks"])


def test_pages_may_load_nothing_from_elsewhere(running_desk: DeskUp) -> None:
    for path in ("/admin/login/", "/api/docs/", "/nowhere"):
        policy = running_desk.get(path)[1]["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert not re.search(r"https?:|//|\*", policy), policy
        scripts = re.search(r"script-src ([^;]*)", policy)
        assert scripts is not None and "'unsafe-inline'" not in scripts[1]


def test_the_first_login_works_and_no_file_holds_the_password(running_desk: DeskUp) -> None:
    printed = re.findall(LOGIN, running_desk.running.output())
    assert len(printed) == 1
    status, headers, _ = running_desk.get("/admin/login/")
    assert status == 200
    token = re.search(r"csrftoken=([^;]+)", headers["Set-Cookie"])
    assert token is not None
    form = {"username": "admin", "password": printed[0], "csrfmiddlewaretoken": token[1], "next": "/admin/"}
    connection = http.client.HTTPConnection("127.0.0.1", running_desk.port, timeout=10)
    connection.request(
        "POST",
        "/admin/login/",
        urllib.parse.urlencode(form),
        {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token[1]}"},
    )
    response = connection.getresponse()
    response.read()
    connection.close()
    assert (response.status, response.headers["Location"]) == (302, "/admin/")
    for path in running_desk.data_dir.rglob("*"):
        if path.is_file():
            assert printed[0].encode() not in path.read_bytes(), f"{path} holds the password"


def test_only_its_owner_can_read_the_data(running_desk: DeskUp) -> None:
    files = [path for path in (running_desk.data_dir / "secrets").iterdir() if path.is_file()]
    assert {"django", "redis", "redis_url"} <= {path.name for path in files}
    for path in running_desk.data_dir.rglob("*"):
        if path.is_file():
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_broker_wants_a_password_that_no_command_line_shows(running_desk: DeskUp) -> None:
    password = (running_desk.data_dir / "secrets" / "redis").read_text()
    for process in running_desk.family():
        assert password not in " ".join(process.cmdline())
    port = int(re.findall(r"(?m)^port (\d+)$", _server_config(running_desk))[0])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.connect()
    assert connection.sock is not None
    connection.sock.sendall(b"PING\r\n")
    assert b"NOAUTH" in connection.sock.recv(100)
    connection.close()


def _server_config(desk: DeskUp) -> str:
    return (desk.data_dir / "redis" / "server.conf").read_text()


def test_a_second_desk_on_the_same_data_refuses(running_desk: DeskUp, desk_up: DeskUp) -> None:
    desk_up.data_dir = running_desk.data_dir
    output = _refused(desk_up)
    assert f"Another desk (process {running_desk.running.pid}) runs on {running_desk.data_dir}" in output
    assert "Traceback" not in output


def test_a_taken_port_is_named(running_desk: DeskUp, desk_up: DeskUp) -> None:
    desk_up.port = running_desk.port
    output = _refused(desk_up)
    assert f"Port {running_desk.port} on 127.0.0.1 is in use" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(CommandError, match=f"{port} is no port; expected 1 to 65535"):
        call_command("up", f"--port={port}")


def test_metrics_add_up_over_processes_and_name_no_stranger_paths(running_desk: DeskUp) -> None:
    running_desk.wait_until_whole()
    running_desk.get("/no/such/page/3f8a")
    status, _, text = running_desk.get("/metrics")
    assert status == 200
    assert re.search(r'mia_http_requests_total\{method="GET",route="none",status="404"\} [1-9]', text)
    assert 'mia_pulse_age_seconds{process="worker"}' in text
    assert "3f8a" not in text


# What survives a kill


@pytest.mark.parametrize("name", CHILDREN)
def test_a_killed_child_comes_back(running_desk: DeskUp, name: str) -> None:
    running_desk.wait_until_whole()
    before = running_desk.pid(name)
    victim = psutil.Process(before)
    family = [victim, *victim.children(recursive=True)]
    alerts = _alerts(running_desk)
    victim.kill()
    wait_for(lambda: running_desk.pid(name) != before, what=f"{name} to be restarted")
    wait_for(lambda: gone(family), what=f"everything of the old {name} to be gone")
    back = time.perf_counter()
    wait_for(lambda: _pulses_are_new(running_desk, back), what="new signs of life of worker and beat")
    running_desk.wait_until_whole()
    wait_for(lambda: _alerts(running_desk) > alerts, what="an alert")
    assert running_desk.get("/admin/login/")[0] == 200
    assert re.search(rf"{name} +died +pid {before}, SIGKILL; again in \d+ s", running_desk.running.output())


def _alerts(desk: DeskUp) -> int:
    """How often it was told that a process died (the same within minutes counts up one row)."""
    ((count,),) = desk.query("SELECT count(*) + coalesce(sum(repeats), 0) FROM ops_alert WHERE code = 'process_died'")
    return int(count)


def _pulses_are_new(desk: DeskUp, since: float) -> bool:
    """Beat and worker gave a sign of life after `since` (perf_counter)."""
    ages = re.findall(r'mia_pulse_age_seconds\{process="\w+"\} (\S+)', desk.get("/metrics")[2])
    passed = time.perf_counter() - since
    return len(ages) == 2 and all(float(age) < passed for age in ages)


# What stays behind: nothing


def test_ctrl_c_ends_everything_and_the_next_start_is_quick_and_quiet(desk_up: DeskUp) -> None:
    desk_up.start()
    family = desk_up.family()
    assert len(family) >= 7  # supervisor, broker, web master and two, worker and two, beat
    started = time.perf_counter()
    desk_up.stop(signal.SIGINT)
    assert time.perf_counter() - started < 10
    assert gone(family)
    with pytest.raises(OSError, match="refused"):
        desk_up.get("/readyz")

    again = desk_up.start()
    assert _processor_seconds(desk_up) < 15
    assert not re.search(LOGIN, again.output())
    assert "migrating" not in again.output()
    family = desk_up.family()
    desk_up.stop(signal.SIGTERM)
    assert gone(family)


def _processor_seconds(desk: DeskUp) -> float:
    """What a start has cost: on an idle machine it cannot have lasted longer, on a busy one the clock says nothing."""
    return sum(sum(process.cpu_times()[:2]) for process in desk.family())


def test_a_desk_that_is_killed_leaves_no_process_and_can_start_again(desk_up: DeskUp) -> None:
    process = desk_up.start()
    family = desk_up.family()
    psutil.Process(process.pid).kill()
    wait_for(lambda: gone(family), what="every child to end with its supervisor")
    process.wait()
    heard = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # what the desk inherits, also where the tests run under nohup
    desk_up.start()
    signal.signal(signal.SIGHUP, heard)
    family = desk_up.family()
    desk_up.stop(signal.SIGHUP)
    assert gone(family)


def test_a_child_that_does_not_listen_is_killed_in_time(desk_up: DeskUp) -> None:
    desk_up.start()
    family = desk_up.family()
    psutil.Process(desk_up.pid("worker")).suspend()  # hears no SIGTERM
    started = time.perf_counter()
    desk_up.stop(signal.SIGINT)
    assert time.perf_counter() - started < 10
    assert gone(family)


def test_a_second_ctrl_c_ends_at_once(desk_up: DeskUp) -> None:
    process = desk_up.start()
    family = desk_up.family()
    psutil.Process(desk_up.pid("web")).suspend()
    os.kill(process.pid, signal.SIGINT)
    process.wait_for_line(r"desk +stopping")
    asked = time.perf_counter()
    wait_for(lambda: time.perf_counter() - asked > 1.2, 3)  # sooner, it is the same key press
    os.kill(process.pid, signal.SIGINT)
    process.wait()
    assert gone(family)
    assert "again: at once" in process.output()
    # Asked once, the desk would wait for the web server, and then ask Redis to end.
    assert re.search(r"redis +stopped +pid \d+, SIGKILL", process.output())


# The database it finds


def test_a_newer_schema_is_refused_and_left_alone(desk_up: DeskUp) -> None:
    _migrated(desk_up)
    desk_up.query("INSERT INTO django_migrations (app, name, applied) VALUES ('risk', '9999_later', datetime())")
    before = (desk_up.data_dir / "mia.sqlite3").read_bytes()
    output = _refused(desk_up)
    assert "written by a newer release (it has risk.9999_later" in output
    assert "Traceback" not in output
    assert (desk_up.data_dir / "mia.sqlite3").read_bytes() == before
    assert not list((desk_up.data_dir / "backups").iterdir())


def test_an_older_schema_is_copied_before_it_is_migrated_and_five_copies_are_kept(desk_up: DeskUp) -> None:
    _migrated(desk_up)
    _manage(desk_up, "migrate", "sessions", "zero")
    backups = desk_up.data_dir / "backups"
    backups.mkdir()
    for day in range(1, 7):
        (backups / f"before-migrate-2020010{day}T000000000000Z.sqlite3").touch()
    process = desk_up.start()
    assert re.search(r"database +copied", process.output())
    kept = sorted(backups.iterdir())
    assert len(kept) == 5
    assert "before-migrate-20200102" not in kept[0].name
    assert desk_up.query("SELECT count(*) FROM django_migrations WHERE app = 'sessions'") == [(1,)]
    copy = DeskUp(desk_up.folder / "copy")
    copy.data_dir.mkdir(parents=True)
    kept[-1].rename(copy.data_dir / "mia.sqlite3")
    assert copy.query("SELECT count(*) FROM django_migrations WHERE app = 'sessions'") == [(0,)]


def test_a_dropped_trigger_is_put_back_and_told(desk_up: DeskUp) -> None:
    _migrated(desk_up)
    desk_up.query('DROP TRIGGER "audit_entry_no_update"')
    process = desk_up.start()
    assert re.search(r"triggers +were missing and are back: audit_entry_no_update", process.output())
    assert desk_up.query("SELECT count(*) FROM sqlite_master WHERE name = 'audit_entry_no_update'") == [(1,)]
    assert desk_up.query("SELECT priority FROM ops_alert WHERE code = 'triggers_missing'") == [(5,)]


def test_a_database_that_is_none_is_refused_with_a_sentence(desk_up: DeskUp) -> None:
    desk_up.data_dir.mkdir(parents=True)
    (desk_up.data_dir / "mia.sqlite3").write_text("trade notes, not a database " * 200)
    output = _refused(desk_up)
    assert "The database cannot be used: file is not a database" in output
    assert "Traceback" not in output


def test_other_servers_take_over_by_environment_alone(desk_up: DeskUp, cloned_database: str, valkey: str) -> None:
    desk_up.start(DATABASE_URL=cloned_database, REDIS_URL=valkey)
    desk_up.wait_until_whole()
    assert not re.search(r"redis +started", desk_up.running.output())
    assert not (desk_up.data_dir / "mia.sqlite3").exists()
    assert not (desk_up.data_dir / "secrets" / "redis_url").exists()
    family = desk_up.family()
    desk_up.stop()
    assert gone(family)


@pytest.mark.postgres
def test_an_owner_migrates_and_the_site_runs_with_fewer_rights(desk_up: DeskUp, cloned_database: str) -> None:
    name, password = f"site_{secrets.token_hex(4)}", secrets.token_hex(8)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
        cursor.execute("DROP TABLE django_session")
    place = urllib.parse.urlsplit(cloned_database)
    site = place._replace(netloc=f"{name}:{password}@{place.hostname}:{place.port}").geturl()
    try:
        process = desk_up.start(DATABASE_URL=site, DATABASE_OWNER_URL=cloned_database)
        assert re.search(r"migrating +1 migration\b", process.output())
        assert desk_up.get("/admin/login/")[0] == 200
        desk_up.wait_until_whole()
        with connection.cursor() as cursor:
            cursor.execute("SELECT tableowner = current_user FROM pg_tables WHERE tablename = 'django_session'")
            assert cursor.fetchone() == (True,)
            cursor.execute("SELECT has_table_privilege(%s, 'audit_entry', 'UPDATE')", [name])
            assert cursor.fetchone() == (False,)
    finally:
        desk_up.stop()
        with connection.cursor() as cursor:
            cursor.execute(f"DROP OWNED BY {name}")
            cursor.execute(f"DROP ROLE {name}")


def _manage(desk: DeskUp, *arguments: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    subprocess.run(command, env=desk.environment(), check=True, capture_output=True, timeout=60)


def _migrated(desk: DeskUp) -> None:
    """A desk's database, made without starting a desk."""
    _manage(desk, "migrate", "--no-input")
