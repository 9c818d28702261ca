"""Rule `messages`: a bot that sends without pause opens nothing until it is calm again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from risk.rules.ask import Ask
from risk.rules.codes import ReasonCode
from risk.rules.facts import Facts
from risk.rules.limits import Limits, RuleName
from risk.rules.messages import instant
from risk.rules.reasons import reason
from risk.rules.verdict import Finding, Outcome

MINUTE = timedelta(minutes=1)


class MessagesUnknownError(RuntimeError):
    """The account's messages of the last minute could not be counted."""


def judge(_ask: Ask, facts: Facts, limits: Limits, _now: datetime) -> Iterator[Finding]:
    """Block the opening that is one message more than a minute has room for.

    It may be asked again as soon as there is room, if nothing else is sent meanwhile. Raises MessagesUnknownError where
    the messages are not known: the gate turns that into a block.
    """
    limit = limits.pace.max_messages_per_minute
    if limit is None:
        return
    if facts.messages is None:
        raise MessagesUnknownError
    if len(facts.messages) >= limit:
        oldest = facts.messages[limit - 1]
        evidence = {"limit": limit, "oldest_at": instant(oldest)}
        found = reason(ReasonCode.MESSAGES_EXCEEDED, evidence, oldest + MINUTE)
        yield Finding(RuleName.MESSAGES, Outcome.BLOCK, found)
