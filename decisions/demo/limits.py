"""The demo account's limits: those of the synthetic week, those of the live feed, and a loosening nobody answered."""

import copy
from typing import Any

WEEK: dict[str, Any] = {
    "drawdown": [
        {
            "name": "max_drawdown",
            "mode": "trailing_intraday",
            "allowance": {"of": "reference", "value": "0.05"},
            "action": "REDUCE_ONLY",
        },
        {
            "name": "daily_loss",
            "mode": "daily",
            "allowance": {"of": "amount", "value": "2000"},
            "action": "REDUCE_ONLY",
            "reset_at": "17:00",
        },
    ],
    "pace": {"max_openings_per_hour": 12},
    "order": {"max_quantity": "4"},
    "freshness": {"equity_seconds": 120, "positions_seconds": 120, "calendar_hours": 24},
    "blackout": {"minutes_before": 30, "minutes_after": 30, "impact_above": "0.7"},
    "features": {"min_coverage": "0.9"},
    "memory": {"required": False},
}


def live_limits() -> dict[str, Any]:
    """As in the week, with room for a bot that asks every minute and for whoever tries it beside."""
    document = copy.deepcopy(WEEK)
    document["pace"]["max_openings_per_hour"] = 120
    return document


def proposed_limits() -> dict[str, Any]:
    """A drawdown of 6 % rather than 5 %: it loosens, so that a second person must approve it."""
    document = live_limits()
    document["drawdown"][0]["allowance"]["value"] = "0.06"
    return document
