"""Recall through the gate's own reading: which clusters count while an event is near, and afterwards."""

from datetime import datetime, timedelta

import pytest

from risk.models import Account, AccountState, Desk
from risk.rules.facts import MemoryView
from risk.selectors.facts import FactsBook
from tests.factories import ClusterFactory
from tests.risk.accounts import account_under
from tests.risk.calendars import MINUTE, event, load
from tests.stillness import FOMC

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def account() -> Account:
    """An account whose memory tightens, windows of 30 minutes, two clusters: a strained FOMC and a calm CPI."""
    ClusterFactory(event_type="FOMC", at=FOMC - 30 * DAY, confidence=1.0, vix_es_correlation=0.9)
    ClusterFactory(event_type="CPI", at=FOMC - 30 * DAY, confidence=1.0, vix_es_correlation=0.1)
    load(event(FOMC), event(FOMC + 30 * DAY, "NFP"))
    return account_under(memory={"tightening_floor": "0.5"})


def remembered(account: Account, now: datetime) -> MemoryView:
    view = FactsBook(AccountState.objects.get(account=account), Desk.objects.get(), now).memory
    assert view is not None
    return view


@pytest.mark.parametrize("away", [-DAY, -HOUR, 0 * HOUR, 31 * MINUTE, HOUR])
def test_from_a_day_before_an_event_until_an_hour_after_its_end_its_own_clusters_count(
    account: Account, away: timedelta
) -> None:
    view = remembered(account, FOMC + away)
    assert view.event_types == ("FOMC",) and len(view.recalled) == 1


@pytest.mark.parametrize("away", [-DAY - MINUTE, HOUR + MINUTE])
def test_when_no_event_is_near_every_cluster_counts(account: Account, away: timedelta) -> None:
    view = remembered(account, FOMC + away)
    assert view.event_types == () and len(view.recalled) == 2


def test_an_event_that_is_near_strains_more_than_a_calm_day(account: Account) -> None:
    assert remembered(account, FOMC + HOUR).stress > remembered(account, FOMC + 2 * HOUR).stress
