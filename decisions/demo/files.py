"""What the demo keeps beside the database, under ``demo/`` of the data directory: for the feed and for people."""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings

from decisions.demo import ACCOUNT
from decisions.demo.features import feature_values, features_named
from decisions.demo.sessions import front_contract


def folder() -> Path:
    """``DATA_DIR/demo``, made where it is missing, closed to others."""
    path = Path(settings.DATA_DIR) / "demo"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def token_path() -> Path:
    """The feed's token; nobody else can read it."""
    return folder() / "bot.token"


def ask_path() -> Path:
    """The question that is ready to be sent."""
    return folder() / "ask.json"


def calendar_path() -> Path:
    """The synthetic macro calendar, which the desk reads again and again."""
    return folder() / "macro_events.csv"


def features_path() -> Path:
    """The synthetic feature set, as the model's training would hand it over."""
    return folder() / "synthetic_feature_importance.csv"


def reference_path() -> Path:
    """Where the synthetic features usually lie."""
    return folder() / "synthetic_feature_reference.csv"


def private_write(path: Path, text: str) -> None:
    """Puts `text` into `path` whole or not at all; only the owner can read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def ask_body(names: Sequence[str], today: date) -> dict[str, Any]:
    """A question that is ready to be sent: one contract, every feature, no times."""
    values = feature_values(Random("ask"), len(names))  # noqa: S311 - it is to be the same each time
    return {
        "account": ACCOUNT,
        "trade_id": "readme-1",
        "decision": "buy",
        "side": "buy",
        "quantity": 1,
        "instrument": front_contract(today),
        "signal_score": 0.72,
        "regime_probs": {"range": 0.2, "trend": 0.7, "defensive": 0.1},
        "reason": "an example",
        "features": features_named(names, values),
    }


def ask_write(names: Sequence[str], today: date) -> None:
    """Writes the question for a feature set, in the contract of today."""
    private_write(ask_path(), json.dumps(ask_body(names, today), indent=1) + "\n")
