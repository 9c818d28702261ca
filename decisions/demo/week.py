"""The synthetic week: a bot trades five sessions, and the real gate judges each of its questions at its moment.

Pure and deterministic: the same sessions and the same world give the same week. Each day has its story, so that
every page of the admin has something to show: features missing, too fast a pace, a blackout, a stop, a quiet day.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from decisions.demo.account import Equity, Held, Lifted, Shot, SimulatedAccount, World
from decisions.demo.features import feature_values
from decisions.demo.sessions import Session
from risk.rules.ask import Ask, Side
from risk.rules.facts import Facts, TradingState
from risk.rules.gate import judge
from risk.rules.verdict import Verdict, VerdictKind

SEED = "synthetic week 7"
SESSION_MINUTES = 390
START_PRICE = 6000.0
TICK = Decimal("0.25")
REPORT_EVERY, SNAPSHOT_EVERY = 10, 15
BURST_CADENCE = 2
USUAL, LARGE, TOO_LARGE = Decimal(1), Decimal(4), Decimal(6)
RIGHT = 0.62
"""How often the synthetic model is right: it sees the synthetic future."""
HOLDS, HOLDS_STOPPED = 0.25, 0.8


@dataclass(frozen=True, slots=True)
class Story:
    """What a session brings, in minutes from its opening: the feed of two feature families fails, the bot asks
    every two minutes, it asks once for more than the cap, it holds four contracts while the price falls."""

    failing: range = range(0)
    burst: range = range(0)
    too_large: int = SESSION_MINUTES
    fall: range = range(0)
    fall_points: float = 0.0


STORIES = (
    Story(failing=range(150, 195), too_large=60),
    Story(burst=range(90, 180)),
    Story(),  # the synthetic FOMC statement
    Story(fall=range(100, 150), fall_points=14.0),
    Story(failing=range(20, 50), too_large=70),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question at `at`, what it was judged on, and the answer; a missing feature is NaN in `vector`."""

    at: datetime
    ask: Ask
    facts: Facts
    verdict: Verdict
    vector: list[float]
    regimes: dict[str, float]


@dataclass(frozen=True, slots=True)
class Closed:
    """What became of the opening at `place` of the week's questions."""

    place: int
    at: datetime
    pnl: Decimal
    quantity: Decimal
    exit_price: Decimal


@dataclass
class Week:
    """Everything of the week, each list oldest first. It ends flat, with `balance`."""

    balance: Decimal
    asked: list[Asked] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    reported: list[Equity] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    lifted: list[Lifted] = field(default_factory=list)


def week(sessions: Sequence[Session], world: World) -> Week:
    """The week of these five sessions; the last may be cut short."""
    account = SimulatedAccount(world, world.initial)
    told = Week(world.initial, reported=account.reported, held=account.held, shots=account.shots, lifted=account.lifted)
    price = START_PRICE
    for session, story in zip(sessions, STORIES, strict=True):
        account.resume(session.opens_at - timedelta(minutes=10), "demo: looked at with the bot's owner, it may go on")
        day = _Day(session, story, account, told, price)
        day.trade()
        price = day.path[-1] + day.rng.gauss(0, 4)
    told.balance = account.balance
    return told


class _Day:
    """One session of the bot."""

    def __init__(self, session: Session, story: Story, account: SimulatedAccount, told: Week, price: float) -> None:
        self.session, self.story, self.account, self.told = session, story, account, told
        self.rng = Random(f"{SEED} {session.place}")  # noqa: S311 - it is to be the same each time
        self.path = _path(self.rng, price, story)
        self.asks = _schedule(self.rng, story)
        self.large_asked = False
        self.trades = 0
        self.opened: tuple[str, int] | None = None
        """Trade and place of the opening that is held."""

    def trade(self) -> None:
        for minute in range(self.session.minutes + 1):
            at = self.session.opens_at + timedelta(minutes=minute)
            if minute % REPORT_EVERY == 0:
                self.account.report(at, self._price(minute))
            if minute % SNAPSHOT_EVERY == 0:
                self.account.snapshot(at)
            if minute == self.session.minutes:
                self._leave(minute, at)
            elif minute in self.asks:
                self._act(minute, at + timedelta(seconds=self.rng.randrange(5, 50)))

    def _act(self, minute: int, at: datetime) -> None:
        following = next((later for later in self.asks if later > minute), SESSION_MINUTES)
        if self.account.position:
            self._leave(minute, at)
        elif minute == self.story.fall.start and self.story.fall:
            self._open(minute, at, Side.BUY, LARGE)
        elif following == self.story.fall.start or self.rng.random() < self._holds():
            self._ask(minute, at, "hold", None, None, self._trade_name())
        else:
            too_large = minute >= self.story.too_large and not self.large_asked
            self.large_asked |= too_large
            rises = self.path[following] > self.path[minute]
            right = too_large or self.rng.random() < RIGHT
            self._open(minute, at, Side.BUY if rises == right else Side.SELL, TOO_LARGE if too_large else USUAL)

    def _holds(self) -> float:
        """A bot that is stopped still asks, but seldom."""
        return HOLDS if self.account.state.state is TradingState.ACTIVE else HOLDS_STOPPED

    def _open(self, minute: int, at: datetime, side: Side, quantity: Decimal) -> None:
        trade = self._trade_name()
        verdict = self._ask(minute, at, side.value, side, quantity, trade)
        if verdict.verdict is VerdictKind.BLOCK:
            return
        self.account.openings.append(at)
        self.account.fill(side, verdict.max_quantity or quantity, self._price(minute))
        self.account.hold(at + timedelta(seconds=1))
        self.opened = (trade, len(self.told.asked) - 1)

    def _leave(self, minute: int, at: datetime) -> None:
        """Closes what is held; an exit passes in reduce-only too."""
        if self.opened is None:
            return
        trade, place = self.opened
        quantity, side = abs(self.account.position), Side.SELL if self.account.position > 0 else Side.BUY
        verdict = self._ask(minute, at, side.value, side, quantity, trade)
        if verdict.verdict is VerdictKind.BLOCK:
            return
        price = self._price(minute)
        pnl = self.account.fill(side, quantity, price)
        after = at + timedelta(seconds=1)
        self.account.report(after, price)
        self.told.closed.append(Closed(place, after, pnl, quantity, price))
        self.opened = None

    def _ask(
        self, minute: int, at: datetime, word: str, side: Side | None, quantity: Decimal | None, trade: str
    ) -> Verdict:
        """Tells equity and position, then asks the gate."""
        price = self._price(minute)
        self.account.report(at, price)
        score = self.rng.uniform(0.3, 0.5) if side is None else self.rng.uniform(0.55, 0.95)
        ask = Ask(
            trade_id=trade, decision=word, instrument=self.account.world.instrument, side=side, quantity=quantity,
            price=price if side else None, decided_at=at, signal_score=round(score, 3),
        )  # fmt: skip
        vector = feature_values(self.rng, len(self.account.world.names), failing=minute in self.story.failing)
        facts = self.account.facts(at, vector)
        verdict = judge(ask, facts, at)
        self.told.asked.append(Asked(at, ask, facts, verdict, vector, _regimes(self.rng)))
        return verdict

    def _price(self, minute: int) -> Decimal:
        return (Decimal(str(self.path[minute])) / TICK).quantize(Decimal(1)) * TICK

    def _trade_name(self) -> str:
        self.trades += 1
        return f"demo-{self.session.opens_at:%Y%m%d}-{self.trades:03d}"


def _path(rng: Random, price: float, story: Story) -> list[float]:
    """The price minute by minute."""
    path = [price]
    falling = story.fall_points / len(story.fall) if story.fall else 0.0
    for minute in range(SESSION_MINUTES):
        noise = rng.gauss(0, 0.3 if minute in story.fall else 0.9)
        path.append(round(path[-1] + noise - (falling if minute in story.fall else 0.0), 4))
    return path


def _schedule(rng: Random, story: Story) -> list[int]:
    """The minutes at which the bot asks."""
    minutes, minute = [], 4
    while minute < SESSION_MINUTES - 5:
        minutes.append(minute)
        minute += BURST_CADENCE if minute in story.burst else rng.randint(8, 13)
    outside = [minute for minute in minutes if minute not in story.fall]
    return sorted({*outside, story.fall.start, story.fall.stop}) if story.fall else minutes


def _regimes(rng: Random) -> dict[str, float]:
    """Three probabilities whose sum is 1, to three decimals."""
    first, second = sorted((rng.randint(50, 950), rng.randint(50, 950)))
    shares = {"range": first, "trend": second - first, "defensive": 1000 - second}
    return {name: share / 1000 for name, share in shares.items()}
