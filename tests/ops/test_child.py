"""One supervised process: its waits, its errors, its end."""

import signal
from pathlib import Path

import pytest

from mia_site.ops.supervisor.child import Child, Spec, ending, error_of


@pytest.fixture
def child(tmp_path: Path) -> Child:
    return Child(Spec("web", ("true",)), tmp_path, tmp_path)


def test_each_early_end_doubles_the_wait_up_to_half_a_minute(child: Child) -> None:
    waits = [child.restart_after(now=10.0) for _ in range(7)]
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert child.start_at == 40.0


def test_a_child_that_ran_for_a_minute_starts_again_after_a_second(child: Child) -> None:
    for _ in range(4):
        child.restart_after(now=10.0)
    assert child.restart_after(now=75.0) == 1.0


def test_an_error_in_our_own_form_is_shown_with_its_exception() -> None:
    line = b'{"event": "task failed", "level": "error", "exception": "Traceback\\n  x\\nValueError: 7"}'
    assert error_of(line) == "task failed ValueError: 7"


def test_an_alert_is_shown_with_its_sentence() -> None:
    line = b'{"event": "alert", "level": "error", "text": "ES-DEMO: trading is set to HALTED", "priority": 4}'
    assert error_of(line) == "alert ES-DEMO: trading is set to HALTED"


def test_an_error_of_several_lines_is_shown_on_one() -> None:
    line = b'{"event": "Cannot connect.\\nTrying again in 2.00 seconds... (1/None)\\n", "level": "error"}'
    assert error_of(line) == "Cannot connect. Trying again in 2.00 seconds... (1/None)"


@pytest.mark.parametrize("line", [b'{"event": "fine", "level": "info"}', b"12:M * Ready", b"{not json", b"[]", b""])
def test_other_output_stays_in_the_log(line: bytes) -> None:
    assert error_of(line) == ""


def test_the_same_error_again_is_told_once_a_minute(child: Child) -> None:
    assert child.is_news("broker gone", now=0.0)
    assert not child.is_news("broker gone", now=30.0)
    assert child.is_news("disk full", now=31.0)
    assert child.is_news("broker gone", now=32.0)
    assert child.is_news("broker gone", now=93.0)


def test_an_end_is_named_as_people_name_it() -> None:
    assert ending(3) == "exit 3"
    assert ending(-signal.SIGKILL) == "SIGKILL"
    assert ending(-99) == "signal 99"
