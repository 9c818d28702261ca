"""Limits as law: tightening takes effect at once, loosening waits for a second person, nothing is ever overwritten."""

from collections.abc import Mapping
from typing import Any

import pytest

from mia_site.audit.models import Entry
from risk.inputs import InputError
from risk.limits_law import LimitsSubmitted, limits_decide, limits_submit
from risk.locking import AccountUnknown
from risk.models import LimitsApproval, LimitsVersion, StateChange
from risk.rules.limits import LimitsError
from tests.factories import AccountFactory
from tests.risk.accounts import APPROVER, CODE, MANAGER, drawdown_rule, report, state_now
from tests.risk.calendars import raised, told
from tests.stillness import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background", "desk_clock")]


def document(value: str = "0.05", pace: int = 10, **parts: Any) -> dict[str, Any]:
    return {"drawdown": [drawdown_rule(value)], "pace": {"max_openings_per_hour": pace}, **parts}


def submit(limits: Mapping[str, Any], reason: str = "the risk committee, May") -> LimitsSubmitted:
    return limits_submit(CODE, limits, actor=MANAGER, reason=reason)


def in_force() -> int | None:
    limits = state_now().limits
    return None if limits is None else limits.version


@pytest.fixture(autouse=True)
def _account() -> None:
    AccountFactory(code=CODE)


def test_the_first_limits_take_effect_at_once_and_are_kept_whole() -> None:
    told_back = submit(document())
    assert (told_back.applied, told_back.changed, told_back.version.version, in_force()) == (True, True, 1, 1)
    body = LimitsVersion.objects.get().body
    assert body["drawdown"][0]["allowance"] == {"of": "reference", "value": "0.05"}
    assert body["freshness"]["equity_seconds"] == 120, "defaults are written down too"
    assert Entry.objects.get(id=told_back.version.pk).why == "the risk committee, May"


def test_tightening_takes_effect_at_once() -> None:
    submit(document("0.05"))
    answer = submit(document("0.04"))
    assert answer.applied and in_force() == 2
    assert answer.version.changes == [
        {"path": "drawdown.max_drawdown.allowance.value", "old": "0.05", "new": "0.04", "direction": "tightens"}
    ]
    assert [alert.priority for alert in raised("limits_applied")] == [2, 2]


@pytest.mark.parametrize(
    "looser", [document("0.06"), document("0.04", pace=20), document(rules={"drawdown": {"mode": "shadow"}})]
)
def test_loosening_even_in_one_part_waits_for_a_second_person(looser: dict[str, Any]) -> None:
    submit(document())
    answer = submit(looser)
    assert (answer.applied, answer.changed, in_force()) == (False, True, 1)
    (alert,) = raised("limits_proposed")
    assert alert.priority == 3 and "v2 by user:1 loosen and wait for a second person" in told(alert)


def test_enforcing_a_shadow_rule_is_a_tightening_and_putting_one_in_shadow_a_loosening() -> None:
    submit(document(rules={"pace": {"mode": "shadow"}}))
    assert submit(document(rules={"pace": {"mode": "enforce"}})).applied and in_force() == 2
    assert not submit(document(rules={"pace": {"mode": "shadow"}})).applied and in_force() == 2


def test_the_same_again_adds_nothing() -> None:
    submit(document())
    again = submit(document())
    assert (again.changed, again.applied, again.version.version) == (False, True, 1)
    submit(document("0.06"))
    proposed = submit(document("0.060"))
    assert (proposed.changed, proposed.applied, proposed.version.version) == (False, False, 2)
    assert LimitsVersion.objects.count() == 2


def test_a_second_person_puts_a_loosening_in_force() -> None:
    submit(document())
    version = submit(document("0.06")).version
    limits_decide(version, approve=True, actor=APPROVER, reason="agreed on the 13th")
    assert in_force() == 2
    approval = LimitsApproval.objects.get()
    assert (approval.approver, approval.reason, approval.approved) == ("user:2", "agreed on the 13th", True)
    assert len(raised("limits_approved")) == 1
    assert report(47_100).state == "ACTIVE", "5.8 % is within the 6 % now in force"


def test_a_rejected_version_stays_out_and_may_be_proposed_anew() -> None:
    submit(document())
    version = submit(document("0.06")).version
    limits_decide(version, approve=False, actor=APPROVER, reason="too much")
    assert in_force() == 1 and len(raised("limits_rejected")) == 1
    assert submit(document("0.06")).version.version == 3


def test_who_proposes_does_not_approve() -> None:
    submit(document())
    version = submit(document("0.06")).version
    with pytest.raises(InputError, match="a second person"):
        limits_decide(version, approve=True, actor=MANAGER, reason="I like it")
    assert in_force() == 1 and not LimitsApproval.objects.exists()


def test_a_version_is_decided_once() -> None:
    first = submit(document()).version
    version = submit(document("0.06")).version
    limits_decide(version, approve=False, actor=APPROVER, reason="no")
    for decided in (first, version):
        with pytest.raises(InputError, match="still proposed"):
            limits_decide(decided, approve=True, actor=APPROVER, reason="yes")


def test_a_proposal_older_than_what_is_in_force_is_void() -> None:
    submit(document())
    old = submit(document("0.06")).version
    submit(document("0.03"))
    with pytest.raises(InputError, match="newer than 3"):
        limits_decide(old, approve=True, actor=APPROVER, reason="late")
    assert in_force() == 3


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001])
def test_limits_need_a_reason(reason: str) -> None:
    with pytest.raises(InputError, match="reason"):
        submit(document(), reason)
    version = submit(document()).version
    with pytest.raises(InputError, match="reason"):
        limits_decide(version, approve=True, actor=APPROVER, reason=reason)


def test_an_unknown_account_and_a_bad_document_are_refused() -> None:
    with pytest.raises(AccountUnknown):
        limits_submit("ES-NONE", document(), actor=MANAGER, reason="x")
    with pytest.raises(LimitsError) as refused:
        submit(document("1.5"))
    assert refused.value.field == "drawdown[0].allowance.value"
    assert not LimitsVersion.objects.exists()


def test_new_limits_judge_the_account_then_and_there() -> None:
    submit(document("0.05"))
    report(48_000)
    submit(document("0.03"))
    assert state_now().state == "REDUCE_ONLY" and StateChange.objects.get().actor == "user:1"
    assert StateChange.objects.get().evidence["floor"] == "48500"


def test_a_rule_that_is_new_knows_the_accounts_history() -> None:
    submit(document("0.05"))
    report(55_000, NOON)
    report(53_000, NOON)
    rules = [drawdown_rule(), drawdown_rule("2000.01", of="amount", name="trailing_money")]
    submit({**document(), "drawdown": rules})
    state = state_now()
    assert state.marks["trailing_money"]["reference"] == "55000" and state.state == "ACTIVE"
    rules[1] = drawdown_rule("1999.99", of="amount", name="trailing_money")
    submit({**document(), "drawdown": rules})
    assert state_now().state == "REDUCE_ONLY", "2,000 below the peak"


def test_a_tightened_rule_keeps_its_mark() -> None:
    submit(document("0.05"))
    report(55_000)
    before = state_now().marks
    submit(document("0.04"))
    assert state_now().marks == before
