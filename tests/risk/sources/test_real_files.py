"""The real MIA files: each is recognised and read whole. Skipped where they are not beside the repository."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from risk.rules.limits import limits_parse
from risk.sources.parse import parse
from risk.sources.records import (
    ClusterRecord,
    DecisionRecord,
    Kind,
    LimitsRecord,
    Parsed,
    Record,
    SourceError,
)
from tests.risk.sources.test_hostile_files import assert_sound

CHICAGO = ZoneInfo("America/Chicago")
FILES = {
    "decision_log_legacy.csv": (Kind.DECISION_LOG, 1),
    "feature_importance.csv": (Kind.FEATURE_IMPORTANCE, 150),
    "macro_events.csv": (Kind.MACRO_EVENTS, 86),
    "market_config.yaml": (Kind.MARKET_CONFIG, 1),
    "market_memory.db": (Kind.MARKET_MEMORY, 40),
    "signals_20250821_first300.jsonl": (Kind.SIGNALS, 300),
    "signals_20250822.jsonl": (Kind.SIGNALS, 158),
    "trades_2025-06-30.jsonl": (Kind.TRADES, 30),
    "trades_20250627.json": (Kind.TRADES, 100),
    "trading_snapshots.db": (Kind.TRADING_SNAPSHOTS, 46),
}


def real(folder: Path, name: str) -> Parsed[Record]:
    path = folder / name
    if not path.is_file():
        pytest.skip(f"{name} is not among the real files")
    return parse(name, path.read_bytes(), zone=CHICAGO)


@pytest.mark.parametrize("name", FILES)
def test_a_real_file_is_read_whole(shared_data: Path, name: str) -> None:
    parsed = real(shared_data, name)
    assert (parsed.kind, len(parsed.records), parsed.errors) == (*FILES[name], ())
    assert parsed.read == len(parsed.records)
    for record in parsed.records:
        assert_sound(record)


def test_the_schema_that_is_named_like_a_database_is_refused(shared_data: Path) -> None:
    name = "market_memory_not_a_database.db"
    with pytest.raises(SourceError) as caught:
        real(shared_data, name)
    assert str(caught.value).startswith(f"{name} is not an SQLite database: it begins with text (```sql)")


def test_the_real_configuration_makes_a_limits_document(shared_data: Path) -> None:
    (record,) = real(shared_data, "market_config.yaml").records
    assert isinstance(record, LimitsRecord)
    limits = limits_parse(record.values)
    assert limits.drawdown[0].allowance.value == Decimal("0.10")
    assert (limits.pace.max_openings_per_hour, limits.pace.min_interval_seconds) == (5, 300)
    assert (limits.blackout.minutes_before, limits.blackout.minutes_after) == (30, 30)
    assert limits.losses.max_per_trade == 50
    assert len(record.ignored) == 121


def test_each_real_snapshot_ends_where_the_next_begins(shared_data: Path) -> None:
    records = [
        record for record in real(shared_data, "trading_snapshots.db").records if isinstance(record, DecisionRecord)
    ]
    meeting = [
        first.outcome is not None and abs((first.outcome.closed_at - second.at).total_seconds()) < 1e-3
        for first, second in pairwise(records)
    ]
    assert len(meeting) == 45
    assert sum(meeting) > 40


def test_real_local_times_are_dated_by_the_zone(shared_data: Path) -> None:
    first = real(shared_data, "signals_20250821_first300.jsonl").records[0]
    assert isinstance(first, DecisionRecord)
    assert first.at == datetime(2025, 8, 21, 22, 22, 9, 641184, tzinfo=UTC)
    assert first.equity is None


def test_every_real_cluster_states_a_correlation(shared_data: Path) -> None:
    clusters = real(shared_data, "market_memory.db").records
    assert all(isinstance(cluster, ClusterRecord) and cluster.vix_es_correlation is not None for cluster in clusters)
