"""A replay: two worlds hear the account's history, one under the other limits, one under those that were in force.

The second is the control: where it does not come to the recorded answer, something else than the account's limits and
recorded facts decided (a calendar that was corrected since, a check that came late), and the decision is counted as not
replayed. Equity is taken as recorded, also that of trades which the other limits would not have let through.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from decisions.replay.around import Surroundings
from decisions.replay.compared import Compared, Totals, compare
from decisions.replay.feed import (
    Judged,
    decisions_judged,
    decisions_unjudged,
    feed,
    limits_begun,
    points,
    points_counted,
    seq_before,
)
from decisions.replay.known import lacking
from decisions.replay.start import ground_of, standing_at
from mia_site.ops.retry import Deadline
from mia_site.ops.snapshots import snapshot
from risk.export import Period
from risk.models import Account
from risk.rules.drawdown import Point
from risk.rules.limits import Limits
from risk.rules.replay_gate import asked_again
from risk.rules.replay_standing import Change, Standing
from risk.rules.replay_steps import LimitsBegan, PeakMoved, PointTold, Step
from risk.rules.replay_world import World


@dataclass(kw_only=True)
class Course:
    """Where a replay stands: plain values, so that it can be left and taken up again.

    The limits are followed from the account's first step on, and in force from `first` to `last` (places in the
    account's history). `seq` is the last step taken in. `unjudged` are decisions of the time that were
    never judged here.
    """

    first: int
    last: int
    at: datetime | None
    total: int
    unjudged: int = 0
    seq: int = 0
    checked: int = 0
    begun: bool = False
    finished: bool = False
    other: Standing = field(default_factory=Standing)
    control: Standing = field(default_factory=Standing)
    changes: list[Change] = field(default_factory=list)
    control_changes: list[Change] = field(default_factory=list)
    totals: Totals = field(default_factory=Totals)

    @property
    def stage(self) -> str:
        """What is being read, for a progress bar."""
        return "history" if self.seq < self.first else "replay"


WHAT = "limits_replay"
"""As what the journal says that somebody looked."""
TOLD_EVERY = 500
"""Rows between two looks at the progress."""
Sink = Callable[[Compared], None]
Heard = Callable[[datetime, Point], None]


def course_open(account: Account, period: Period) -> Course:
    """A replay from `since` (or from when the account first had limits: nothing was judged before) to `until`."""
    first_limits = next(limits_begun(account, after=0, upto=2**62), None)
    first = 0 if first_limits is None else first_limits.seq
    at = None if first_limits is None else first_limits.at
    if period.since is not None:
        begins = seq_before(account, period.since) + 1
        first, at = (begins, period.since) if begins > first else (first, at)
    last = seq_before(account, period.until) if period.until is not None else _last(account)
    asked = decisions_judged(account, after=first - 1, upto=last).count()
    total = points_counted(account, upto=last) + asked
    unjudged = decisions_unjudged(account, period, after=first - 1, upto=last)
    return Course(first=first, last=last, at=at, total=total, unjudged=unjudged)


def _last(account: Account) -> int:
    return account.state.seq


class Replay:
    """Goes on with a course. `sink` gets each decision compared, `heard` each equity point that counted."""

    def __init__(
        self, account: Account, limits: Limits, course: Course, *, sink: Sink, heard: Heard | None = None
    ) -> None:
        self.account, self.limits, self.course = account, limits, course
        self._sink, self._heard = sink, heard
        ground = ground_of(account)
        self._other = World(ground, course.other, limits, course.changes.append)
        self._control = World(ground, course.control, _in_force(account, course), course.control_changes.append)
        self._around = Surroundings(account), Surroundings(account)

    def run(self, deadline: Deadline | None = None, told: Callable[[Course], None] | None = None) -> None:
        """Until the end, or the deadline. Raises `PointError` where the limits cannot measure the equity."""
        with snapshot():
            self._run(deadline, told)

    def _run(self, deadline: Deadline | None, told: Callable[[Course], None] | None) -> None:
        course = self.course
        for seq, steps in groupby(self._steps(), key=_seq):
            if course.checked % TOLD_EVERY == 0 and told is not None:
                told(course)
            if deadline is not None and deadline.remaining() <= 0:
                return
            self._take(steps)
            course.seq = seq
        self._begin()
        course.finished = True

    def _steps(self) -> Iterator[Step | Judged]:
        """What is left: first the history that is only followed."""
        course = self.course
        if course.seq < course.first - 1:
            yield from points(self.account, after=course.seq, upto=course.first - 1)
        yield from feed(self.account, after=max(course.seq, course.first - 1), upto=course.last)

    def _take(self, steps: Iterator[Step | Judged]) -> None:
        for step in steps:
            if _seq(step) >= self.course.first:
                self._begin()
                self._hear(step)
            elif isinstance(step, PointTold | PeakMoved):
                self.course.checked += isinstance(step, PointTold)
                self._other.follow(step)
                self._control.follow(step)

    def _begin(self) -> None:
        """The other limits come into force where the replay begins; those in force then go on."""
        course = self.course
        if course.begun:
            return
        course.begun = True
        start = standing_at(self.account, seq=course.first - 1, at=course.at)
        for world in (self._other, self._control):
            world.standing.__dict__.update(deepcopy(start).__dict__, tracks=world.standing.tracks)
        if course.at is not None:
            self._other.begin(course.first, course.at)

    def _hear(self, step: Step | Judged) -> None:
        if isinstance(step, Judged):
            self.course.checked += 1
            self._ask(step)
            return
        self._control.hear(step)
        if isinstance(step, LimitsBegan):
            return
        self._other.hear(step)
        if isinstance(step, PointTold):
            self.course.checked += 1
            if self._heard is not None:
                self._heard(step.at, step.point)

    def _ask(self, judged: Judged) -> None:
        step = judged.asked
        answers, lacks = [], ""
        for world, around in zip((self._control, self._other), self._around, strict=True):
            answers.append(asked_again(world, step, around.at(judged.row, world.limits)))
            lacks = lacking(judged.row, world.limits) or lacks
            if around.session_lacks(step.at, world.limits):
                lacks = "session"
        found = compare(judged, would=answers[1], control=answers[0], lacking=lacks)
        self.course.totals.take(found)
        self._sink(found)


def _seq(step: Step | Judged) -> int:
    return step.asked.seq if isinstance(step, Judged) else step.seq


def _in_force(account: Account, course: Course) -> Limits | None:
    """The limits that were in force where the control stands."""
    upto = max(course.seq, course.first - 1)
    begun = list(limits_begun(account, after=0, upto=upto))
    return begun[-1].limits if begun else None
