"""What an account's limits let it hold, in which contracts and at which prices, as lines of its page."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.rendering import number, percent
from risk.models import AccountState
from risk.rules.exposure_types import Holding
from risk.rules.holdings import holdings_of
from risk.rules.limit_exposure import ExposureLimits, InstrumentCap
from risk.rules.limits import Limits, SelfMatchAction
from risk.selectors.exposure import orders_under_way, positions_of

SELF_MATCH_WORDS = {
    SelfMatchAction.OFF: gettext_lazy("allowed"),
    SelfMatchAction.ALERT: gettext_lazy("told of"),
    SelfMatchAction.BLOCK: gettext_lazy("blocked"),
}


def exposure_lines(limits: Limits) -> Iterator[tuple[str, str]]:
    """(name, value) in the reader's language; what is not limited has no line."""
    if limits.order.max_value is not None:
        yield _("most valuable opening"), number(limits.order.max_value, 2)
    caps = limits.exposure
    if caps.capped:
        if _capped(caps):
            yield _("held at most"), _capped(caps)
        for cap in caps.instruments:
            yield _("held at most in %(instrument)s") % {"instrument": cap.instrument}, _capped(cap)
        yield _("an opening counts for"), f"{caps.reservation_minutes} min"
    if limits.contracts.allowed:
        yield _("contracts"), ", ".join(limits.contracts.allowed)
    if limits.price.max_deviation is not None:
        collar = {"share": percent(limits.price.max_deviation), "seconds": limits.price.reference_seconds}
        yield _("price from the reference"), _("at most %(share)s, of at most %(seconds)s s ago") % collar
    yield _("openings of one owner against each other"), str(SELF_MATCH_WORDS[limits.self_match.action])


def _capped(cap: ExposureLimits | InstrumentCap) -> str:
    parts = []
    if cap.max_position is not None:
        parts.append(_("%(count)s contracts") % {"count": number(cap.max_position)})
    if cap.max_notional is not None:
        parts.append(_("a notional of %(amount)s") % {"amount": number(cap.max_notional, 2)})
    return " · ".join(parts)


def under_way_lines(state: AccountState) -> list[tuple[str, str]]:
    """(instrument, what openings under way may still buy and sell) of the account."""
    held = holdings_of(positions_of(state), orders_under_way(state))
    lines = [(item.instrument, _under_way(item)) for item in held]
    return [(instrument, told) for instrument, told in lines if told]


def _under_way(item: Holding) -> str:
    buying = f"+{number(item.buying)}" if item.buying else ""
    selling = f"-{number(item.selling)}" if item.selling else ""
    return " ".join(filter(None, (buying, selling, "?" if item.unknown else "")))
