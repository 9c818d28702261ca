"""What the settings read, made safe before they are loaded: no test ever touches the desk's own data."""

import atexit
import os
import random
import shutil
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path

import django
from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = "mia_site.settings"
CHILD = "MIA_TEST_CHILD"
"""Set in the second run, the one on PostgreSQL, which its parent starts with a DATABASE_URL."""

PATIENCE_MS = 30_000
"""A machine that is busy with other tests changes no answer."""
DEADLINE_MS = 500
"""The desk's own, where no setting says otherwise."""


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on, below those that outgoing connections take."""
    for port in random.sample(range(20_000, 32_000), 50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("50 ports tried, each is taken")


def is_child() -> bool:
    return os.environ.get(CHILD) == "1"


def prepare() -> Path:
    """Points the settings at a fresh temporary data directory and at a Redis that no test has started yet.

    Returns the directory, which is removed when this process ends. Drops every other MIA_* variable, so that
    a developer's own configuration changes no result. DATABASE_URL stays: the suite runs on what it names.
    A bot waits `PATIENCE_MS` for its answer, here and in every process that a test starts; a test of the deadline
    sets one of its own.
    """
    for name in [name for name in os.environ if name.startswith("MIA_") and name != CHILD]:
        del os.environ[name]
    os.environ.pop("DATABASE_OWNER_URL", None)
    data_dir = Path(tempfile.mkdtemp(prefix="mia-tests-"))
    atexit.register(shutil.rmtree, data_dir, ignore_errors=True)
    (data_dir / "static").mkdir()
    os.environ["MIA_DEADLINE_MS"] = str(PATIENCE_MS)
    os.environ["MIA_DATA_DIR"] = str(data_dir)
    os.environ["REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    return data_dir


def set_django_up() -> None:
    """Loads the settings and the apps; leaves no variable that would load them too early in a second run.

    On SQLite the test database is a file, so that WAL, locks and synchronous=FULL are those of production.
    In the test's own process no thread writes beside it (mia_site/ops/background.py); in those it starts, one does.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    settings.MIA_TIMINGS_BACKGROUND = False
    if is_sqlite():
        settings.DATABASES["default"]["TEST"] = {"NAME": str(settings.DATA_DIR / "test.sqlite3")}
    settings.CELERY_BROKER_POOL_LIMIT = 0  # no connection outlives the broker of the test that made it
    django.setup()
    del os.environ["DJANGO_SETTINGS_MODULE"]


def is_sqlite() -> bool:
    """Whether this run is the one on SQLite; if not, it is on PostgreSQL."""
    return str(settings.DATABASES["default"]["ENGINE"]).endswith("sqlite3")


def child_environment(**changes: str) -> Mapping[str, str]:
    """The environment of a process that a test starts: this one's, changed, without pytest's own marks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    kept.pop(CHILD, None)
    return {**kept, "DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONUNBUFFERED": "1", **changes}
