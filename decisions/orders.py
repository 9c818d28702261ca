"""The life of an order, as its bot reports it: it frees what a decision's opening had reserved, or moves it into the
position."""

from django.db import transaction

from decisions.inputs import OrderInput
from decisions.models import Decision, OrderReport
from mia_site.audit.actors import Actor
from mia_site.audit.journal import Leaf
from mia_site.audit.receipts import receipt_again, receipt_sign
from mia_site.ops.timings import timed
from risk.admissions import order_apply
from risk.equity import time_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.rules.order_life import OrderStatus, OrderTold
from risk.rules.reference import Quote, quotes_take
from risk.written import Written


@timed("record_order")
def order_record(decision: Decision, told: OrderInput, *, actor: Actor) -> tuple[OrderReport, Leaf, str]:
    """Records what became of the decision's order; returns it with its leaf and receipt.

    One that is older than the last is kept and changes nothing; one equal to the newest adds nothing. A fill's price is
    the last known one of its instrument. Raises `InputError`.
    """
    with transaction.atomic():
        desk_lock()
        state = account_lock(decision.account.code)
        seq, now = seq_take(state)
        time_check("at", told.at, now)
        newest = OrderReport.objects.filter(decision_id=decision.id).order_by("-seq").first()
        if newest is not None and _same(newest, told):
            return newest, *receipt_again(newest)
        report = OrderReport(
            account=state.account, seq=seq, decision_id=decision.id, status=told.order_status.value,
            filled_quantity=told.filled_quantity, fill_price=told.fill_price, at=told.at, actor=str(actor),
            recorded_at=now,
        )  # fmt: skip
        order_apply(state, decision_id=decision.id, told=order_told(report))
        quote = fill_quote(report, decision.instrument)
        if quote is not None:
            state.prices = quotes_take(state.prices, quote)
        state.save()
        leaf = Written(facts=[report]).record(actor=actor, account=state.account.code)[0]
        return report, leaf, receipt_sign([leaf], now)


def order_told(report: OrderReport) -> OrderTold:
    """A stored report, as the pure rules take it."""
    return OrderTold(status=OrderStatus(report.status), at=report.at, filled=report.filled_quantity)


def fill_quote(report: OrderReport, instrument: str) -> Quote | None:
    """The price of its fill, where it tells one above 0."""
    price = report.fill_price
    return None if price is None or price <= 0 else Quote(instrument=instrument, price=price, at=report.at)


def _same(newest: OrderReport, told: OrderInput) -> bool:
    was = (newest.status, newest.filled_quantity, newest.fill_price, newest.at)
    return was == (told.order_status.value, told.filled_quantity, told.fill_price, told.at)
