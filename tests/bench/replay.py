"""What-if: a year of minutes of one account, with ten decisions a day, under other limits, within a minute."""

import argparse
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.bench.database import benchmark_database, rows_multiply
from tests.bench.table import Promise, show, verdict

MINUTES = 525_600
EVERY = 144
"""Minutes between two decisions."""
CODE = "ES-YEAR"
YEAR = "now() + n * interval '{minutes} minutes'"
"""The year to come: each point is later than the one before, and than the first, which is of now."""
WAVES = "100000 + round((3000 * sin(n / 5000.0) + 600 * sin(n / 77.0) + 80 * sin(n * 1.7))::numeric, 2)"
DRAWDOWN: dict[str, Any] = {"mode": "trailing_intraday", "allowance": {"of": "reference", "value": "0.10"}}
LIMITS: dict[str, Any] = {
    "drawdown": [{"name": "max_drawdown", **DRAWDOWN}],
    "rules": {name: {"mode": "off", "reason": "a benchmark"} for name in ("features", "calendar", "checks", "equity")},
}
OTHER: dict[str, Any] = LIMITS | {
    "drawdown": [
        {"name": "max_drawdown", **DRAWDOWN, "allowance": {"of": "reference", "value": "0.06"}},
        {"name": "daily_loss", "mode": "daily", "allowance": {"of": "amount", "value": "2000"}},
    ]
}


def run(arguments: Sequence[str]) -> int:
    """Prints seconds and rows a second, and the promise."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench replay")
    parser.add_argument("--points", type=int, default=MINUTES)
    options = parser.parse_args(arguments)
    with benchmark_database() as server:
        print(f"server: {server}, fsync on")
        _year(options.points)
        rows, seconds, cpu, stops = _measured()
        figures = f"{rows:,}", f"{seconds:.1f}", f"{cpu:.1f}", f"{rows / seconds:,.0f}", stops
        show(
            ("replay of a year of minutes", "rows", "s", "of this process", "rows/s", "stops"),
            [("two rules beside one in force", *figures)],
        )
        return verdict([Promise("seconds / a minute", seconds / 60, 1.0)])


def _year(points: int) -> None:
    """The account's points and decisions, made inside the server from one of each."""
    from django.db import connection, transaction

    from decisions.decision_log import decisions_write
    from decisions.inputs import DecisionInput, RegimeInput
    from decisions.models import Decision
    from mia_site.ops.clock import database_now
    from risk.inputs import EquityInput
    from risk.models import AccountState, EquityPoint
    from risk.risk_controller import account_open, limits_submit
    from tests.factories import FACTORY

    account_open(CODE, initial_balance=Decimal(100_000), actor=FACTORY)
    limits_submit(CODE, LIMITS, actor=FACTORY, reason="a benchmark")
    sent = DecisionInput(
        account=CODE, trade_id="T", decision="buy", signal_score=0.8, regime_probs=RegimeInput(), instrument="ES",
        quantity=Decimal(1), equity=EquityInput(at=database_now(), equity=Decimal(100_000)),
    )  # fmt: skip
    with transaction.atomic():
        decisions_write([sent], account=CODE, client=None, actor=FACTORY)
    at = YEAR.format(minutes=1)
    told = {"id": "gen_random_uuid()", "at": at, "recorded_at": at, "seq": "10 + n", "equity": WAVES}
    rows_multiply(EquityPoint, CODE, points, told)
    at = YEAR.format(minutes=EVERY)
    asked = {"id": "gen_random_uuid()", "at": at, "recorded_at": at, "seq": f"10 + n * {EVERY}"}
    rows_multiply(Decision, CODE, points // EVERY, asked)
    AccountState.objects.filter(account__code=CODE).update(seq=points + 100)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _measured() -> tuple[int, float, float, int]:
    """Rows read, seconds on the wall and of this process, stops that would have been."""
    from decisions.replay.run import Replay, course_open
    from risk.export import Period
    from risk.models import Account
    from risk.rules.limits import limits_parse

    account = Account.objects.get(code=CODE)
    began, busy = time.perf_counter(), time.process_time()
    course = course_open(account, Period())
    Replay(account, limits_parse(OTHER), course, sink=lambda _: None).run()
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    return course.checked, seconds, cpu, sum(change.by_limit for change in course.changes)
