"""SQLite files as bytes, written in memory for the tests."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing

CLUSTERS = (
    "CREATE TABLE clusters (cluster_id INTEGER PRIMARY KEY AUTOINCREMENT, event_type TEXT NOT NULL, "
    "features TEXT NOT NULL, timestamp DATETIME NOT NULL, confidence REAL DEFAULT 0.0)"
)
TRADE_SNAPSHOTS = (
    "CREATE TABLE trade_snapshots (trade_id TEXT PRIMARY KEY, timestamp TEXT, signal TEXT, entry_price REAL, "
    "exit_price REAL, pnl_points REAL, pnl_dollars REAL, duration_minutes REAL, confluence_score REAL, "
    "total_patterns_count INTEGER, trade_success BOOLEAN, snapshot_json TEXT)"
)


def database(*statements: str) -> bytes:
    """The file that `statements` make."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
        return connection.serialize()


def market_memory(rows: Iterable[tuple[object, ...]]) -> bytes:
    """A market memory with `rows` of (event_type, features, timestamp, confidence)."""
    return _filled(CLUSTERS, "clusters (event_type, features, timestamp, confidence)", list(rows))


def trading_snapshots(rows: Iterable[tuple[object, ...]]) -> bytes:
    """Trading snapshots with `rows` of all twelve columns."""
    return _filled(TRADE_SNAPSHOTS, "trade_snapshots", list(rows))


def _filled(table: str, target: str, rows: list[tuple[object, ...]]) -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.execute(table)
        for row in rows:
            connection.execute(f"INSERT INTO {target} VALUES ({', '.join('?' * len(row))})", row)
        return connection.serialize()
