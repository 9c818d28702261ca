from collections.abc import Iterator

import pytest
from pytest_django import Settings

from mia_site.ops import alerts, timings


@pytest.fixture(autouse=True)
def quiet_background(settings: Settings) -> Iterator[None]:
    """No thread writes behind a test's transaction; what a test left buffered ends with it."""
    settings.MIA_TIMINGS_BACKGROUND = False
    timings.writer.clear()
    alerts.outside.clear()
    yield
    timings.writer.clear()
    alerts.outside.clear()
