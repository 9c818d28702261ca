"""What tests of an account's risk share: an account under limits, its equity, what became of it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from mia_site.audit.actors import Actor
from mia_site.audit.models import Entry
from risk.equity import EquityRecorded, equity_record
from risk.inputs import EquityInput, PositionInput
from risk.limits_law import limits_submit
from risk.models import Account, AccountState
from tests.factories import AccountFactory
from tests.stillness import NOON

BOT = Actor("client", "7")
MANAGER = Actor("user", "1")
APPROVER = Actor("user", "2")
CODE = "ES-MAIN"


def drawdown_rule(value: str = "0.05", *, of: str = "reference", **fields: Any) -> dict[str, Any]:
    """One drawdown rule of a limits document: 5 % below the highest equity unless said otherwise."""
    return {"name": "max_drawdown", "mode": "trailing_intraday", "allowance": {"of": of, "value": value}, **fields}


def account_under(*rules: Mapping[str, Any], code: str = CODE, **limits: Any) -> Account:
    """An account of 50,000 with these drawdown rules (5 % by default); `limits` are further parts of the document."""
    account: Account = AccountFactory(code=code)
    document = {"drawdown": list(rules) or [drawdown_rule()], **limits}
    limits_submit(code, document, actor=MANAGER, reason="a test's limits")
    return account


def report(equity: str | int, at: datetime = NOON, *, code: str = CODE, **fields: Any) -> EquityRecorded:
    """The bot reports one point."""
    return equity_record(account=code, points=[point(equity, at, **fields)], actor=BOT)


def point(equity: str | int, at: datetime = NOON, **fields: Any) -> EquityInput:
    """Equity at a moment; `held={"ES": 2}` adds the positions of that moment, other fields are as in the report."""
    held: dict[str, int] | None = fields.pop("held", None)
    money = {name: Decimal(value) for name, value in fields.items()}
    holding = None if held is None else positions(**held)
    return EquityInput(at=at, equity=Decimal(equity), positions=holding, **money)


def positions(**held: int) -> tuple[PositionInput, ...]:
    """`positions(ES=2)`: two contracts, long."""
    return tuple(PositionInput(instrument=name, quantity=Decimal(quantity)) for name, quantity in held.items())


def state_now(code: str = CODE) -> AccountState:
    """The account's projection as the database has it."""
    return AccountState.objects.select_related("account", "limits").get(account__code=code)


def journal_kinds(code: str = CODE) -> list[str]:
    """What the journal says happened to the account, oldest first, the opening and the limits left out."""
    kinds = Entry.objects.filter(account=code).order_by("recorded_at", "id").values_list("kind_name", flat=True)
    return [kind for kind in kinds if kind not in {"account_opened", "limits_version"}]
