"""A bot on a desk that lets it trade: limits, a calendar just read, equity just reported."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from decisions.decision_log import Answered, Receipted, submit
from decisions.inputs import DecisionInput
from decisions.models import Decision
from mia_site.audit.actors import Actor, client_actor
from mia_site.ops.clock import database_now
from risk.accounts import account_open, client_issue
from risk.equity import equity_record
from risk.inputs import EquityInput, PositionInput
from risk.limits_law import limits_submit
from risk.models import Account, Client, Desk, FeatureSet
from tests.factories import FACTORY, LIMITS, FeatureSetFactory

FEATURES = {"vix": 17.25, "delta": -0.5, "spread": 0.25}
"""Names of the set in `feature_desk`, in its order; their importances are 0.6, 0.3 and 0.1."""
NO_FEATURES = {"rules": {"features": {"mode": "off", "reason": "this bot sends none"}}}


@dataclass(frozen=True)
class Bot:
    """An API client with its token."""

    client: Client
    token: str

    @property
    def account(self) -> Account:
        return self.client.account

    @property
    def actor(self) -> Actor:
        return client_actor(self.client.id)

    def body(self, **changes: Any) -> dict[str, Any]:
        """What it sends: a small opening, changed; None leaves a field out."""
        body = {
            "account": self.account.code,
            "trade_id": "T123",
            "decision": "enter_long",
            "signal_score": 0.75,
            "regime_probs": {"range": 0.7, "trend": 0.2},
            "instrument": "ES",
            "side": "buy",
            "quantity": "1",
            **changes,
        }
        return {name: value for name, value in body.items() if value is not None}

    def sent(self, **changes: Any) -> DecisionInput:
        return msgspec.convert(self.body(**changes), DecisionInput)

    def asks(self, *, key: str = "", **changes: Any) -> Answered:
        """Asks one question through the service."""
        body = msgspec.json.encode(self.body(**changes))
        return self.submits([self.sent(**changes)], key=key, body=body).answers[0]

    def submits(self, sent: list[DecisionInput], *, key: str = "", body: bytes = b"") -> Receipted:
        return submit(sent, client=self.client, actor=self.actor, key=key, body=body)

    def reports(self, *, quantity: int = 0, instrument: str = "ES", equity: int = 50_000) -> None:
        """Reports equity and its one position, as of now."""
        positions = (PositionInput(instrument=instrument, quantity=Decimal(quantity)),)
        point = EquityInput(at=database_now(), equity=Decimal(equity), positions=positions)
        equity_record(account=self.account.code, points=[point], actor=self.actor)


def trading_bot(code: str = "ES-DEMO", *, now: datetime | None = None, **limits: Any) -> Bot:
    """A bot whose account may trade at `now`; `limits` are further parts of the limits document."""
    account_open(code, initial_balance="50000", actor=FACTORY)
    limits_submit(code, {**LIMITS, **NO_FEATURES, **limits}, actor=FACTORY, reason="limits of the committee")
    bot = Bot(*client_issue(f"bot of {code}", account=code, actor=FACTORY))
    now = now or database_now()
    desk_refresh(now)
    point = EquityInput(at=now - timedelta(seconds=1), equity=Decimal(50_000), positions=())
    equity_record(account=code, points=[point], actor=bot.actor)
    return bot


def desk_refresh(now: datetime) -> None:
    """The calendar was read and the checks have run, just before `now`."""
    Desk.objects.update_or_create(id=1, defaults={"calendar_at": now, "checks_at": now})


def feature_desk() -> FeatureSet:
    """A set of three features in force on the desk."""
    features: FeatureSet = FeatureSetFactory(version=1, count=3, names=list(FEATURES), importances=[0.6, 0.3, 0.1])
    Desk.objects.update(feature_set=features)
    return features


def codes(decision: Decision) -> list[str]:
    return [reason["code"] for reason in decision.reasons]
