"""A replay as curves: equity as it was, and what trades made on either side, in as many pieces as a chart shows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from decisions.replay.compared import Compared
from risk.rules.drawdown import Point

PIECES = 240


@dataclass(kw_only=True)
class Curve:
    """Pieces of equal length from `begin` to `end`: the last equity in each, and the profit of the trades judged in it,
    as they happened and as they would have. Figures for the eye, not for the books."""

    begin: datetime
    end: datetime
    equity: list[float | None] = field(default_factory=lambda: [None] * PIECES)
    profit: list[float] = field(default_factory=lambda: [0.0] * PIECES)
    would_profit: list[float] = field(default_factory=lambda: [0.0] * PIECES)

    def point(self, at: datetime, point: Point) -> None:
        """Takes an equity point in."""
        self.equity[self._piece(at)] = float(point.equity)

    def decision(self, found: Compared) -> None:
        """Takes a decision in."""
        piece = self._piece(found.judged.row.recorded_at)
        self.profit[piece] += float(found.pnl or 0)
        self.would_profit[piece] += float(found.would_pnl or 0)

    def moments(self) -> list[datetime]:
        """Where each piece begins."""
        return [self.begin + place * self._length() for place in range(PIECES)]

    def _piece(self, at: datetime) -> int:
        return min(max(int((at - self.begin) / self._length()), 0), PIECES - 1)

    def _length(self) -> timedelta:
        return max(self.end - self.begin, timedelta(seconds=PIECES)) / PIECES
