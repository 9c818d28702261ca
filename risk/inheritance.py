"""Account over desk: where the desk's defaults for accounts change, the accounts that inherit from them follow.

All of them follow in the transaction that puts the desk's version in force, under the desk's exclusive lock: each gets
a version of its own, complete, so that judging reads one row and proving needs no other.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import Count, Max
from django.utils.translation import gettext_noop

from mia_site.audit.actors import Actor
from risk.inputs import InputError
from risk.limits_law import change_plain, limits_enforce
from risk.locking import account_lock, seq_take
from risk.models import AccountState, DeskLimitsVersion, LimitsVersion
from risk.rules.limits import Limits, LimitsError, limits_diff, limits_dump, limits_parse, tightens
from risk.rules.limits_own import document_over
from risk.selectors.limits import LimitsUnreadable, limits_of
from risk.written import Written

Defaults = Mapping[str, Any]


class _Heir(NamedTuple):
    """An account that inherits, with its limits in force and those under other defaults.

    `newest` is its newest version, in force or not.
    """

    state: AccountState
    now: Limits
    then: Limits
    newest: int

    @property
    def follows(self) -> bool:
        """Whether it needs a new version: other limits, or newer proposals, made under the defaults of before, to be
        overtaken."""
        assert self.state.limits is not None
        return self.now != self.then or self.newest > self.state.limits.version


def accounts_loosened(defaults: Defaults) -> bool:
    """Whether these defaults would loosen the limits of any account that inherits.

    Raises `LimitsError`, and `InputError` where those in force cannot be read.
    """
    return any(not tightens(heir.now, heir.then) for heir in _heirs(defaults))


def accounts_follow(version: DeskLimitsVersion, defaults: Defaults, *, actor: Actor) -> None:
    """Puts the accounts' limits under the defaults of the desk's `version` in force and judges them then and there.

    The caller holds the desk exclusively. Raises `LimitsError` where an account's own limits do not go with the
    defaults: then nothing is written.
    """
    for heir in [heir for heir in _heirs(defaults) if heir.follows]:
        _follow(heir, version, actor)


def _heirs(defaults: Defaults) -> Iterator[_Heir]:
    """Accounts whose limits in force, or proposed since, say what is their own. By code, each read once."""
    known = LimitsVersion.objects.order_by().values("account").annotate(newest=Max("version"), owning=Count("own"))
    newest = dict(known.filter(owning__gt=0).values_list("account", "newest"))
    states = AccountState.objects.select_related("account", "limits").filter(account__in=list(newest))
    for state in states.order_by("account__code").iterator(chunk_size=1_000):
        now = _readable(state)
        if now is not None:
            yield _Heir(state, now, _under(defaults, state, now), newest[state.account_id])


def _readable(state: AccountState) -> Limits | None:
    try:
        return limits_of(state)
    except LimitsUnreadable as error:
        raise InputError("accounts", state.account.code, gettext_noop("accounts whose limits can be read")) from error


def _under(defaults: Defaults, state: AccountState, now: Limits) -> Limits:
    assert state.limits is not None
    if state.limits.own is None:
        return now
    try:
        return limits_parse(document_over(state.limits.own, defaults))
    except LimitsError as error:
        raise LimitsError(f"accounts ({state.account.code}): {error.field}", error.value, error.expected) from error


def _follow(heir: _Heir, desk: DeskLimitsVersion, actor: Actor) -> None:
    state = account_lock(heir.state.account.code)
    assert state.limits is not None
    seq, now = seq_take(state)
    version = LimitsVersion(
        account=state.account, version=heir.newest + 1, seq=seq, body=limits_dump(heir.then),
        own=state.limits.own, desk_limits=desk, applied=True, proposer=desk.proposer, reason=desk.reason,
        changes=[change_plain(change) for change in limits_diff(heir.now, heir.then)], recorded_at=now,
    )  # fmt: skip
    written = Written(facts=[version]).add(limits_enforce(state, version, actor=actor, seq=seq, now=now))
    written.record(actor=actor, account=state.account.code, why=desk.reason)
    state.save()
