"""Bots that ask at the same moment, as at the end of a minute: how long the last one waits, and who gets no answer.

A web server as in production (gunicorn, two processes) on either engine; the bots run on the same machine. One bot
alone, one after the other; then sixteen at once, each on an account of its own, and all on one account, whose decisions
have an order and are made one at a time.
"""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.database import durable_server
from tests.bench.table import Promise, show, verdict
from tests.environment import ROOT, free_port
from tests.servers.web import start_web

ALONE = 40
ROUNDS = 5


@dataclass(frozen=True)
class Bot:
    """One client, over a connection of its own that it keeps."""

    connection: http.client.HTTPConnection
    account: str
    token: str

    def ask(self) -> tuple[int, float]:
        """(status, seconds) of one question."""
        body = {
            "account": self.account, "trade_id": f"T{time.time_ns()}", "decision": "buy", "side": "buy", "quantity": 1,
            "instrument": "ES", "signal_score": 0.72, "regime_probs": {"range": 0.2, "trend": 0.7, "defensive": 0.1},
            "equity": {"at": datetime.now(UTC).isoformat(), "equity": 100_000, "positions": []},
        }  # fmt: skip
        headers = {"Authorization": f"Token {self.token}", "Content-Type": "application/json"}
        began = time.perf_counter()
        self.connection.request("POST", "/api/v1/decisions/", json.dumps(body), headers)
        response = self.connection.getresponse()
        response.read()
        return response.status, time.perf_counter() - began


@dataclass(frozen=True)
class Burst:
    """How long the last bot waited (seconds, median of the rounds), and how many were not recorded, of how many."""

    last: float
    refused: int
    asked: int

    @property
    def told(self) -> tuple[str, str]:
        return f"{self.last * 1e3:,.0f}", f"{self.refused} of {self.asked}"

    @property
    def unanswered(self) -> float:
        return self.refused / self.asked


def run(arguments: Sequence[str]) -> int:
    """Measures; exit status 1 where more than one bot in twenty got no answer."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench burst")
    parser.add_argument("--bots", type=int, nargs="+", default=[16, 32])
    options = parser.parse_args(arguments)
    most = max(options.bots)
    rows: list[tuple[object, ...]] = []
    promises = []
    for engine in ("SQLite", "PostgreSQL"):
        with _desk(engine) as environment, _bots(environment, most) as bots:
            for bot in bots:
                bot.ask()  # a connection, and its process, know their way
            alone = statistics.median(bots[0].ask()[1] for _ in range(ALONE))
            rows.append((f"{engine}, one alone", f"{alone * 1e3:,.0f}", "", "", ""))
            for count in options.bots:
                each, all_on_one = _burst(bots[:count]), _burst(bots[most:][:count])
                rows.append((f"{engine}, {count} at once", *each.told, *all_on_one.told))
                for name, burst in (("an account each", each), ("one account", all_on_one)):
                    promises.append(Promise(f"{engine}: unanswered of {count}, {name}", burst.unanswered, 0.05))
    show(("bots", "an account each: ms of the last", "refused", "one account: ms of the last", "refused"), rows)
    return verdict(promises)


def _burst(bots: Sequence[Bot]) -> Burst:
    start = threading.Barrier(len(bots))

    def ask(bot: Bot) -> tuple[int, float]:
        start.wait()
        return bot.ask()

    lasts, refused = [], 0
    with ThreadPoolExecutor(max_workers=len(bots)) as pool:
        for _ in range(ROUNDS):
            answers = list(pool.map(ask, bots))
            lasts.append(max(seconds for _, seconds in answers))
            refused += sum(status != 201 for status, _ in answers)
    return Burst(statistics.median(lasts), refused, ROUNDS * len(bots))


@contextmanager
def _desk(engine: str) -> Iterator[Mapping[str, str]]:
    """The environment of a desk on a fresh server of the engine."""
    with tempfile.TemporaryDirectory(prefix="mia-bench-") as data_dir:
        environment = {
            **os.environ, "MIA_DATA_DIR": data_dir, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
            "DJANGO_SETTINGS_MODULE": "mia_site.settings",
        }  # fmt: skip
        environment.pop("DATABASE_URL", None)
        if engine == "SQLite":
            yield environment
            return
        with durable_server() as url:
            yield {**environment, "DATABASE_URL": url}


@contextmanager
def _bots(environment: Mapping[str, str], count: int) -> Iterator[list[Bot]]:
    """A running web server and the bots that may ask it."""
    folder = Path(environment["MIA_DATA_DIR"])
    (folder / "static").mkdir()
    fill = [sys.executable, "-m", "tests.bench.burst_desk", str(count)]
    told = subprocess.run(fill, cwd=ROOT, env=dict(environment), check=True, stdout=subprocess.PIPE).stdout
    web = start_web(environment, folder, workers=2)
    address = urlsplit(web.url).netloc
    try:
        yield [
            Bot(http.client.HTTPConnection(address, timeout=30), account, token)
            for account, token in json.loads(told.splitlines()[-1])
        ]
    finally:
        web.process.stop()
