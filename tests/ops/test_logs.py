"""Logs: one JSON object a line, the request's id on each."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from mia_site.ops import logs


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What a logger of the test's own writes."""
    text = io.StringIO()
    logger = logging.getLogger("test_logs")
    handler = logging.StreamHandler(text)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**logs._formatter(console=False)))
    logger.addHandler(handler)
    logger.setLevel("INFO")
    logger.propagate = False
    yield text
    logger.removeHandler(handler)


def test_our_own_and_a_librarys_lines_have_the_same_form(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1"):
        structlog.get_logger("test_logs").info("saved", rows=3)
        logging.getLogger("test_logs").warning("slow %s", "query", extra={"seconds": 2})
    ours, theirs = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (ours["event"], ours["rows"], ours["level"], ours["request_id"]) == ("saved", 3, "info", "r-1")
    assert (theirs["event"], theirs["seconds"], theirs["request_id"]) == ("slow query", 2, "r-1")


def test_an_exception_is_one_line(stream: io.StringIO) -> None:
    try:
        int("broken")
    except ValueError:
        structlog.get_logger("test_logs").exception("failed")
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["exception"].endswith("'broken'")


def test_nothing_is_written_below_the_level() -> None:
    config = logs.logging_config("WARNING", "json")
    assert config["root"]["level"] == "WARNING"
