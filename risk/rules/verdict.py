"""What comes out of the gate: `Verdict`, the findings of the rules that led to it, and their reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from risk.rules.ask import Effect
from risk.rules.codes import ReasonCode


class VerdictKind(StrEnum):
    ALLOW = "allow"
    REDUCE = "reduce"
    BLOCK = "block"


class Outcome(StrEnum):
    """What one finding asks for."""

    BLOCK = "block"
    REDUCE = "reduce"
    NOTE = "note"
    """It is written down, and counts against nothing."""


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable code, an English sentence, the numbers it was judged on (JSON values), and when to ask again.

    Build one with `risk.rules.reasons.reason`, which writes the sentence from the code and the evidence.
    """

    code: ReasonCode
    message: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule has to say against an ask."""

    rule: str
    outcome: Outcome
    reason: Reason
    max_quantity: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Shadow:
    """A finding that is only written down. `counts`: it would, were its rule enforced."""

    finding: Finding
    counts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer.

    `reasons` is empty on an allow. `shadow` is what did not count: rules in shadow, and, on a decision that reduces,
    rules that failed. `max_quantity` is set on `reduce`; `retry_at` where every reason says when.
    """

    verdict: VerdictKind
    effect: Effect
    reasons: tuple[Reason, ...]
    shadow: tuple[Shadow, ...]
    max_quantity: Decimal | None
    valid_until: datetime
    retry_at: datetime | None

    @property
    def shadow_reasons(self) -> tuple[Reason, ...]:
        """The reasons of what did not count."""
        return tuple(item.finding.reason for item in self.shadow)
