"""The live feed: a synthetic bot that talks to the desk through its HTTP API, as every bot does.

It reports equity and positions every 20 seconds and asks about once a minute: it opens one contract, closes it, tells
what came of it; now and then it holds, or asks with too few features and is blocked.
"""

import http.client
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import Any, NoReturn

import structlog

from decisions.demo import ACCOUNT
from decisions.demo.desk_client import DeskClient, DeskTrouble
from decisions.demo.features import FAILING, FAMILIES
from decisions.demo.market import Market

log = structlog.get_logger(__name__)
BEAT_SECONDS = 20.0
BEATS_PER_ASK = 3
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
TRADE_PREFIX = "demo-live-"
HOLDS, THIN = 0.15, 0.15
"""Shares of the questions of a flat bot: to hold, and with a fifth of the features missing."""


def host_now() -> datetime:
    """A bot has its own clock; the desk compares it with its own."""
    return datetime.now(UTC)  # noqa: TID251


class Feed:
    """The bot. `question` gives what it asks, as `files.ask_body` makes it, for the model that is in use by then."""

    def __init__(
        self,
        desk: DeskClient,
        question: Callable[[], dict[str, Any]],
        *,
        rng: Random,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = host_now,
    ) -> None:
        self._desk, self._question, self._rng, self._sleep, self._now = desk, question, rng, sleep, now
        self._body: dict[str, Any] = {}
        self._market: Market | None = None
        self._opened: tuple[str, str] | None = None
        """Trade and decision of the position that is held."""
        self._untold: tuple[str, dict[str, Any]] | None = None
        """Decision and outcome that the desk has not taken yet."""
        self._beats = 0

    def run(self) -> NoReturn:
        """Beats until the process is ended; waits and tries again while the desk does not answer."""
        failures = 0
        while True:
            try:
                self.beat()
            except (DeskTrouble, http.client.HTTPException) as error:
                pause = BACKOFF_SECONDS[min(failures, len(BACKOFF_SECONDS) - 1)]
                log.warning("desk_not_reached", error=str(error)[:300], again_in=pause)
                failures += 1
                self._sleep(pause)
            else:
                failures = 0
                self._sleep(BEAT_SECONDS)

    def beat(self) -> None:
        """One report, or a report with a question. Raises `DeskTrouble`."""
        self._body = self._question()
        market = self._market or self._begin()
        market.step()
        if self._beats % BEATS_PER_ASK == 0:
            self._ask(market)
        else:
            self._desk.post(
                f"accounts/{ACCOUNT}/equity", {**_equity(market, self._now()), "positions": self._held(market)}
            )
        if self._untold is not None:
            self._desk.post(f"decisions/{self._untold[0]}/outcome", self._untold[1])
            self._untold = None
        self._beats += 1

    def _begin(self) -> Market:
        """Goes on where the desk last saw the account, with the position that is still held."""
        state = self._desk.get(f"accounts/{ACCOUNT}/state")
        equity = Decimal(state["equity"] or 100_000)
        market = Market(self._rng, home=equity, balance=equity)
        held = int(Decimal(state["positions"].get(self._body["instrument"], 0)))
        if held > 0:
            market.position = held
            self._opened = self._last_opening()
        self._market = market
        return market

    def _last_opening(self) -> tuple[str, str] | None:
        found = self._desk.get("decisions/?effect=opens&verdict=allow&page_size=20")["results"]
        mine = (row for row in found if row["trade_id"].startswith(TRADE_PREFIX))
        return next(((row["trade_id"], row["id"]) for row in mine), None)

    def _ask(self, market: Market) -> None:
        if market.position:
            self._close(market)
            return
        draw = self._rng.random()
        trade = f"{TRADE_PREFIX}{uuid.uuid4().hex[:8]}"
        if draw < HOLDS or not market.may_open:
            self._decide(market, trade, decision="hold", side=None, quantity=None)
        elif self._decide(market, trade, thin=draw < HOLDS + THIN):
            market.buy(1)

    def _close(self, market: Market) -> None:
        trade, opening = self._opened or (f"{TRADE_PREFIX}{uuid.uuid4().hex[:8]}", "")
        if not self._decide(market, trade, decision="sell", side="sell", quantity=market.position):
            return
        quantity, made = market.position, market.close()
        self._opened = None
        if opening:
            told = {
                "pnl": str(made), "closed_at": self._now().isoformat(), "quantity": quantity,
                "exit_price": str(market.price), "final": True,
            }  # fmt: skip
            self._untold = (opening, told)

    def _decide(self, market: Market, trade: str, *, thin: bool = False, **changes: Any) -> bool:
        """Asks; True only for a plain allow. A new key each time: an old answer is never acted on."""
        now = self._now()
        body = {
            **self._body, "trade_id": trade, "price": str(market.price), "decided_at": now.isoformat(),
            "signal_score": round(self._rng.uniform(0.5, 0.95), 3), "reason": "", "algorithm": "demo-bot",
            "features": self._features(thin), "equity": _equity(market, now), "positions": self._held(market),
            **changes,
        }  # fmt: skip
        if body["side"] is None:
            del body["price"]
        answer = self._desk.post("decisions/", body, **{"Idempotency-Key": uuid.uuid4().hex})
        codes = [reason["code"] for reason in answer["reasons"]]
        log.info("asked", trade=trade, decision=body["decision"], verdict=answer["verdict"], reasons=codes)
        allowed: bool = answer["verdict"] == "allow"
        if allowed and answer["effect"] == "opens":
            self._opened = (trade, answer["id"])
        return allowed

    def _features(self, thin: bool) -> dict[str, float]:
        """All of the model's features, or those that are left when two families' feed is down."""
        return {
            name: round(value + self._rng.gauss(0, 0.05), 6)
            for place, (name, value) in enumerate(self._body["features"].items())
            if not thin or place % len(FAMILIES) >= FAILING
        }

    def _held(self, market: Market) -> list[dict[str, Any]]:
        if not market.position:
            return []
        return [{"instrument": self._body["instrument"], "quantity": market.position}]


def _equity(market: Market, now: datetime) -> dict[str, str]:
    return {
        "at": now.isoformat(),
        "equity": str(market.equity),
        "balance": str(market.balance),
        "open_pnl": str(market.open_pnl),
    }
