"""What exposure is judged on, read once per transaction, and only as far as the limits ask for it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from risk.models import AccountState, Desk
from risk.rules.ask import Ask
from risk.rules.exposure_types import DeskExposureView, ExposureView, OpposingView
from risk.rules.holdings import OrderView, holdings_of
from risk.rules.limits import ExposureLimits, Limits, RuleMode, RuleName, SelfMatchAction
from risk.rules.reference import Quote, price_views
from risk.selectors.desk import desk_limits_readable
from risk.selectors.exposure import (
    Others,
    newest_prices,
    orders_under_way,
    others_hold,
    owner_openings,
    positions_of,
)


def guards_owner(state: AccountState, limits: Limits) -> bool:
    """Whether openings of the account are held against those of its owner's other accounts."""
    asked = limits.self_match.action is not SelfMatchAction.OFF
    return asked and bool(state.account.owner) and limits.rule_mode(RuleName.SELF_MATCH) is not RuleMode.OFF


@dataclass
class ExposureBook:
    """The exposure of one locked account, for one decision or a batch of them."""

    state: AccountState
    desk: Desk

    def view(self, ask: Ask, limits: Limits, admitted: Iterable[OrderView], sent: Quote | None) -> ExposureView:
        """What is known as `ask` is judged: `admitted` are the orders that this transaction let through, `sent` is the
        price that came with the ask. Holdings are read where a cap asks for them; prices are at hand."""
        prices = price_views(self.state.prices)
        reference = prices.get(ask.instrument)
        if reference is not None and sent is not None and (reference.price, reference.at) == (sent.price, sent.at):
            reference = replace(reference, source="sent")
        desk = self._desk(limits)
        capped = desk is not None or (limits.exposure.capped and _judged(limits))
        return ExposureView(
            holdings=holdings_of(positions_of(self.state), (*self._under_way, *admitted)) if capped else (),
            reference=reference,
            prices=prices if desk is None else newest_prices(prices, self._others.prices),
            opposing=self._opposing if guards_owner(self.state, limits) else (),
            desk=desk,
        )

    def positions_reported(self) -> None:
        """A newer report answers for the fills that it shows."""
        self.__dict__.pop("_under_way", None)

    def _desk(self, limits: Limits) -> DeskExposureView | None:
        """The caps of the desk, where there are any. What others hold is known only while the desk is locked; what the
        caps are is not where they cannot be read, and then nothing opens."""
        rules = desk_limits_readable(self.desk)
        if rules is None and self.desk.limits_id is not None:
            return DeskExposureView(limits=ExposureLimits(), holdings=None)
        if rules is None or not rules.limits.exposure.capped or not _judged(limits):
            return None
        holdings = self._others.holdings if self.desk.alone else None
        return DeskExposureView(limits=rules.limits.exposure, holdings=holdings)

    @cached_property
    def _under_way(self) -> tuple[OrderView, ...]:
        return orders_under_way(self.state)

    @cached_property
    def _others(self) -> Others:
        return others_hold(self.state.account_id)

    @cached_property
    def _opposing(self) -> tuple[OpposingView, ...]:
        return owner_openings(self.state)


def _judged(limits: Limits) -> bool:
    return limits.rule_mode(RuleName.EXPOSURE) is not RuleMode.OFF
