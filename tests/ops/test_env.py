"""Settings from the environment: a wrong value stops the start with a sentence."""

import stat
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from mia_site import env


@pytest.mark.parametrize(("value", "meant"), [("1", True), ("on", True), ("No", False), ("0", False), ("", False)])
def test_a_flag_reads_the_usual_words(monkeypatch: pytest.MonkeyPatch, value: str, meant: bool) -> None:
    monkeypatch.setenv("MIA_FLAG", value)
    assert env.flag("MIA_FLAG") is meant


def test_a_flag_that_is_neither_yes_nor_no_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIA_FLAG", "maybe")
    with pytest.raises(ImproperlyConfigured, match="MIA_FLAG is 'maybe'; expected 1 or 0"):
        env.flag("MIA_FLAG")


def test_a_number_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIA_DAYS", "7 days")
    with pytest.raises(ImproperlyConfigured, match="MIA_DAYS is '7 days'; expected a whole number"):
        env.integer("MIA_DAYS", 1)


@pytest.mark.parametrize("value", ["49", "60001", "-1"])
def test_a_number_out_of_its_bounds_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MIA_DEADLINE_MS", value)
    with pytest.raises(ImproperlyConfigured, match=f"MIA_DEADLINE_MS is {value}; expected 50 to 60000"):
        env.integer("MIA_DEADLINE_MS", 500, least=50, most=60_000)


@pytest.mark.parametrize(("value", "least"), [("-1", 0), ("0", 1)])
def test_a_number_below_its_least_is_refused(monkeypatch: pytest.MonkeyPatch, value: str, least: int) -> None:
    monkeypatch.setenv("MIA_WEB_WORKERS", value)
    with pytest.raises(ImproperlyConfigured, match=f"MIA_WEB_WORKERS is {value}; expected {least} or more"):
        env.integer("MIA_WEB_WORKERS", 2, least=least)


def test_a_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "django"
    secret = env.secret_file(path)
    assert len(secret) >= 50
    assert env.secret_file(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [item.name for item in path.parent.iterdir()] == ["django"]


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    path, start, found = tmp_path / "django", threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        found.append(env.secret_file(path))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_secret_that_a_copy_opened_to_others_is_closed_again(tmp_path: Path) -> None:
    path = tmp_path / "django"
    secret = env.secret_file(path)
    path.chmod(0o644)
    assert env.secret_file(path) == secret
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "django").touch(0o600)
    with pytest.raises(ImproperlyConfigured, match="is empty"):
        env.secret_file(tmp_path / "django")
