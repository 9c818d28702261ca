"""Run by an interpreter that has freqtrade: seconds of one check of its MaxDrawdown, as JSON on standard output.

Once over trades in memory (as its backtests hold them) and once over the same trades in a SQLite file (as its live
runs do), its session emptied before each check, as it is between two iterations of its loop.
"""

import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import freqtrade
from freqtrade.persistence import LocalTrade, Trade
from freqtrade.persistence.models import init_db
from freqtrade.plugins.protections.max_drawdown_protection import MaxDrawdown

NOW = datetime(2025, 6, 1, tzinfo=UTC)
ROUNDS = 5


def trades(kind: type[Any], count: int) -> list[Any]:
    """So many closed trades, the newest a minute old, each won or lost a little."""
    made = []
    for number in range(count):
        closed = NOW - timedelta(minutes=number + 1)
        trade = kind(
            pair="ES/USD", exchange="binance", base_currency="ES", stake_currency="USD", stake_amount=100.0,
            amount=1.0, open_rate=100.0, fee_open=0.0, fee_close=0.0, open_date=closed - timedelta(minutes=1),
            is_open=False, leverage=1.0,
        )  # fmt: skip
        trade.close_date, trade.close_rate = closed, 100.0
        trade.close_profit, trade.close_profit_abs = 0.0001 * (number % 3 - 1), 0.01 * (number % 3 - 1)
        made.append(trade)
    return made


def protection() -> Any:
    config = {"timeframe": "1m", "stake_currency": "USD", "dry_run": True}
    rule = {
        "method": "MaxDrawdown", "lookback_period": 1_000_000, "trade_limit": 1, "stop_duration": 60,
        "max_allowed_drawdown": 0.9, "calculation_mode": "equity",
    }  # fmt: skip
    return MaxDrawdown(config, rule)


def seconds(check: Any) -> float:
    """The fastest of several checks."""
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        check.global_stop(NOW, "long", 100_000.0)
        taken.append(time.perf_counter() - began)
        if Trade.use_db:
            Trade.session.expire_all()
            Trade.session.expunge_all()
    return min(taken)


def main() -> None:
    count = int(sys.argv[1])
    check = protection()
    Trade.use_db = LocalTrade.use_db = False
    LocalTrade.bt_trades = trades(LocalTrade, count)
    memory = seconds(check)
    Trade.use_db = LocalTrade.use_db = True
    with tempfile.TemporaryDirectory() as folder:
        init_db(f"sqlite:///{folder}/trades.sqlite")
        Trade.session.add_all(trades(Trade, count))
        Trade.commit()
        Trade.session.expunge_all()
        sqlite = seconds(check)
    json.dump({"version": freqtrade.__version__, "memory": memory, "sqlite": sqlite}, sys.stdout)


if __name__ == "__main__":
    main()
