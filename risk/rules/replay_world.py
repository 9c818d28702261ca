"""An account as it would have been under a course of limits: every step is folded by the rules that judge live.

What limits decide is worked out anew: tracks, stops, losses and their penalties, pace and orders of what was let
through. What they do not decide is taken as recorded: equity, positions, prices, acts of people, desk and calendar.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from risk.rules.breach import breach_target, drawdown_call
from risk.rules.drawdown import TRAILING, breached, floor, mark_rebase, mark_roll, mark_view, view_lowered
from risk.rules.facts import SEVERITY, DrawdownView, TradingState
from risk.rules.limits import DrawdownLimit, Limits, RuleMode, RuleName
from risk.rules.plausibility import implausible_move
from risk.rules.replay_algorithms import algorithm_reviewed
from risk.rules.replay_losses import penalty_lifted, trade_closed
from risk.rules.replay_orders import order_reported, positions_told, trade_ended
from risk.rules.replay_standing import Change, Ground, Standing
from risk.rules.replay_states import States
from risk.rules.replay_steps import (
    AlgorithmReviewed,
    Checked,
    LimitsBegan,
    OrderReported,
    PeakMoved,
    PenaltyLifted,
    PointHeld,
    PointsRuled,
    PointTold,
    PositionsTold,
    StateMoved,
    Step,
    StopCalled,
    TradeClosed,
)
from risk.rules.resume import may_resume, never_resumes, resumes_at
from risk.rules.track import Track, rules_fresh, track_hear, track_settle

CHECKED_WITHIN = timedelta(minutes=2)
"""Within how long the periodic check, which runs every minute, acts on what time alone has decided."""


class World:
    """`hear` folds a step into `standing`; stops and resumes are told to `changed`."""

    def __init__(
        self, ground: Ground, standing: Standing, limits: Limits | None, changed: Callable[[Change], None]
    ) -> None:
        self.ground, self.standing, self.limits = ground, standing, limits
        self._states = States(standing, changed)

    def hear(self, step: Step) -> None:
        """Raises PointError where the limits cannot measure the account's equity."""
        self.wait(step.seq, step.at)
        FOLDS[type(step)](self, step)

    def follow(self, step: PointTold | PeakMoved) -> None:
        """Only measures: what happened before the limits began is history, no peak of it is forgotten."""
        if isinstance(step, PeakMoved):
            self._peak_moved(step)
        elif self.limits is not None:
            for rule in self.limits.drawdown:
                self._heard(rule, step, self.limits, late=False)

    def begin(self, seq: int, at: datetime) -> None:
        """The limits that only followed until now are in force: the account is judged by them then and there."""
        self._check(seq, at)

    def views(self, now: datetime) -> tuple[DrawdownView, ...]:
        """The drawdown rules as measured at `now`."""
        rules, zone = self._tracked(), self.ground.zone
        return tuple(mark_view(rule, mark_roll(rule, track.mark, now, zone)) for rule, track in rules)

    def _limits_begun(self, step: LimitsBegan) -> None:
        standing, limits = self.standing, step.limits
        fresh = rules_fresh(standing.tracks, self.limits, limits)
        rules = [rule for rule in limits.drawdown if rule.name in fresh]
        kept = {rule.name: standing.tracks[rule.name] for rule in limits.drawdown if rule.name not in fresh}
        standing.tracks = kept | self.ground.replayed(rules, limits.confirmation, step.seq)
        self.limits = limits
        self._check(step.seq, step.at)

    def _point_told(self, step: PointTold) -> None:
        standing, limits, point = self.standing, self.limits, step.point
        if limits is not None and implausible_move(standing.equity, point, limits.plausibility) is not None:
            standing.implausible += 1
        standing.heard_seq = step.seq
        late = standing.equity_at is not None and point.at < standing.equity_at
        if not late:
            standing.equity, standing.equity_at = point.equity, point.at
        if limits is None:
            return
        heard = [self._heard(rule, step, limits, late=late) for rule in limits.drawdown]
        self._judge([view for view in heard if view is not None], step.seq, step.at)

    def _heard(self, rule: DrawdownLimit, step: PointTold, limits: Limits, *, late: bool) -> DrawdownView | None:
        """The rule as measured at the point, where it is broken; what a late one says was true once, unless it is in
        doubt."""
        tracks, point = self.standing.tracks, step.point
        track = tracks.get(rule.name) or self.ground.begin(rule, point, step.seq)
        track = tracks[rule.name] = track_hear(rule, track, point, self.ground.zone, limits.confirmation)
        mark = track.mark
        equity = min(mark.last_equity, point.equity) if late and track.doubt is None else mark.last_equity
        if equity >= floor(rule, mark.reference, mark.initial):
            return None
        return view_lowered(mark_view(rule, mark), equity)

    def _peak_moved(self, step: PeakMoved) -> None:
        rules = {rule.name: (rule, track) for rule, track in self._tracked()}
        if step.rule not in rules:
            return
        rule, track = rules[step.rule]
        if rule.mode in TRAILING and track.mark.last_equity <= step.point.equity < track.mark.reference:
            self.standing.tracks[rule.name] = Track(mark=mark_rebase(track.mark, step.point.equity, step.at))

    def _point_held(self, step: PointHeld) -> None:
        standing = self.standing
        standing.held, standing.held_since = standing.held + 1, standing.held_since or step.at

    def _points_ruled(self, step: PointsRuled) -> None:
        self.standing.held, self.standing.held_since = 0, None

    def _checked(self, step: Checked) -> None:
        if step.seq != self.standing.heard_seq:
            self._check(step.seq, step.at)

    def _stop_called(self, step: StopCalled) -> None:
        called = drawdown_call(self.limits, step.drawdown)
        standing = self.standing
        standing.penalty = standing.penalty or called.enforced
        if called.enforced and SEVERITY[TradingState.REDUCE_ONLY] > SEVERITY[standing.state]:
            rule = "" if called.rule is None else called.rule.name
            self._states.enter(
                Change(
                    seq=step.seq, at=step.at, state=TradingState.REDUCE_ONLY, by_limit=True, rule=rule,
                    drawdown=step.drawdown,
                )
            )  # fmt: skip

    def _state_moved(self, step: StateMoved) -> None:
        now, to = SEVERITY[self.standing.state], SEVERITY[step.to_state]
        if step.ended:
            self._end(step.seq, step.at)
        elif to >= SEVERITY[step.from_state]:
            if to >= now:
                self._states.enter(Change(seq=step.seq, at=step.at, state=step.to_state, until=step.until))
        elif to < now:
            self._resume(step)

    def _resume(self, step: StateMoved) -> None:
        """As live: nobody makes an account active that is below a floor."""
        if step.to_state is TradingState.ACTIVE:
            if self._enforced() and any(map(breached, self.views(step.at))):
                self.standing.kept_stopped += 1
                return
            self.standing.penalty = False
        self._states.enter(Change(seq=step.seq, at=step.at, state=step.to_state))

    def _trade_closed(self, step: TradeClosed) -> None:
        trade_closed(self.standing, self.limits, step)
        trade_ended(self.standing, step)

    def wait(self, seq: int, now: datetime) -> None:
        """What time alone decides up to `now`, where the check that acts on it left no trace: as of when it was due."""
        due = self.standing.overdue or self.standing.until
        if due is not None and due + CHECKED_WITHIN <= now and not (self._end(seq, due) or self._end(seq, now)):
            self.standing.overdue = now
        seconds = None if self.limits is None else self.limits.confirmation.seconds
        if seconds is None:
            return
        doubts = [track.doubt for track in self.standing.tracks.values() if track.doubt is not None]
        due = min((doubt.since + timedelta(seconds=seconds) for doubt in doubts), default=None)
        if due is not None and due + CHECKED_WITHIN <= now:
            self._check(seq, due)

    def _check(self, seq: int, at: datetime) -> None:
        limits = self.limits
        if limits is None:
            return
        for rule, track in self._tracked():
            if track.doubt is not None:
                settled = track_settle(rule, track, at, self.ground.zone, limits.confirmation)
                self.standing.tracks[rule.name] = settled
        self._judge(self.views(at), seq, at)

    def _judge(self, views: Sequence[DrawdownView], seq: int, at: datetime) -> None:
        standing, limits = self.standing, self.limits
        if limits is None or not (views or standing.penalty):
            return
        target = breach_target(limits, views, standing.state, on_record=standing.penalty)
        outlasts = self._states.own_stop() is not None and self._enforced() and never_resumes(views)
        if target is None and outlasts:
            target = standing.state
        if target is None:
            if standing.penalty and standing.state is TradingState.ACTIVE and not any(map(breached, views)):
                standing.penalty = False
            return
        standing.penalty = True
        if outlasts or (self._enforced() and SEVERITY[target] > SEVERITY[standing.state]):
            self._stop(target, [view for view in views if breached(view)], limits, seq, at)

    def _stop(self, to: TradingState, broken: Sequence[DrawdownView], limits: Limits, seq: int, at: datetime) -> None:
        worst = max(broken, key=lambda view: view.drawdown)
        until = resumes_at(broken, at, partial(self.ground.session_next, limits.session.hours))
        self._states.enter(
            Change(
                seq=seq, at=at, state=to, until=until, by_limit=True, rule=worst.rule.name, drawdown=worst.drawdown,
                equity=worst.equity, floor=worst.floor,
            )
        )  # fmt: skip

    def _end(self, seq: int, now: datetime) -> bool:
        """Whether the timed stop is over, and was ended; a limit's own goes on below a floor."""
        standing, own = self.standing, self._states.own_stop()
        if standing.until is None or standing.until > now or not (own is None or self._may_resume(own, now)):
            return False
        self._states.end(seq, now, own=own, broken=standing.penalty and self._enforced())
        return True

    def _may_resume(self, own: Change, now: datetime) -> bool:
        rules = () if self.limits is None else self.limits.drawdown
        doubt = any(track.doubt is not None for track in self.standing.tracks.values())
        return may_resume(rules, own.rule, self.views(now), doubt=doubt)

    def _enforced(self) -> bool:
        return self.limits is None or self.limits.rule_mode(RuleName.DRAWDOWN) is RuleMode.ENFORCE

    def _tracked(self) -> list[tuple[DrawdownLimit, Track]]:
        rules = () if self.limits is None else self.limits.drawdown
        return [(rule, self.standing.tracks[rule.name]) for rule in rules if rule.name in self.standing.tracks]


def _kept(fold: Callable[[Standing, Any], None]) -> Callable[[World, Any], None]:
    """A fold that asks for nothing but what is remembered."""
    return lambda world, step: fold(world.standing, step)


FOLDS: dict[type[Step], Callable[[World, Any], None]] = {
    LimitsBegan: World._limits_begun,
    PointTold: World._point_told,
    PeakMoved: World._peak_moved,
    PointHeld: World._point_held,
    PointsRuled: World._points_ruled,
    Checked: World._checked,
    StopCalled: World._stop_called,
    StateMoved: World._state_moved,
    TradeClosed: World._trade_closed,
    PenaltyLifted: _kept(penalty_lifted),
    PositionsTold: _kept(positions_told),
    AlgorithmReviewed: _kept(algorithm_reviewed),
    OrderReported: _kept(order_reported),
}
"""How each kind of step is folded."""
