"""Two accounts of one owner and one contract: what opens against the other is blocked or told of."""

from dataclasses import replace
from typing import Any

import pytest

from risk.rules.codes import ReasonCode
from risk.rules.exposure_types import ExposureView, OpposingView
from risk.rules.facts import Facts
from risk.rules.gate import judge
from risk.rules.verdict import VerdictKind
from tests.risk.rules.given import NOW, ago, ask, facts, limits

SELLING = OpposingView(account="ES-TWO", instrument="ES", side="sell", at=ago(minutes=1))
ALLOW, BLOCK = VerdictKind.ALLOW, VerdictKind.BLOCK


def day(action: str, *others: OpposingView) -> Facts:
    return facts(limits=limits(self_match={"action": action}), exposure=ExposureView(opposing=others))


@pytest.mark.parametrize(("action", "verdict"), [("off", ALLOW), ("alert", ALLOW), ("block", BLOCK)])
def test_it_does_what_the_limits_say(action: str, verdict: VerdictKind) -> None:
    assert judge(ask(), day(action, SELLING), NOW).verdict is verdict


def test_an_alert_stands_with_the_decision_and_names_the_accounts() -> None:
    (found,) = judge(ask(), day("alert", SELLING, replace(SELLING, account="ES-SIX")), NOW).shadow_reasons
    assert found.code is ReasonCode.SELF_MATCH
    assert found.evidence["accounts"] == "ES-SIX, ES-TWO"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"side": "buy"}, ALLOW),
        ({"side": ""}, BLOCK),
        ({"instrument": "NQ"}, ALLOW),
        ({"instrument": "ESZ6"}, BLOCK),
    ],
)
def test_the_same_side_and_another_contract_do_not_match(changes: dict[str, Any], verdict: VerdictKind) -> None:
    assert judge(ask(), day("block", replace(SELLING, **changes)), NOW).verdict is verdict


def test_openings_that_could_not_be_read_block_only_where_a_match_does() -> None:
    for action, verdict in (("off", ALLOW), ("alert", ALLOW), ("block", BLOCK)):
        unread = facts(limits=limits(self_match={"action": action}), exposure=None)
        assert judge(ask(), unread, NOW).verdict is verdict
