"""One desk per data directory, one per port."""

import socket
from pathlib import Path

import pytest

from mia_site.ops.supervisor import lock
from mia_site.ops.supervisor.lock import Refused, data_dir_lock, listener_open


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PREDECESSOR_SECONDS", 0.0)


def test_a_second_holder_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    (tmp_path / "up.lock").write_text("4321\n")
    with data_dir_lock(tmp_path):
        holder = (tmp_path / "up.lock").read_text().strip()
        with pytest.raises(Refused, match=f"process {holder}"), data_dir_lock(tmp_path):
            pytest.fail("two desks on one data directory")


def test_the_lock_is_free_again_after_its_holder(tmp_path: Path) -> None:
    for _ in range(2):
        with data_dir_lock(tmp_path):
            assert (tmp_path / "up.lock").stat().st_mode & 0o077 == 0


def test_a_port_in_use_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Refused, match=f"Port {port} on 127.0.0.1 is in use"):
            listener_open("127.0.0.1", port)


def test_two_desks_that_start_at_once_cannot_both_have_a_port() -> None:
    first = listener_open("127.0.0.1", 0)
    with first, pytest.raises(Refused, match="in use"):
        listener_open("127.0.0.1", first.getsockname()[1])


def test_an_address_of_another_machine_is_refused_with_its_reason() -> None:
    with pytest.raises(Refused, match=r"Cannot listen on 192\.0\.2\.1 port 8000"):
        listener_open("192.0.2.1", 8000)


def test_an_address_that_is_none_is_refused_with_its_reason() -> None:
    with pytest.raises(Refused, match=r"Cannot listen on 127\.0\.0\.1:x port 8000"):
        listener_open("127.0.0.1:x", 8000)
