"""What the gate let through lately: openings of the last hour, and exits under way on the position last reported."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from risk.admissions import admission_apply
from risk.models import Account
from risk.rules.ask import Effect
from risk.rules.facts import PositionView
from risk.selectors.pace import pace_view, position_view
from tests.factories import AdmissionFactory
from tests.risk.accounts import account_under, report, state_now
from tests.stillness import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
HOUR = timedelta(hours=1)


@pytest.fixture
def account() -> Account:
    return account_under()


def test_openings_of_the_last_hour_are_counted_and_the_last_one_is_remembered_longer(account: Account) -> None:
    assert pace_view(state_now(), NOON).last_opening_at is None
    AdmissionFactory(account=account, at=NOON - HOUR)
    AdmissionFactory(account=account, at=NOON - HOUR / 2)
    AdmissionFactory(account=account, at=NOON - HOUR / 4, effect="reduces")
    AdmissionFactory(at=NOON)
    view = pace_view(state_now(), NOON)
    assert (view.openings_last_hour, view.oldest_at) == (1, NOON - HOUR / 2)
    later = pace_view(state_now(), NOON + 9 * HOUR)
    assert (later.openings_last_hour, later.oldest_at, later.last_opening_at) == (0, None, NOON - HOUR / 2)


def test_an_exit_that_was_let_through_counts_until_the_next_report_of_positions(account: Account) -> None:
    assert position_view(state_now(), "ES") is None, "nobody has reported positions"
    report(50_000, held={"ES": 5, "NQ": -2})
    seq = state_now().seq
    AdmissionFactory(account=account, effect="reduces", quantity=Decimal(2), seq=seq + 1)
    AdmissionFactory(account=account, effect="reduces", quantity=Decimal(1), seq=seq + 1, instrument="NQ")
    AdmissionFactory(account=account, effect="opens", quantity=Decimal(9), seq=seq + 1)
    AdmissionFactory(account=account, effect="reduces", quantity=Decimal(9), seq=seq - 1)
    for instrument, quantity, pending in (("ES", 5, 2), ("NQ", -2, 1), ("YM", 0, 0)):
        expected = PositionView(quantity=Decimal(quantity), at=NOON, pending_reductions=Decimal(pending))
        assert position_view(state_now(), instrument) == expected


@pytest.mark.parametrize("effect", list(Effect))
def test_only_what_moves_a_position_is_an_admission(account: Account, effect: Effect) -> None:
    row = admission_apply(
        state_now(), id=uuid4(), effect=effect, instrument="ES", side="buy", quantity=Decimal(1),
        algorithm=" Trend ", seq=9, now=NOON,
    )  # fmt: skip
    if effect is Effect.NEUTRAL:
        assert row is None
        return
    assert row is not None and (row.effect, row.seq, row.at) == (effect.value, 9, NOON)
    assert row.algorithm == "trend"
