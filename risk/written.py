"""What a step of a service wants written: collected, so that one transaction records all of it through one door."""

from dataclasses import dataclass, field

from mia_site.audit.actors import Actor
from mia_site.audit.journal import Leaf, facts_record
from mia_site.ops.facts import Fact


@dataclass(slots=True)
class Written:
    """Facts with an entry each, and companions that a fact of the same batch commits to."""

    facts: list[Fact] = field(default_factory=list)
    companions: list[Fact] = field(default_factory=list)

    def add(self, other: "Written") -> "Written":
        self.facts += other.facts
        self.companions += other.companions
        return self

    def record(self, *, actor: Actor, account: str, why: str = "") -> list[Leaf]:
        """Writes everything with its journal entries; returns one leaf per fact, in order."""
        return facts_record(self.facts, companions=self.companions, actor=actor, account=account, why=why[:2000])
