"""A bot that asks the desk over HTTP, with the standard library and a token, as one in production does."""

import io
import json
import secrets
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command

from risk.risk_controller import drawdown_check
from tests.risk.calendars import calendar_file, event


@dataclass(frozen=True)
class Answer:
    """`seconds`: how long the bot waited for it."""

    status: int
    body: dict[str, Any]
    seconds: float

    @property
    def codes(self) -> list[str]:
        """Codes of the reasons, in their order."""
        return [reason["code"] for reason in self.body["reasons"]]


@dataclass(frozen=True)
class Bot:
    """One client of one account."""

    url: str
    account: str
    token: str

    def get(self, path: str) -> Answer:
        return self._call(path, None, {})

    def post(self, path: str, body: Any, **headers: str) -> Answer:
        return self._call(path, json.dumps(body).encode(), headers)

    def ask(self, key: str = "", **changes: Any) -> Answer:
        """May I? To buy one contract, unless `changes` say otherwise."""
        return self.post("decisions/", self.question(**changes), **({"Idempotency-Key": key} if key else {}))

    def question(self, **changes: Any) -> dict[str, Any]:
        return {
            "account": self.account, "trade_id": secrets.token_hex(8), "decision": "buy", "side": "buy",
            "quantity": 1, "instrument": "ES", "signal_score": 0.72,
            "regime_probs": {"range": 0.2, "trend": 0.7, "defensive": 0.1}, **changes,
        }  # fmt: skip

    def report(self, equity: int, es: int = 0) -> Answer:
        """Equity now, with `es` contracts held."""
        return self.post(f"accounts/{self.account}/equity", self.equity(equity, es))

    @staticmethod
    def equity(equity: int, es: int = 0) -> dict[str, Any]:
        held = [{"instrument": "ES", "quantity": es}] if es else []
        return {"at": datetime.now(UTC).isoformat(), "equity": equity, "positions": held}

    def _call(self, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            data=body,
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json", **headers},
        )
        started = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return Answer(status, json.loads(text), time.perf_counter() - started)


def calendar_load(folder: Path) -> None:
    """A macro calendar with one event far away, through the command that reads one."""
    file = folder / "macro_events.csv"
    file.write_bytes(calendar_file(event(datetime.now(UTC) + timedelta(days=9))))
    call_command("import_mia", file, stdout=io.StringIO())


def bot_start(url: str, account: str, *limits: str) -> Bot:
    """An account with limits and a bot with a token, by the commands of the README; all accounts were just checked."""
    told = io.StringIO()
    call_command("create_account", account, "--initial-balance", "50000", stdout=told)
    values = ["max_drawdown=0.05", "features=off", *limits]
    call_command("limits", "set", account, *values, "--reason", "no features yet", stdout=told)
    call_command("create_client", f"bot-{account}", "--account", account, stdout=told)
    drawdown_check()
    return Bot(url, account, told.getvalue().splitlines()[-1])
