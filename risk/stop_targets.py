"""What the kill switch may be pointed at, as one text: forms and the API name a target, one service halts it."""

from dataclasses import dataclass
from datetime import datetime

from mia_site.audit.actors import Actor
from risk.inputs import InputError
from risk.models import StateChange
from risk.models.state import Scope
from risk.rules.facts import StopScope, TradingState
from risk.rules.messages import gettext_noop
from risk.scoped_stops import scope_halt, stop_place
from risk.trading_states import desk_halt, trading_halt


@dataclass(frozen=True, slots=True)
class StopTarget:
    """A scope, with the account's code and the key where the scope has them."""

    scope: Scope
    account: str = ""
    key: str = ""

    @property
    def code(self) -> str:
        """The target as a form sends it; `target_parse` reads it."""
        return f"{self.scope.value}|{self.account}|{self.key}"


def target_parse(code: str) -> StopTarget:
    """The target of `StopTarget.code`. Raises `InputError`."""
    scope, account, key = [*code.split("|", 2), "", ""][:3]
    if scope not in Scope.values:
        raise InputError("target", code[:64], gettext_noop("what is to be stopped"))
    return StopTarget(Scope(scope), account, key)


def target_halt(
    target: StopTarget, *, reason: str, actor: Actor, state: TradingState, until: datetime | None = None
) -> StateChange:
    """Stops the target. Raises `InputError` and `AccountUnknown`."""
    if target.scope is Scope.DESK:
        return desk_halt(reason=reason, actor=actor, state=state, until=until)
    if target.scope is Scope.ACCOUNT:
        return trading_halt(account=target.account, reason=reason, actor=actor, state=state, until=until)
    place = stop_place(StopScope(target.scope.value), target.key, target.account or None)
    return scope_halt(place, reason=reason, actor=actor, state=state, until=until)
