"""Imports that really commit: at the same time, and killed in the middle."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from decisions.models import Decision
from risk.models import AccountState
from tests.decisions.mia_files import decision_log, import_mia, row
from tests.environment import ROOT, child_environment
from tests.factories import AccountFactory
from tests.threads import at_once
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("quiet_background")


def test_the_same_file_imported_twice_at_once_goes_in_once(cloned_database: str, tmp_path: Path) -> None:
    AccountFactory(code="ES-MAIN")
    path = decision_log(tmp_path, *(row(n) for n in range(600)))
    outputs = at_once([lambda: import_mia(path, "--account", "ES-MAIN")] * 2)
    assert all(isinstance(output, str) and "read 600" in output for output in outputs)
    assert Decision.objects.count() == 600
    seqs = sorted(Decision.objects.values_list("seq", flat=True))
    assert seqs == list(range(1, 601))
    assert AccountState.objects.get().seq == 600


def test_an_import_killed_in_the_middle_is_completed_by_the_next(cloned_database: str, tmp_path: Path) -> None:
    AccountFactory(code="ES-MAIN")
    path = decision_log(tmp_path, *(row(n % 3600, f"T{n}") for n in range(2_500)))
    command = [sys.executable, str(ROOT / "manage.py"), "import_mia", str(path), "--account", "ES-MAIN"]
    environment = child_environment(DATABASE_URL=cloned_database, MIA_DATA_DIR=os.environ["MIA_DATA_DIR"])
    connection.close()
    with subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL) as process:
        wait_for(Decision.objects.exists, what="a first step")
        process.send_signal(signal.SIGKILL)
    kept = Decision.objects.count()
    assert 0 < kept < 2_500
    assert AccountState.objects.get().seq == kept
    assert f"imported {2_500 - kept}, unchanged {kept}" in import_mia(path, "--account", "ES-MAIN")
    assert Decision.objects.values("trade_id").distinct().count() == Decision.objects.count() == 2_500
