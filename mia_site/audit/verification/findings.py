"""What a verification finds, and the stage that finds it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Position = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was recorded. `where` names the entry or row, `field` the part of it."""

    code: str
    where: str
    field: str = ""
    expected: str = ""
    found: str = ""

    def line(self) -> str:
        """One line for people."""
        place = f"{self.where} {self.field}".strip()
        told = f": expected {_short(self.expected)}, found {_short(self.found)}" if self.expected or self.found else ""
        return f"{self.code}: {place}{told}"


def _short(text: str) -> str:
    return (text if len(text) <= 120 else f"{text[:117]}...") or "nothing"


@dataclass(slots=True)
class Step:
    """What one stretch of a stage did. `position` None: the stage is done."""

    position: Position | None
    checked: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the verification. `run(position)` reads one stretch; `total()` is how many rows there are."""

    name: str
    deep: bool
    run: Callable[[Position], Step]
    total: Callable[[], int]


Commitment = Callable[[Sequence[Any]], Iterator[Finding]]
"""For facts of one kind: what is wrong with the rows that they commit to (a vector, the points of a batch)."""

_commitments: dict[str, Commitment] = {}


def commitment_register(label: str, check: Commitment) -> None:
    """`check(facts)` is asked for facts of the model `label` (such as ``risk.equitybatch``), many at once."""
    _commitments[label] = check


def commitment_of(label: str) -> Commitment | None:
    """The check of what facts of `label` commit to."""
    return _commitments.get(label)
