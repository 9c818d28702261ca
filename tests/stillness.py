"""Fixtures that keep the world still: a clock that a test moves by hand, no thread that writes behind it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pytest_django import Settings

from mia_site.ops import alerts, timings

FOMC = datetime(2025, 5, 7, 18, 0, tzinfo=UTC)
"""A statement of the Federal Open Market Committee: 7 May 2025, 14:00 in New York."""


NOON = datetime(2025, 5, 13, 17, 0, tzinfo=UTC)
"""A Tuesday without statements: 12:00 in Chicago, 13:00 in New York."""
GATE_CLOCKS = (
    "decisions.decision_log", "decisions.decision_stream", "mia_site.audit.journal", "risk.calendar_import",
    "tests.decisions.bots",
)  # fmt: skip
RISK_CLOCKS = (
    "locking", "risk_controller", "scoped_stops", "trading_states", "readiness", "selectors.account_state",
    "desk_limits", "limits_steps", "resume_reviews",
)  # fmt: skip


class StillClock:
    """The database's clock as the services see it; a test moves `now` by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def fomc_clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """Stands still at the FOMC statement, for the macro calendar and the trade window filter."""
    still = StillClock(FOMC)
    monkeypatch.setattr("risk.calendar_import.database_now", still)
    monkeypatch.setattr("risk.calendar_sources.database_now", still)
    monkeypatch.setattr("risk.calendar_overrides.database_now", still)
    monkeypatch.setattr("risk.trade_window_filter.database_now", still)
    return still


@pytest.fixture
def desk_clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """Stands still at noon, for the services of accounts: equity, stops, limits, readiness."""
    still = StillClock(NOON)
    for module in RISK_CLOCKS:
        monkeypatch.setattr(f"risk.{module}.database_now", still)
    return still


@pytest.fixture
def gate_clock(desk_clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """Stands still at noon for the gate and the journal too."""
    for module in GATE_CLOCKS:
        monkeypatch.setattr(f"{module}.database_now", desk_clock)
    return desk_clock


@pytest.fixture
def quiet_background(settings: Settings) -> Iterator[None]:
    """No thread writes behind a test's transaction; what a test left buffered ends with it."""
    settings.MIA_TIMINGS_BACKGROUND = False
    timings.writer.clear()
    alerts.outside.clear()
    yield
    timings.writer.clear()
    alerts.outside.clear()
