"""The suite runs on SQLite and beside it, in a child process, on a PostgreSQL that the first run starts.

At the same time, because most of a run is one process's work and half the machine would wait; the child's output
goes to a file and is printed after the first run's summary, so that the two never mix.
"""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

import pytest

from tests.environment import CHILD, is_child
from tests.servers.postgres import NoPostgreSQL, postgresql

SQLITE, POSTGRESQL, BOTH = "sqlite", "postgresql", "both"
FINISHED = {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--db",
        choices=[SQLITE, POSTGRESQL, BOTH],
        help="which database the suite runs on (default: both, or the one that DATABASE_URL names)",
    )


def chosen(config: pytest.Config) -> str | None:
    """The databases to run the suite on; None if DATABASE_URL has decided, as it has in the child."""
    asked: str | None = config.getoption("--db")
    if is_child():
        return None
    if os.environ.get("DATABASE_URL"):
        if asked:
            raise pytest.UsageError("--db and DATABASE_URL: give one of them")
        return None
    return asked or BOTH


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """PostgreSQL alone: this process only starts the server, and the child does the work."""
    if config.option.help or config.option.version or chosen(config) != POSTGRESQL:
        return None
    try:
        with second_run(config, output=None) as child:
            return child.wait()
    except NoPostgreSQL as error:
        return not_run(error, required=True)


class Beside:
    """The child of a run on both databases, from the first test to the end of its own output."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.output: IO[bytes] | None = None
        self.child: subprocess.Popen[bytes] | None = None
        self.missing: NoPostgreSQL | None = None

    def start(self, config: pytest.Config) -> None:
        output = tempfile.TemporaryFile()  # noqa: SIM115 - the stack closes it, after the child has ended
        self.output = self.stack.enter_context(output)
        try:
            self.child = self.stack.enter_context(second_run(config, output=output))
        except NoPostgreSQL as error:
            self.missing = error

    def finish(self) -> int:
        """Prints what the child has said so far and goes on to say; returns its exit status."""
        if self.missing:
            return not_run(self.missing, required=os.environ.get("REQUIRE_POSTGRESQL") == "1")
        if self.child is None or self.output is None:
            return 0
        self.print_until_it_ends(self.child, self.output.fileno())
        return self.child.returncode

    @staticmethod
    def print_until_it_ends(child: subprocess.Popen[bytes], file: int) -> None:
        place, ended = 0, False
        while True:
            ended = child.poll() is not None
            while written := os.pread(file, 65_536, place):  # the child writes at the file's own offset
                sys.stdout.buffer.write(written)
                place += len(written)
            sys.stdout.buffer.flush()
            if ended:
                return
            with suppress(subprocess.TimeoutExpired):
                child.wait(0.5)


BESIDE = pytest.StashKey[Beside]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, bool | None, bool | None]:
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly or chosen(config) != BOTH:
        return (yield)
    if session.testsfailed:  # the collection has failed, and the loop will say so
        return (yield)
    beside = config.stash[BESIDE] = Beside()
    config.add_cleanup(beside.stack.close)
    beside.start(config)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """After the run on SQLite has printed its summary, what the one on PostgreSQL says; the worse result counts."""
    yield
    beside = session.config.stash.get(BESIDE, None)
    if beside is None or session.exitstatus not in FINISHED or session.shouldfail:  # shouldfail: -x has ended it
        return
    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        code = beside.finish()
    session.exitstatus = max(int(session.exitstatus), code)


@contextmanager
def second_run(config: pytest.Config, *, output: IO[bytes] | None) -> Iterator[subprocess.Popen[bytes]]:
    """Runs pytest with the same arguments on a PostgreSQL started for it; ends it if it outlives the block.

    Writes to `output`, or to this process's own. Raises NoPostgreSQL where there is no server to start.
    """
    arguments = [sys.executable, "-m", "pytest", *config.invocation_params.args]
    arguments += ["-o", "cache_dir=.pytest_cache/postgresql"]  # --lf of this run is not --lf of the first
    with postgresql() as url:
        environment = {**os.environ, "DATABASE_URL": url, CHILD: "1"}
        child = subprocess.Popen(
            arguments, env=environment, cwd=config.invocation_params.dir, stdout=output, stderr=output
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
                child.wait(60)


def not_run(error: NoPostgreSQL, *, required: bool) -> int:
    """Says what was not run; 1 if it was asked for (--db=postgresql, REQUIRE_POSTGRESQL=1), else 0."""
    sys.stderr.write(f"NOT RUN ON POSTGRESQL: {error}\n")
    return 1 if required else 0
