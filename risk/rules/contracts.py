"""Rule `contracts`: only the contracts that the limits name are opened, the delivery month included."""

from collections.abc import Iterator
from datetime import datetime

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts
from risk.rules.instruments import covers
from risk.rules.limits import Limits, RuleName
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome


def judge(ask: Ask, _facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block an instrument that no entry of `contracts.allowed` means; a root alone is no contract of one month."""
    allowed = limits.contracts.allowed
    if allowed and not any(covers(name, ask.instrument) for name in allowed):
        evidence = {"instrument": ask.instrument, "allowed": ", ".join(allowed)}
        yield Finding(RuleName.CONTRACTS, Outcome.BLOCK, reason(ReasonCode.CONTRACT_NOT_ALLOWED, evidence))
