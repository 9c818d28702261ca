from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import Settings

from mia_site.ops import alerts, delivery, timings

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clock:
    """The database's clock as alerts see it: stands still until it is moved, on SQLite and on PostgreSQL."""

    def __init__(self) -> None:
        self.now = NINE

    def __call__(self) -> datetime:
        return self.now

    def shift(self, by: timedelta) -> None:
        self.now += by


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    told = Clock()
    for module in (alerts, delivery):
        monkeypatch.setattr(module, "database_now", told)
    return told


@pytest.fixture(autouse=True)
def quiet_background(settings: Settings) -> Iterator[None]:
    """No thread writes behind a test's transaction; what a test left buffered ends with it."""
    settings.MIA_TIMINGS_BACKGROUND = False
    timings.writer.clear()
    alerts.outside.clear()
    yield
    timings.writer.clear()
    alerts.outside.clear()
