"""Peaks: nothing forgets one but a person, with a reason, as a fact."""

from decimal import Decimal

from django.db import transaction

from mia_site.audit.actors import Actor
from risk.inputs import InputError, reason_check
from risk.locking import account_lock, desk_lock, seq_take
from risk.models import AccountState, PeakRebase
from risk.rules.drawdown import TRAILING, PointError, mark_rebase
from risk.rules.limits import DrawdownLimit
from risk.rules.track import Track, track_dump, track_load
from risk.selectors.limits import limits_readable
from risk.written import Written


def peak_rebase(*, account: str, rule: str, reason: str, actor: Actor, reference: Decimal | None = None) -> PeakRebase:
    """Moves the peak of a trailing rule down to `reference` (the last equity by default). Trading states stay as they
    are; the worst drawdown so far is kept.

    Raises `InputError` for another rule, a breach in doubt, a peak that is not between the last equity and the present
    one, and an empty reason; `AccountUnknown`.
    """
    reason = reason_check(reason)
    with transaction.atomic():
        desk_lock()
        state = account_lock(account)
        limit = _trailing(state, rule)
        track = track_load(state.marks[rule])
        if track.doubt is not None:
            raise InputError("rule", rule, "a rule whose breach is not in doubt")
        seq, now = seq_take(state)
        wanted = track.mark.last_equity if reference is None else reference
        try:
            mark = mark_rebase(track.mark, wanted, now)
        except PointError as error:
            raise InputError("reference", f"{wanted:f}", str(error)) from error
        rebase = PeakRebase(
            account=state.account, seq=seq, rule=limit.name, before=round(track.mark.reference, 4), reference=wanted,
            reason=reason, actor=str(actor), recorded_at=now,
        )  # fmt: skip
        state.marks = state.marks | {rule: track_dump(Track(mark=mark))}
        state.save()
        Written(facts=[rebase]).record(actor=actor, account=account, why=reason)
    return rebase


def rebasable(state: AccountState) -> list[DrawdownLimit]:
    """The rules in force whose peak may be moved: trailing ones that have seen equity."""
    limits = limits_readable(state)
    rules = () if limits is None else limits.drawdown
    return [rule for rule in rules if rule.mode in TRAILING and rule.name in state.marks]


def _trailing(state: AccountState, name: str) -> DrawdownLimit:
    rules = {rule.name: rule for rule in rebasable(state)}
    if name not in rules:
        known = ", ".join(rules) or "none: no trailing rule has seen equity"
        raise InputError("rule", name[:64], f"one of {known}")
    return rules[name]
