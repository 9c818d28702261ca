"""What an account needs before it can trade: each input, its age, the fix."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Web

from mia_site.ops.registry import Readiness, readiness_run
from risk.locking import AccountUnknown
from risk.models import Client, Desk, ScopedStop, StateChange
from risk.readiness import readiness
from risk.rules.facts import StopScope
from risk.scoped_stops import scope_halt, scope_resume, stop_place
from risk.trading_states import desk_halt, trading_halt
from tests.factories import AccountFactory, ClientFactory, ClusterFactory, FeatureReferenceFactory, FeatureSetFactory
from tests.risk.accounts import APPROVER, CODE, MANAGER, account_under, report
from tests.stillness import NOON, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]


def lines() -> dict[str, Readiness]:
    return {line.name: line for line in readiness(CODE)}


def missing() -> set[str]:
    return {name for name, line in lines().items() if not line.ok}


def complete(**limits: Any) -> None:
    """An account that has all it needs, at NOON."""
    ClientFactory(account=account_under(**limits))
    report(50_000, held={"ES": 1})
    features = FeatureSetFactory(recorded_at=NOON)
    Desk.objects.update_or_create(id=1, defaults={"calendar_at": NOON, "checks_at": NOON, "feature_set": features})


def test_a_new_account_lacks_nearly_everything_and_each_lack_has_its_fix() -> None:
    AccountFactory(code=CODE)
    told = lines()
    assert missing() == {"limits", "client", "equity", "positions", "calendar", "features", "drawdown check"}
    assert all(told[name].fix for name in missing())
    assert told["limits"].fix == f"manage.py limits set {CODE} max_drawdown=0.05 --reason …"


def test_nothing_is_missing_of_a_complete_account() -> None:
    complete()
    assert missing() == set()
    assert all(line.fix == "" for line in readiness_run(CODE) if line.ok)
    assert lines()["equity"].age_seconds == 0


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("equity", timedelta(seconds=120)),
        ("positions", timedelta(seconds=120)),
        ("drawdown check", timedelta(seconds=180)),
        ("calendar", timedelta(hours=24)),
    ],
)
def test_an_input_is_good_up_to_its_greatest_age(desk_clock: StillClock, name: str, limit: timedelta) -> None:
    complete()
    desk_clock.now = NOON + limit
    assert lines()[name].ok and lines()[name].age_seconds == limit.total_seconds()
    desk_clock.now += timedelta(seconds=1)
    assert not lines()[name].ok and lines()[name].fix


def test_a_bound_on_drift_needs_a_reference_of_the_set_in_use() -> None:
    complete(features={"max_drift": "0.4"})
    assert missing() == {"features' reference"}
    Desk.objects.update(feature_reference=FeatureReferenceFactory())
    assert missing() == {"features' reference"}, "it is of another set"
    Desk.objects.update(feature_reference=FeatureReferenceFactory(feature_set=Desk.objects.get().feature_set))
    assert missing() == set()


@pytest.mark.parametrize(("rule", "name"), [("equity", "equity"), ("calendar", "calendar"), ("features", "features")])
@pytest.mark.parametrize("mode", ["shadow", "off"])
def test_a_rule_in_shadow_or_off_needs_no_input(rule: str, name: str, mode: str) -> None:
    account_under(rules={rule: {"mode": mode, "reason": "not used yet"}})
    assert lines()[name].ok and lines()[name].detail == f"rule {rule} is {mode}: not used yet"


def test_a_stop_is_shown_with_its_reason_and_the_way_out() -> None:
    complete()
    trading_halt(account=CODE, reason="positions differ", actor=MANAGER)
    state = lines()["trading state"]
    assert (state.ok, state.detail) == (False, "account HALTED: positions differ")
    assert state.fix == f"manage.py resume --account {CODE} --reason …"
    desk_halt(reason="exchange down", actor=MANAGER)
    assert lines()["trading state"].fix == "manage.py resume --desk --reason …", "the desk's stop comes first"


def test_a_stop_of_one_instrument_or_algorithm_is_shown_and_leaves_account_and_desk_ready() -> None:
    complete()
    before = Web().get("/readyz")
    for scope, key in ((StopScope.INSTRUMENT, "NQ"), (StopScope.ALGORITHM, "trend")):
        scope_halt(stop_place(scope, key), reason="a fault", actor=MANAGER)
    assert missing() == set()
    assert lines()["stops"].detail == "instrument NQ HALTED: a fault; algorithm trend HALTED: a fault"
    after = Web().get("/readyz")
    assert (after.status_code, after.json()["status"]) == (before.status_code, before.json()["status"])


def test_an_account_each_of_whose_clients_is_stopped_is_not_ready() -> None:
    complete()
    (one,) = Client.objects.all()
    scope_halt(stop_place(StopScope.CLIENT, one.name), reason="a fault", actor=MANAGER)
    assert missing() == {"stops"}
    ClientFactory(account=one.account)
    assert missing() == set()


def test_stops_that_have_ended_leave_nothing_for_the_gate_to_read() -> None:
    place = stop_place(StopScope.INSTRUMENT, "ES")
    for _ in range(10):
        scope_halt(place, reason="a fault", actor=MANAGER)
        scope_resume(place, reason="mended", actor=APPROVER)
    assert StateChange.objects.count() == 20 and not ScopedStop.objects.exists()


def test_memory_is_missing_only_where_it_is_required() -> None:
    complete()
    assert lines()["market memory"].ok
    complete_memory = {"memory": {"required": True}}
    ClientFactory(account=account_under(code="ES-MEMORY", **complete_memory))
    told = {line.name: line for line in readiness("ES-MEMORY")}
    assert not told["market memory"].ok and told["market memory"].fix == "manage.py import_mia market_memory.db"
    ClusterFactory(at=NOON + timedelta(seconds=1))
    assert not {line.name: line for line in readiness("ES-MEMORY")}["market memory"].ok, "it is of the future"
    ClusterFactory(at=NOON)
    assert {line.name: line for line in readiness("ES-MEMORY")}["market memory"].ok


def test_an_unknown_account_is_not_ready() -> None:
    with pytest.raises(AccountUnknown):
        list(readiness("ES-NONE"))
    assert any(not line.ok and "does not exist" in line.detail for line in readiness_run("ES-NONE"))
