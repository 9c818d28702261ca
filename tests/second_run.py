"""The suite runs on SQLite and then, in a child process, on a PostgreSQL that the first run starts."""

import os
import subprocess
import sys
from collections.abc import Generator

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
    return run_child(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None]:
    """After the run on SQLite has printed its summary, the one on PostgreSQL; the worse result counts."""
    yield
    config = session.config
    if hasattr(config, "workerinput") or config.option.collectonly or chosen(config) != BOTH:
        return
    if session.exitstatus not in FINISHED or session.shouldfail:  # shouldfail: -x or --maxfail has ended it
        return
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        code = run_child(config)
    session.exitstatus = max(int(session.exitstatus), code)


def run_child(config: pytest.Config) -> int:
    """Runs pytest with the same arguments on a PostgreSQL started for it; returns its exit status.

    Where there is no server to start: 1 if it was asked for (--db=postgresql, REQUIRE_POSTGRESQL=1), else 0
    with a line that says what was not run.
    """
    arguments = [sys.executable, "-m", "pytest", *config.invocation_params.args]
    arguments += ["-o", "cache_dir=.pytest_cache/postgresql"]  # --lf of this run is not --lf of the first
    try:
        with postgresql() as url:
            environment = {**os.environ, "DATABASE_URL": url, CHILD: "1"}
            folder = config.invocation_params.dir
            return subprocess.run(arguments, env=environment, cwd=folder, check=False).returncode
    except NoPostgreSQL as error:
        sys.stderr.write(f"NOT RUN ON POSTGRESQL: {error}\n")
        required = os.environ.get("REQUIRE_POSTGRESQL") == "1" or chosen(config) == POSTGRESQL
        return 1 if required else 0
