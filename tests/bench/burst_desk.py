"""Run with the environment of a desk that it makes and fills: accounts, and bots whose tokens it prints as JSON.

Argument: how many. The first half of the bots have an account each, the others share the first account.
"""

import json
import sys
from decimal import Decimal
from typing import Any

import django

from tests.bench.database import database_make

LIMITS: dict[str, Any] = {
    "drawdown": [
        {"name": "max_drawdown", "mode": "trailing_intraday", "allowance": {"of": "reference", "value": "0.10"}}
    ],
    "pace": {"max_openings_per_hour": 100_000},
    "rules": {name: {"mode": "off", "reason": "a benchmark"} for name in ("features", "calendar", "checks")},
}


def main() -> None:
    django.setup()
    database_make()
    from risk.accounts import client_issue
    from risk.risk_controller import account_open, limits_submit
    from tests.factories import FACTORY

    accounts = []
    for number in range(int(sys.argv[1])):
        account = account_open(f"ES-{number}", initial_balance=Decimal(100_000), actor=FACTORY)
        limits_submit(account.code, LIMITS, actor=FACTORY, reason="a benchmark")
        accounts.append(account)
    bots = [*accounts, *(accounts[0] for _ in accounts)]
    tokens = [client_issue(f"bot {n}", account=account.code, actor=FACTORY)[1] for n, account in enumerate(bots)]
    json.dump([(account.code, token) for account, token in zip(bots, tokens, strict=True)], sys.stdout)


if __name__ == "__main__":
    main()
