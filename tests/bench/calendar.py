"""The calendar: the next blackout among 1k and 100k events, beside the scan of a data frame and a database's query.

NautilusTrader's news filter (`EconomicNewsEventFilter.next_event`, Python) keeps a pandas frame of events with a time
index, filtered once by currency and impact; each look-up compares the whole index with the time asked, takes the rows
that are left and builds an event of the first. `--nautilus PYTHON` names an interpreter that has it installed; it is
only measured, in a process of its own. `FrameFilter` does these steps without the package's own checks, for where
nobody has it. Ours is `Schedule.next`, built once from the same events; the last column asks the database as the gate
does, by one query.
"""

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.bench.table import Promise, least_of, show, verdict

PEER = Path(__file__).with_name("peers") / "nautilus_news_filter.py"
START = datetime(2000, 1, 1, tzinfo=UTC)
APART = timedelta(hours=2)
SMALL, LARGE = 1_000, 100_000
MANY, FEW = 997, 97
"""Questions, spread over the events; few where each takes long."""


class FrameFilter:
    """The steps of a news filter over a data frame."""

    def __init__(self, starts: Sequence[datetime]) -> None:
        import pandas as pd  # type: ignore[import-untyped]

        frame = pd.DataFrame(
            {"Currency": "USD", "Impact": "HIGH", "Name": [f"Event {n}" for n in range(len(starts))]},
            index=pd.DatetimeIndex(starts),
        )
        self._frame = frame[frame["Currency"].isin(["USD"]) & frame["Impact"].isin(["HIGH"])]

    def next_event(self, now: datetime) -> tuple[str, str, str, int] | None:
        left = self._frame[self._frame.index >= now]
        if left.empty:
            return None
        row = left.iloc[0]
        return row["Impact"], row["Name"], row["Currency"], left.index[0].value


def run(arguments: Sequence[str]) -> int:
    """Measures; exit status 1 where a promised ratio does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench calendar")
    parser.add_argument("--nautilus", metavar="PYTHON", help="an interpreter that has nautilus_trader")
    options = parser.parse_args(arguments)
    _set_up()
    rows: list[tuple[object, ...]] = []
    ours, frame = {}, {}
    for count in (SMALL, LARGE):
        starts = [START + APART * number for number in range(count)]
        schedule, news = _schedule(starts), FrameFilter(starts)
        ours[count] = _per_question(schedule.next, starts, questions=MANY, calls=20)
        frame[count] = _per_question(news.next_event, starts, questions=FEW)
        wide = _per_question(schedule.next, starts, questions=MANY, calls=20, spread=True)
        rows.append((f"{count:,} events", *map(_us, (ours[count], wide, frame[count], _query(starts)))))
    show(("next blackout, us a question", "ours", "ours, all years", "data frame", "query (SQLite)"), rows)
    return verdict(
        [
            Promise("ours, 100k events over 1k", ours[LARGE] / ours[SMALL], 1.2),
            Promise("ours over the data frame, 100k events", ours[LARGE] / frame[LARGE], 0.1),
            Promise("ours over the data frame, 1k events", ours[SMALL] / frame[SMALL], 0.1),
            *_peer(options.nautilus, ours),
        ]
    )


def _peer(python: str | None, ours: Mapping[int, float]) -> list[Promise]:
    """The same questions to the package itself."""
    if python is None:
        print("NautilusTrader was not measured: `pip install nautilus_trader` elsewhere, and name that interpreter")
        return []
    promises, rows = [], []
    for count in (LARGE, SMALL):
        command = [python, str(PEER), str(count), START.isoformat(), str(APART / timedelta(hours=1)), str(FEW)]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        rows.append((f"NautilusTrader {told['version']}, {count:,} events", _us(told["question"])))
        promises.append(Promise(f"ours over NautilusTrader's, {count:,} events", ours[count] / told["question"], 0.1))
    show(("next event, us a question", "its news filter"), rows)
    return promises


def _set_up() -> None:
    """A database of its own in a temporary folder; nothing of a real desk is touched."""
    os.environ["MIA_DATA_DIR"] = tempfile.mkdtemp(prefix="mia-bench-")
    os.environ.pop("DATABASE_URL", None)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mia_site.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _per_question(
    ask: Any, starts: Sequence[datetime], *, questions: int, calls: int = 1, spread: bool = False
) -> float:
    """Seconds of one question, in the round that was disturbed least.

    The questions lie in the week in the middle of the calendar, as those of bots lie around now; `spread` asks about
    all of its years, where most of the time goes into memory that no cache holds.
    """
    middle = starts[len(starts) // 2]
    first, last = (starts[0], starts[-1]) if spread else (middle, middle + timedelta(days=7))
    moments = [first + (last - first) / questions * number for number in range(questions)]
    return least_of(lambda: [ask(moment) for moment in moments], calls=calls) / questions


def _schedule(starts: Sequence[datetime]) -> Any:
    from risk.rules.blackout import blackout_windows
    from risk.rules.facts import EventView
    from risk.rules.limits import BlackoutLimits
    from risk.rules.window_spans import Schedule, spans_of

    events = [
        EventView(event_id=str(n), event_type=f"Event {n}", start_at=at, impact=Decimal("0.9"), currency="USD")
        for n, at in enumerate(starts)
    ]
    return Schedule(spans_of(blackout_windows(events, BlackoutLimits(), "ES")))


def _query(starts: Sequence[datetime]) -> float:
    """The gate's own query and rule, on a table of these events."""
    from risk.calendar_import import event_key
    from risk.models import MacroEvent
    from risk.rules.blackout import next_window
    from risk.rules.limits import BlackoutLimits
    from risk.selectors.calendar import events_near

    MacroEvent.objects.all().delete()
    MacroEvent.objects.bulk_create(
        (
            MacroEvent(
                id=event_key("bench", str(n), "USD", at),
                event_type=str(n),
                start_at=at,
                source="bench",
                currency="USD",
                impact=Decimal("0.9"),
            )
            for n, at in enumerate(starts)
        ),
        batch_size=1_000,
    )
    limits = BlackoutLimits()
    return _per_question(lambda now: next_window(events_near(now, limits), now, limits, "ES"), starts, questions=FEW)


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}"
