"""Run by an interpreter that has nautilus_trader: seconds of one question to its news filter, as JSON.

Arguments: how many events, the first (ISO 8601), the hours between two of them, and how many questions; they are spread
over the week in the middle, as those of the benchmark that starts this.
"""

import json
import sys
import time
from datetime import datetime, timedelta

import nautilus_trader
import pandas as pd  # type: ignore[import-untyped]
import pytz  # type: ignore[import-untyped]
from nautilus_trader.trading.filters import EconomicNewsEventFilter

ROUNDS = 5
UTC = pytz.utc
"""The only zone that it takes for UTC."""


def main() -> None:
    count, questions = int(sys.argv[1]), int(sys.argv[4])
    first, apart = datetime.fromisoformat(sys.argv[2]).astimezone(UTC), timedelta(hours=float(sys.argv[3]))
    starts = [first + apart * number for number in range(count)]
    frame = pd.DataFrame(
        {"Currency": "USD", "Impact": "HIGH", "Name": [f"Event {number}" for number in range(count)]},
        index=pd.DatetimeIndex(starts),
    )
    news = EconomicNewsEventFilter(["USD"], ["HIGH"], frame)
    moments = [starts[count // 2] + timedelta(days=7) / questions * number for number in range(questions)]
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for moment in moments:
            news.next_event(moment)
        taken.append(time.perf_counter() - began)
    json.dump({"version": nautilus_trader.__version__, "question": min(taken) / questions}, sys.stdout)


if __name__ == "__main__":
    main()
