"""What a replay found: each decision beside what it would have been, and what that adds up to."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from decisions.replay.feed import Judged
from risk.rules.replay_gate import Replayed
from risk.rules.verdict import VerdictKind

CENT = Decimal("0.01")
OTHERWISE = "otherwise"
"""Why a decision cannot be replayed: asked again under the limits that were in force it gets another answer than it
got, so that what it would get under others is not to be trusted."""


class Turn(StrEnum):
    """What became of a decision under the other limits."""

    SAME = "same"
    BLOCKED = "blocked"
    FREED = "freed"
    RESIZED = "resized"
    UNKNOWN = "not_replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A decision, and what it would have been. `pnl`: the profit of its trade, None where nobody reported any; `would`
    None: it could not be replayed, for the reason `why`."""

    judged: Judged
    would: Replayed | None
    turn: Turn
    why: str = ""

    @property
    def pnl(self) -> Decimal | None:
        """What the trade made: nothing where it was blocked."""
        return self.judged.pnl if self.judged.asked.verdict is not VerdictKind.BLOCK else None

    @property
    def would_pnl(self) -> Decimal | None:
        """What it would have made: of a smaller or larger order its share."""
        if self.would is None or self.turn is Turn.SAME:
            return self.pnl
        if self.would.verdict is VerdictKind.BLOCK or self.judged.pnl is None:
            return None
        return (self.judged.pnl * self._share()).quantize(CENT) if self.turn is Turn.RESIZED else self.judged.pnl

    def _share(self) -> Decimal:
        asked = self.judged.asked
        before = asked.max_quantity or asked.ask.quantity
        after = (None if self.would is None else self.would.max_quantity) or asked.ask.quantity
        return after / before if before and after else Decimal(1)


def compare(judged: Judged, would: Replayed, control: Replayed, lacking: str) -> Compared:
    """Sets the recorded answer beside that of the world; `control` is that of the world under the limits in force."""
    asked = judged.asked
    if lacking:
        return Compared(judged=judged, would=None, turn=Turn.UNKNOWN, why=lacking)
    if (control.verdict, control.max_quantity) != (asked.verdict, asked.max_quantity):
        return Compared(judged=judged, would=None, turn=Turn.UNKNOWN, why=OTHERWISE)
    return Compared(judged=judged, would=would, turn=_turn(asked.verdict, asked.max_quantity, would))


def _turn(verdict: VerdictKind, most: Decimal | None, would: Replayed) -> Turn:
    was_blocked, is_blocked = verdict is VerdictKind.BLOCK, would.verdict is VerdictKind.BLOCK
    if was_blocked != is_blocked:
        return Turn.BLOCKED if is_blocked else Turn.FREED
    return Turn.SAME if (verdict, most) == (would.verdict, would.max_quantity) else Turn.RESIZED


@dataclass(kw_only=True)
class Totals:
    """What the decisions add up to; money in the account's currency.

    `profit` of the trades as they were let through, `would_profit` as they would have been. `missed` is what trades
    that would have been blocked won, `avoided` (>= 0) what they lost, `gained` what freed ones are known to have made.
    `unreported` are blocked and freed decisions without an outcome. `carried` are rules that count as recorded.
    """

    turns: dict[str, int] = field(default_factory=dict)
    profit: Decimal = Decimal(0)
    would_profit: Decimal = Decimal(0)
    missed: Decimal = Decimal(0)
    avoided: Decimal = Decimal(0)
    gained: Decimal = Decimal(0)
    unreported: int = 0
    why: dict[str, int] = field(default_factory=dict)
    carried: dict[str, int] = field(default_factory=dict)

    def take(self, found: Compared) -> None:
        """Adds a decision."""
        self.turns[found.turn] = self.turns.get(found.turn, 0) + 1
        self.profit += found.pnl or 0
        self.would_profit += found.would_pnl or 0
        if found.why:
            self.why[found.why] = self.why.get(found.why, 0) + 1
        for carried in found.judged.asked.carried:
            self.carried[carried.code] = self.carried.get(carried.code, 0) + 1
        if found.turn in {Turn.BLOCKED, Turn.FREED}:
            self._count(found, found.judged.pnl)

    def _count(self, found: Compared, pnl: Decimal | None) -> None:
        if pnl is None:
            self.unreported += 1
        elif found.turn is Turn.FREED:
            self.gained += pnl
        else:
            self.missed += max(pnl, Decimal(0))
            self.avoided += max(-pnl, Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A trading state that began, as it happened or as it would have. `cause`: a limit, a call of stop_trading, or by
    hand."""

    at: datetime
    state: str
    by_limit: bool
    rule: str = ""
    drawdown: str = ""
