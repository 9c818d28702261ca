"""A place outside the database for a test of the ledger: keys and published checkpoints of its own."""

from pathlib import Path

import pytest
from pytest_django import Settings

from mia_site.audit.clock_state import clock_mark_forget


@pytest.fixture
def outside(settings: Settings, tmp_path: Path) -> Path:
    """Where checkpoints are published; keys are new too."""
    settings.CHECKPOINTS_DIR = tmp_path / "checkpoints"
    settings.KEYS_DIR = tmp_path / "keys"
    settings.MIA_CHECKPOINT_SECONDS = 0
    clock_mark_forget()
    return tmp_path / "checkpoints"
