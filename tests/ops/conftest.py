from datetime import UTC, datetime, timedelta

import pytest

from mia_site.ops import alert_texts, alerts, delivery

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
def _empty_buffers(quiet_background: None) -> None:
    """Each test here starts and ends with nothing buffered (tests/stillness.py)."""


@pytest.fixture(autouse=True)
def alert_texts_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences that a test registers are gone after it: other tests compare all there are with the documents."""
    monkeypatch.setattr(alert_texts, "_texts", dict(alert_texts._texts))
