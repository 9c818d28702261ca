"""Eight writers and a sealer at once, kill -9 in the middle: what was acknowledged is in the ledger, exactly once."""

import os
import re
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from mia_site.audit.models import Checkpoint, LedgerLeaf
from mia_site.audit.sealing import seal_pending
from tests.audit.ledgers import verify
from tests.servers.desk import Desk
from tests.servers.processes import ManagedProcess
from tests.waiting import PATIENCE, wait_for

SECONDS = float(os.environ.get("LEDGER_STORM_SECONDS") or 10)
"""How long they write; `LEDGER_STORM_SECONDS=60` for the long run."""
WRITERS = 8
ACKNOWLEDGED = re.compile(r"^([0-9a-f-]{36}) ([0-9a-f]{64})\n", re.MULTILINE)


def hand(what: str, place: int, desk: Desk, folder: Path) -> ManagedProcess:
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.process.ledger_hands", what]
    environment = {**desk.environment, "DJANGO_SETTINGS_MODULE": "mia_site.settings"}
    return ManagedProcess(f"{what} {place}", command, environment, folder / f"{what}-{place}.log")


@pytest.mark.postgres
def test_what_was_acknowledged_is_in_the_ledger_exactly_once(
    desk_processes: Desk, tmp_path: Path, settings: Settings
) -> None:
    settings.CHECKPOINTS_DIR = desk_processes.data_dir / "checkpoints"
    folder = tmp_path / "hands"
    writers = [hand("write", place, desk_processes, folder) for place in range(WRITERS)]
    sealer = hand("seal", 0, desk_processes, folder)
    ends = time.monotonic() + SECONDS
    try:
        wait_for(LedgerLeaf.objects.exists)
        wait_for(lambda: time.monotonic() > ends - SECONDS / 2, timeout=SECONDS + PATIENCE)
        writers[0].kill()
        sealer.kill()
        sealed = LedgerLeaf.objects.count()
        sealer = hand("seal", 1, desk_processes, folder)
        wait_for(lambda: LedgerLeaf.objects.count() > sealed)
        wait_for(lambda: time.monotonic() > ends, timeout=SECONDS + PATIENCE)
    finally:
        for process in (*writers, sealer):
            process.kill()
    while seal_pending().count:
        pass

    told = [found for log in folder.glob("write-*.log") for found in ACKNOWLEDGED.findall(log.read_text())]
    rows = list(LedgerLeaf.objects.order_by("index").values_list("index", "entry_id", "leaf_hash"))
    placed = {str(entry_id): bytes(leaf).hex() for _index, entry_id, leaf in rows}
    assert len(told) > 1_000
    assert [index for index, _entry, _leaf in rows] == list(range(len(rows)))
    assert len(placed) == len(rows)
    assert all(placed[entry_id] == leaf for entry_id, leaf in told)
    assert Checkpoint.objects.latest("number").size == len(rows)
    assert verify(deep=True).findings == []
