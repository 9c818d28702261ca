"""What tests of the import and the export share: small MIA files, the commands, and a count of everything stored."""

import io
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from sqlite3 import connect
from typing import Any

from django.core.management import CommandError, call_command

from mia_site.audit.models import Entry
from mia_site.ops.append_only import fact_models
from risk.models import AccountState

DECISIONS = "timestamp,trade_id,decision,signal_score,regime_probs"
ZONE = "America/New_York"


def decision_log(folder: Path, *rows: str, name: str = "decision_log.csv") -> Path:
    """A decision log of the specification with these rows."""
    return text_file(folder / name, DECISIONS, *rows)


def text_file(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def row(second: int, trade: str = "T1", decision: str = "buy", score: str = "0.75", regimes: str = "") -> str:
    """A row of a decision log, on 13 May 2025 at 14:00:00 and so many seconds."""
    return f"2025-05-13 14:{second // 60:02d}:{second % 60:02d},{trade},{decision},{score},{regimes}"


def signal(second: int, **changes: Any) -> str:
    """A line of a signals file: what a bot saw, with the equity of its simulation."""
    document = {
        "timestamp": f"2025-08-21T17:22:{second:02d}.641184",
        "session_id": "20250821_172149",
        "bar_number": second,
        "data_source": "SIMULATION",
        "market_data": {"price": 6456.75},
        "orderflow_stats": {"equity": 254_380.25 + second},
        "signal_data": {"signal_type": "BUY", "confidence": 0.47, "reasoning": "OrderFlow bullish"},
        "multi_market_context": {"selected_market": "ES"},
    }
    return json.dumps(document | changes)


def trade(number: int, **changes: Any) -> str:
    """A line of a trades file: a trade that was closed with a loss of 2.5."""
    document = {
        "trade_id": f"trade_{number}",
        "timestamp": f"2025-06-30 07:18:{number:02d}+00:00",
        "symbol": "ES",
        "side": "LONG",
        "entry_price": 5900.25,
        "exit_price": 5900.0,
        "quantity": 1,
        "net_pnl": -2.5,
    }
    return json.dumps(document | changes)


def features_file(path: Path, shares: Sequence[float] = (), count: int = 150) -> Path:
    values = [*shares, *(0.5 for _ in range(count - len(shares)))]
    return text_file(path, "feature,shap_value", *(f"f{n:03d},{value}" for n, value in enumerate(values)))


def memory_file(path: Path, *clusters: tuple[str, Mapping[str, Any], str, float]) -> Path:
    """A market_memory.db with these clusters: type, features, time, confidence."""
    with closing(connect(path)) as database, database:
        database.execute(
            "CREATE TABLE clusters (cluster_id INTEGER PRIMARY KEY, event_type, features, timestamp, confidence)"
        )
        database.executemany(
            "INSERT INTO clusters (event_type, features, timestamp, confidence) VALUES (?, ?, ?, ?)",
            [(kind, json.dumps(features), at, confidence) for kind, features, at, confidence in clusters],
        )
    return path


def import_mia(path: Path, *arguments: str) -> str:
    """The command's output; an error it ends with is its last line."""
    return _output("import_mia", str(path), *arguments)


def export_mia(folder: Path, *arguments: str) -> str:
    return _output("export_mia", str(folder), *arguments)


def _output(*arguments: str) -> str:
    out = io.StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=out)
    except CommandError as error:
        out.write(f"CommandError: {error}\n")
    return out.getvalue()


def stored() -> dict[str, int]:
    """How many rows every table of facts and the journal have, and what the accounts' states are."""
    counts = {model._meta.label: model._default_manager.count() for model in fact_models()}
    states = [str(state) for state in AccountState.objects.order_by("pk").values_list()]
    return {**counts, Entry._meta.label: Entry.objects.count()} | dict.fromkeys(states, 1)
