"""Stops of one client, algorithm or instrument: facts like every stop, ended by a person or by their time."""

from datetime import timedelta

import pytest

from decisions.projections import projections_check
from mia_site.audit.models import Entry
from mia_site.ops.alerts import alert_text
from risk.accounts import client_issue
from risk.inputs import InputError
from risk.locking import AccountUnknown
from risk.models import AccountState, ScopedStop, StateChange
from risk.risk_controller import drawdown_check
from risk.rules.facts import StopScope, TradingState
from risk.scoped_stops import StopPlace, scope_halt, scope_resume, stop_place
from risk.selectors.stops import scoped_stops
from risk.trading_states import StateRefused, desk_halt, trading_halt
from tests.risk.accounts import APPROVER, CODE, MANAGER, account_under, state_now
from tests.risk.calendars import raised, told
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
HOUR = timedelta(hours=1)
ES, ES_HERE = StopPlace(StopScope.INSTRUMENT, "ES"), StopPlace(StopScope.INSTRUMENT, "ES", CODE)
REDUCE_ONLY = TradingState.REDUCE_ONLY


def in_force() -> list[tuple[str, str, str | None, str]]:
    rows = ScopedStop.objects.select_related("account").order_by("id")
    return [(row.scope, row.key, row.account.code if row.account else None, row.state) for row in rows]


def test_a_stop_within_an_account_is_a_fact_in_the_account_s_order() -> None:
    account_under()
    before = state_now().seq
    change = scope_halt(ES_HERE, reason="rollover", actor=MANAGER, until=NOON + HOUR)
    stored = StateChange.objects.get()
    assert (stored.scope, stored.key, stored.seq, stored.until) == ("instrument", "ES", before + 1, NOON + HOUR)
    assert (stored.from_state, stored.to_state, stored.actor) == ("ACTIVE", "HALTED", "user:1")
    entry = Entry.objects.get(id=change.pk)
    assert (entry.kind_name, entry.account, entry.why) == ("state_change", CODE, "rollover")
    assert in_force() == [("instrument", "ES", CODE, "HALTED")]
    assert state_now().state == "ACTIVE"


def test_a_stop_on_the_whole_desk_meets_accounts_that_are_opened_later() -> None:
    scope_halt(ES, reason="exchange is down", actor=MANAGER)
    (stop,) = scoped_stops(account_under())
    assert (stop.key, stop.account, stop.view.reason) == ("ES", None, "exchange is down")
    (alert,) = raised("scope_stopped")
    assert alert.priority == 4
    assert told(alert) == "The instrument ES is set to HALTED by user:1: exchange is down"


def test_an_alert_says_the_scope_in_its_reader_s_language() -> None:
    scope_halt(stop_place(StopScope.ALGORITHM, "trend"), reason="a fault", actor=MANAGER)
    (alert,) = raised("scope_stopped")
    assert "algorithme trend" in alert_text(alert, language="fr")


def test_a_resume_takes_the_stop_of_its_own_place_only() -> None:
    account_under()
    scope_halt(ES, reason="x", actor=MANAGER)
    scope_halt(ES_HERE, reason="y", actor=MANAGER)
    scope_resume(ES, reason="z", actor=APPROVER)
    assert in_force() == [("instrument", "ES", CODE, "HALTED")]
    scope_resume(ES_HERE, reason="z", actor=APPROVER, state=REDUCE_ONLY)
    scope_resume(ES_HERE, reason="z", actor=APPROVER)
    assert in_force() == []
    with pytest.raises(StateRefused, match="a state milder than ACTIVE"):
        scope_resume(ES, reason="again", actor=APPROVER)


def test_a_client_is_stopped_where_it_trades() -> None:
    account_under()
    client_issue("mia-es", account=CODE, actor=MANAGER)
    assert stop_place(StopScope.CLIENT, "mia-es").account == CODE
    for key, account in (("nobody", None), ("mia-es", "ES-OTHER")):
        with pytest.raises(InputError, match="the name of an API client"):
            stop_place(StopScope.CLIENT, key, account)


def test_a_place_is_written_as_it_is_compared() -> None:
    assert stop_place(StopScope.ALGORITHM, " Trend v2 ").key == "trend v2"
    assert stop_place(StopScope.INSTRUMENT, "esz6").key == "ESZ6"
    for scope, key in ((StopScope.ALGORITHM, " "), (StopScope.ALGORITHM, "x" * 65), (StopScope.INSTRUMENT, "E S")):
        with pytest.raises(InputError, match="as bots send it"):
            stop_place(scope, key)
    with pytest.raises(AccountUnknown):
        scope_halt(stop_place(StopScope.INSTRUMENT, "ES", "ES-NONE"), reason="x", actor=MANAGER)


def test_a_stop_is_made_harder_but_not_milder() -> None:
    scope_halt(ES, reason="x", actor=MANAGER, state=REDUCE_ONLY)
    scope_halt(ES, reason="y", actor=MANAGER)
    with pytest.raises(StateRefused, match="resuming is another right"):
        scope_halt(ES, reason="z", actor=MANAGER, state=REDUCE_ONLY)


def test_a_timed_stop_ends_by_itself_and_gives_back_what_was_beneath(desk_clock: StillClock) -> None:
    account_under()
    scope_halt(ES_HERE, reason="rollover", actor=MANAGER, state=REDUCE_ONLY)
    scope_halt(ES_HERE, reason="a fault", actor=MANAGER, until=NOON + HOUR)
    desk_clock.now = NOON + HOUR / 2
    scope_halt(ES, reason="lunch", actor=MANAGER, until=NOON + HOUR)
    desk_clock.now = NOON + HOUR
    drawdown_check()
    assert in_force() == [("instrument", "ES", CODE, "REDUCE_ONLY")]
    assert "before it: rollover" in ScopedStop.objects.get().state_reason
    assert AccountState.objects.get().state == "ACTIVE"


def test_stops_of_different_places_know_nothing_of_each_other(desk_clock: StillClock) -> None:
    account_under()
    trading_halt(account=CODE, reason="short", actor=MANAGER, until=NOON + HOUR)
    desk_halt(reason="short", actor=MANAGER, until=NOON + HOUR)
    desk_clock.now = NOON + HOUR / 2
    scope_halt(ES_HERE, reason="for good", actor=MANAGER)
    scope_halt(ES, reason="for good", actor=MANAGER)
    desk_clock.now = NOON + HOUR
    drawdown_check()
    assert state_now().state == "ACTIVE" and len(in_force()) == 2


def test_the_stops_in_force_are_what_their_facts_say() -> None:
    account_under()
    scope_halt(ES, reason="x", actor=MANAGER)
    scope_halt(ES_HERE, reason="x", actor=MANAGER)
    scope_resume(ES, reason="x", actor=APPROVER)
    assert list(projections_check()) == []
    ScopedStop.objects.update(key="NQ")
    assert {difference.where for difference in projections_check()} == {"instrument ES", "instrument NQ"}
    list(projections_check(rebuild=True))
    assert in_force() == [("instrument", "ES", CODE, "HALTED")] and list(projections_check()) == []
