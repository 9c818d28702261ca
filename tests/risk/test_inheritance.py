"""Account over desk: accounts inherit the desk's defaults key by key, and follow them in one transaction."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from decisions.projections import projections_check
from mia_site.audit.models import Entry
from risk.desk_limits import DeskLimitsSubmitted, desk_limits_decide, desk_limits_submit
from risk.import_job import ImportJob
from risk.inputs import InputError
from risk.limits_import import limits_import
from risk.limits_law import LimitsSubmitted, limits_decide, limits_submit
from risk.limits_steps import limits_review
from risk.models import AccountState, DeskLimitsVersion, LimitsVersion, StateChange
from risk.projections import account_check, desk_check
from risk.rules.limits import LimitsError
from risk.rules.loosening import Way
from risk.sources.records import LimitsRecord
from tests.decisions.bots import trading_bot
from tests.factories import AccountFactory, LimitsVersionFactory
from tests.risk.accounts import APPROVER, CODE, MANAGER, drawdown_rule, report, state_now
from tests.risk.test_commands import run
from tests.stillness import StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]
OTHER = "ES-2"
SIX_AN_HOUR: dict[str, Any] = {"drawdown": [drawdown_rule()], "pace": {"max_openings_per_hour": 6}}


def desk(accounts: dict[str, Any] = SIX_AN_HOUR, **sections: Any) -> DeskLimitsSubmitted:
    return desk_limits_submit({"accounts": accounts, **sections}, actor=MANAGER, reason="one desk, one law")


def account(own: dict[str, Any], code: str = CODE) -> LimitsSubmitted:
    if not AccountState.objects.filter(account__code=code).exists():
        AccountFactory(code=code)
    return limits_submit(code, own, actor=MANAGER, reason="its own part")


def limits(code: str = CODE) -> LimitsVersion:
    version = state_now(code).limits
    assert version is not None
    return version


def pace(code: str = CODE) -> int:
    return int(limits(code).body["pace"]["max_openings_per_hour"])


def whole() -> bool:
    return account_check(CODE) == [] and desk_check() == []


def test_an_account_that_sets_nothing_trades_under_what_the_desk_says() -> None:
    desk()
    told = account({})
    assert (told.applied, pace(), limits().own) == (True, 6, {})
    assert limits().desk_limits == DeskLimitsVersion.objects.get()
    assert limits().body["freshness"]["equity_seconds"] == 120, "the document is complete"


def test_a_tighter_desk_tightens_all_that_inherit_at_once_and_no_other() -> None:
    desk()
    account({})
    account({"pace": {"max_openings_per_hour": 8}}, OTHER)
    told = desk(SIX_AN_HOUR | {"pace": {"max_openings_per_hour": 4}})
    assert told.applied
    assert (pace(), limits().version, pace(OTHER), limits(OTHER).version) == (4, 2, 8, 1)
    assert (limits().proposer, limits().reason, limits().desk_limits) == (
        str(MANAGER),
        "one desk, one law",
        told.version,
    )
    assert limits().changes == [
        {"path": "pace.max_openings_per_hour", "old": "6", "new": "4", "direction": "tightens"}
    ]  # fmt: skip
    assert Entry.objects.get(id=limits().pk).account == CODE
    assert whole()


def test_a_looser_desk_waits_for_a_second_person_and_then_all_follow() -> None:
    desk()
    account({})
    account({"order": {"max_quantity": "2"}}, OTHER)
    told = desk(SIX_AN_HOUR | {"pace": {"max_openings_per_hour": 9}})
    assert (told.applied, pace(), pace(OTHER)) == (False, 6, 6)
    desk_limits_decide(told.version, approve=True, actor=APPROVER, reason="agreed")
    assert (pace(), pace(OTHER), limits(OTHER).body["order"]["max_quantity"]) == (9, 9, "2")
    assert (limits().applied, whole()) == (True, True)


def test_the_first_defaults_are_a_loosening_where_they_loosen_an_account() -> None:
    account({"drawdown": [drawdown_rule()]})
    assert pace() == 10, "the program's default"
    assert not desk({"pace": {"max_openings_per_hour": 12}}).applied
    assert desk({"pace": {"max_openings_per_hour": 7}}).applied
    assert pace() == 7


def test_the_first_defaults_of_a_desk_that_nobody_inherits_are_in_force_at_once() -> None:
    assert desk({"pace": {"max_openings_per_hour": 500}, "drawdown": [drawdown_rule()]}).applied


def test_limits_of_before_are_all_the_account_s_own() -> None:
    account_row = AccountFactory(code=CODE)
    version = LimitsVersionFactory(account=account_row)
    AccountState.objects.filter(account=account_row).update(limits=version)
    desk({"pace": {"max_openings_per_hour": 1}})
    assert limits() == version
    complete = run("limits", "export", CODE)
    assert "#" not in complete.partition("\n")[2]
    assert yaml.safe_load(complete)["pace"] == version.body["pace"]


def test_what_is_no_longer_its_own_is_inherited_by_the_law() -> None:
    desk()
    account({"pace": {"max_openings_per_hour": 4}})
    assert not account({}).applied, "from 4 to the desk's 6"
    assert pace() == 4
    same = account({"pace": {"max_openings_per_hour": 4}, "order": {"max_quantity": None}})
    assert (same.applied, same.changed) == (True, True), "the same limits, but one more is its own"
    own = {"pace": {"max_openings_per_hour": 4}, "order": {"max_quantity": None}}
    assert limits().own == own
    assert not account(own).changed


def test_a_proposal_made_under_other_defaults_is_overtaken() -> None:
    desk()
    account({"pace": {"max_openings_per_hour": 4}})
    proposed = account({"order": {"max_quantity": "5"}}).version
    desk(SIX_AN_HOUR | {"pace": {"max_openings_per_hour": 5}})
    with pytest.raises(InputError, match="newer than 3"):
        limits_decide(proposed, approve=True, actor=APPROVER, reason="agreed")
    assert (pace(), limits().changes) == (4, [])


def test_where_one_account_cannot_follow_none_does() -> None:
    desk()
    account({"flat": {"by": "15:00"}})
    account({}, OTHER)
    with pytest.raises(LimitsError, match=rf"accounts \({CODE}\): flat.until"):
        desk(SIX_AN_HOUR | {"flat": {"until": "15:00"}, "pace": {"max_openings_per_hour": 1}})
    assert (pace(OTHER), DeskLimitsVersion.objects.count()) == (6, 1)


def test_an_account_whose_limits_cannot_be_read_is_named() -> None:
    row = AccountFactory(code=CODE)
    AccountState.objects.filter(account=row).update(limits=LimitsVersionFactory(account=row, body={"speed": 5}, own={}))
    with pytest.raises(InputError, match=f"limits can be read, got '{CODE}'"):
        desk()
    assert not DeskLimitsVersion.objects.exists()


def test_an_account_is_judged_then_and_there() -> None:
    desk()
    account({})
    for equity in (50_000, 48_500):
        report(equity)
    desk(SIX_AN_HOUR | {"drawdown": [drawdown_rule("0.02")]})
    assert state_now().state == "REDUCE_ONLY"
    assert StateChange.objects.get(account__code=CODE).evidence["rule"] == "max_drawdown"
    assert whole()


def test_a_broken_glass_of_the_desk_that_is_revoked_takes_the_accounts_back() -> None:
    alone = {"loosening": {"break_glass": True, "review_hours": 4}}
    desk_limits_decide(desk(**alone).version, approve=True, actor=APPROVER, reason="agreed")
    account({})
    wider = {"accounts": SIX_AN_HOUR | {"pace": {"max_openings_per_hour": 60}}, **alone}
    broken = desk_limits_submit(wider, actor=MANAGER, reason="a wide day", way=Way.BREAK_GLASS)
    assert (broken.applied, pace()) == (True, 60)
    limits_review(broken.version, keep=False, actor=APPROVER, reason="no")
    assert (pace(), limits().own, whole()) == (6, {}, True)


def test_after_a_broken_glass_of_its_own_an_account_still_inherits() -> None:
    alone = {"loosening": {"break_glass": True, "review_hours": 4}}
    desk_limits_decide(desk(**alone).version, approve=True, actor=APPROVER, reason="agreed")
    account({"order": {"max_quantity": "2"}})
    own = {"order": {"max_quantity": "9"}}
    broken = limits_submit(CODE, own, actor=MANAGER, reason="a wide day", way=Way.BREAK_GLASS)
    limits_review(broken.version, keep=False, actor=APPROVER, reason="no")
    assert (limits().body["order"]["max_quantity"], limits().own) == ("2", {"order": {"max_quantity": "2"}})
    desk(SIX_AN_HOUR | {"pace": {"max_openings_per_hour": 3}}, **alone)
    assert pace() == 3


def test_each_decision_names_the_desk_s_version_too(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now)
    desk({"freshness": {"equity_seconds": 100}})
    decision = bot.asks().decision
    assert decision.judged_on is not None
    assert (decision.judged_on["desk_limits_version"], decision.limits_version) == (1, 2)


# --- the command line ---------------------------------------------------------------------------------------


def test_export_shows_where_each_value_is_from_and_imports_with_nothing_new(tmp_path: Path) -> None:
    desk()
    account({"order": {"max_quantity": "2"}})
    text = run("limits", "export", CODE)
    assert text.startswith(f"# {CODE}, version 1, under version 1 of the desk's\n")
    assert yaml.safe_load(text) == {"order": {"max_quantity": "2"}}
    lines = text.splitlines()
    assert "# drawdown:" in lines and "#   max_openings_per_hour: 6  # desk" in lines
    assert "#   min_interval_seconds: 0  # default" in lines
    assert yaml.safe_load(run("limits", "export", CODE, "--effective")) == limits().body
    file = tmp_path / "limits.yaml"
    file.write_text(text)
    assert "nothing new" in run("limits", "import", CODE, str(file), "--reason", "again")


def test_an_account_of_the_desk_s_alone_goes_out_and_in_again(tmp_path: Path) -> None:
    desk()
    account({})
    file = tmp_path / "limits.yaml"
    file.write_text(run("limits", "export", CODE))
    assert "nothing new" in run("limits", "import", CODE, str(file), "--reason", "again")


def test_set_changes_its_own_part_and_makes_an_inherited_rule_its_own() -> None:
    desk({"drawdown": [drawdown_rule(mode="static")], "pace": {"max_openings_per_hour": 6}})
    account({})
    run("limits", "set", CODE, "max_drawdown=0.03", "order.max_quantity=1", "--reason", "less")
    own = limits().own
    assert own is not None and set(own) == {"drawdown", "order"}
    [rule] = own["drawdown"]
    assert (rule["mode"], rule["allowance"]["value"], pace()) == ("static", "0.03", 6)


def test_limits_of_a_market_file_become_the_account_s_own() -> None:
    desk()
    account({})
    values: dict[str, object] = {"drawdown": [drawdown_rule("0.04")], "order": {"max_quantity": "3"}}
    job = ImportJob(actor=MANAGER, name="market_config.yaml", account=CODE)
    limits_import(LimitsRecord(values=values, mapped=(), ignored=()), job)
    own = limits().own
    assert own is not None and own["order"] == {"max_quantity": "3"}
    assert (own["drawdown"][0]["allowance"]["value"], "pace" in own, pace()) == ("0.04", False, 6)


def test_the_facts_of_a_following_desk_replay() -> None:
    desk()
    account({})
    report(50_000)
    desk(SIX_AN_HOUR | {"drawdown": [drawdown_rule("0.04")]})
    report(49_000)
    assert [str(found) for found in projections_check()] == []
