"""The controller: what a check of every account costs, whether the gate slows down with the account's history, and how
freqtrade's MaxDrawdown compares, which reads all closed trades again each time.

`--freqtrade PYTHON` names an interpreter that has freqtrade installed; it is only measured, in a process of its own.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.bench.database import benchmark_database, rows_multiply
from tests.bench.table import Promise, median_of, show, verdict

PEER = Path(__file__).with_name("peers") / "freqtrade_max_drawdown.py"
TRADES = 10_000
ASKS = 40


def run(arguments: Sequence[str]) -> int:
    """Prints the figures and the promised ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench checks")
    parser.add_argument("--accounts", type=int, nargs="+", default=[1, 100, 10_000])
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the account with a long history")
    parser.add_argument("--freqtrade", metavar="PYTHON", help="an interpreter that has freqtrade")
    options = parser.parse_args(arguments)
    with benchmark_database() as server:
        print(f"server: {server}, fsync on")
        _checks(options.accounts)
        promises = [_gate(options.rows), *_peer(options.freqtrade)]
    return verdict(promises)


LIMITS: dict[str, Any] = {
    "drawdown": [
        {"name": "max_drawdown", "mode": "trailing_intraday", "allowance": {"of": "reference", "value": "0.05"}},
        {"name": "daily_loss", "mode": "daily", "allowance": {"of": "amount", "value": "2000"}},
    ],
    "pace": {"max_openings_per_hour": 100_000},
    "rules": {name: {"mode": "off", "reason": "a benchmark"} for name in ("features", "calendar", "checks")},
}
"""Under which each question is allowed: an allow writes the most."""


def _account(code: str) -> None:
    from mia_site.ops.clock import database_now
    from risk.equity import equity_record
    from risk.inputs import EquityInput
    from risk.risk_controller import account_open, limits_submit
    from tests.factories import FACTORY

    account_open(code, initial_balance=Decimal(100_000), actor=FACTORY)
    limits_submit(code, LIMITS, actor=FACTORY, reason="a benchmark")
    point = EquityInput(at=database_now(), equity=Decimal(100_000))
    equity_record(account=code, points=[point], actor=FACTORY)


def _checks(counts: Sequence[int]) -> None:
    """check_drawdown over so many accounts that report, none of which needs a write."""
    from risk.models import Account, AccountState
    from risk.risk_controller import drawdown_check

    _account("ES-0")
    model = AccountState.objects.get(account__code="ES-0")
    rows = []
    for count in sorted(counts):
        known = Account.objects.count()
        made = Account.objects.bulk_create(
            [Account(code=f"ES-{number}", initial_balance=100_000) for number in range(known, count)], batch_size=1_000
        )
        values = {field.attname: getattr(model, field.attname) for field in AccountState._meta.concrete_fields}
        AccountState.objects.bulk_create(
            [AccountState(**values | {"account_id": account.pk}) for account in made], batch_size=1_000
        )
        _fresh()
        drawdown_check()
        seconds = median_of(drawdown_check, calls=1, rounds=3)
        rows.append((f"{count:,}", f"{seconds * 1e3:,.1f}", f"{seconds / count * 1e6:,.0f}"))
    show(("check_drawdown over accounts", "ms", "us an account"), rows)


def _fresh() -> None:
    """All feeds are alive: nothing is to be alerted."""
    from django.db.models import F

    from mia_site.ops.clock import database_now
    from risk.models import AccountState

    AccountState.objects.update(equity_received_at=database_now() + timedelta(hours=1), snapshot_seq=F("equity_seq"))


def _gate(rows: int) -> Promise:
    """One question, judged and recorded, on an account with a short history and on one with a long one."""
    for code, count in (("ES-SHORT", 1_000), ("ES-LONG", rows)):
        _account(code)
        _history(code, count)
    _analyze()
    asked = {code: _asker(code) for code in ("ES-SHORT", "ES-LONG")}
    figures: dict[str, list[float]] = {code: [] for code in asked}
    for _ in range(5):
        for code, ask in asked.items():
            figures[code].append(median_of(ask, calls=ASKS, rounds=1))
    short, long = min(figures["ES-SHORT"]), min(figures["ES-LONG"])
    show(
        ("points and decisions on the account", "ms a decision"),
        [("1,000", f"{short * 1e3:.2f}"), (f"{rows:,}", f"{long * 1e3:.2f}")],
    )
    return Promise(f"gate with {rows:,} rows / with 1,000", long / short, 1.2)


def _asker(code: str) -> Callable[[], object]:
    from django.db import transaction

    from decisions.decision_log import decisions_write
    from decisions.inputs import DecisionInput, RegimeInput
    from mia_site.ops.clock import database_now
    from risk.inputs import EquityInput
    from tests.factories import FACTORY

    def ask() -> None:
        sent = DecisionInput(
            account=code, trade_id="T", decision="buy", signal_score=0.8, regime_probs=RegimeInput(), instrument="ES",
            quantity=Decimal(1), equity=EquityInput(at=database_now(), equity=Decimal(100_000)),
        )  # fmt: skip
        with transaction.atomic():
            written = decisions_write([sent], account=code, client=None, actor=FACTORY)
        assert written.answers[0].decision.verdict == "allow"

    return ask


def _history(code: str, count: int) -> None:
    """So many points, decisions and admissions of the last year, made inside the server from one of each."""
    from decisions.models import Decision
    from risk.models import Admission, EquityPoint

    _asker(code)()
    year = "now() - n * interval '1 year' / %(count)s"
    for model in (EquityPoint, Decision):
        rows_multiply(model, code, count, {"id": "gen_random_uuid()", "at": year, "recorded_at": year, "seq": "0"})
    newest = Decision.objects.filter(account__code=code).latest("seq")
    Admission.objects.get_or_create(
        id=newest.id, account=newest.account, seq=newest.seq, at=newest.at, effect="opens", instrument="ES"
    )
    rows_multiply(Admission, code, count, {"id": "gen_random_uuid()", "at": f"{year} - interval '1 hour'", "seq": "0"})


def _analyze() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


# freqtrade


def _peer(python: str | None) -> list[Promise]:
    """The same loss found by both: in memory against in memory, with the database against with the database."""
    memory, database = _in_memory(), _in_database()
    lines = [
        ("one more point in memory", f"{memory * 1e6:,.1f}"),
        ("the account read and measured", f"{database * 1e6:,.1f}"),
    ]
    if python is None:
        show(("drawdown after 10,000 trades", "us"), lines)
        print("freqtrade was not measured: `pip install freqtrade` elsewhere, and name that interpreter (--freqtrade)")
        return []
    told = json.loads(subprocess.run([python, str(PEER), str(TRADES)], check=True, stdout=subprocess.PIPE).stdout)
    lines += [
        (f"freqtrade {told['version']} MaxDrawdown in memory", f"{told['memory'] * 1e6:,.1f}"),
        (f"freqtrade {told['version']} MaxDrawdown on SQLite", f"{told['sqlite'] * 1e6:,.1f}"),
    ]
    show(("drawdown after 10,000 trades", "us"), lines)
    return [
        Promise("drawdown in memory / freqtrade's", memory / told["memory"], 0.01),
        Promise("drawdown with the database / freqtrade's on SQLite", database / told["sqlite"], 0.01),
    ]


def _in_memory() -> float:
    from risk.rules.drawdown import Point, mark_view
    from risk.rules.track import track_hear, track_start
    from tests.risk.rules.given import CHICAGO, drawdown_rule, limits

    rule, confirmation = drawdown_rule(), limits().confirmation
    start = datetime(2025, 1, 1, tzinfo=UTC)
    track = track_start(rule, Decimal(100_000), start)
    points = [
        Point(at=start + timedelta(minutes=number), equity=Decimal(100_000 + number % 7))
        for number in range(1, TRADES + 1)
    ]
    began = time.perf_counter()
    for point in points:
        track = track_hear(rule, track, point, CHICAGO, confirmation)
        mark_view(rule, track.mark)
    return (time.perf_counter() - began) / TRADES


def _in_database() -> float:
    from mia_site.ops.clock import database_now
    from risk.models import AccountState
    from risk.selectors.drawdown import drawdown_views
    from risk.selectors.limits import limits_of

    now = database_now()

    def measured() -> None:
        state = AccountState.objects.select_related("account", "limits").get(account__code="ES-LONG")
        limits = limits_of(state)
        assert limits is not None
        assert len(drawdown_views(state, limits, now)) == 2

    return median_of(measured, calls=50)
