"""The register of algorithms: entries, a second person's yes or no, and withdrawals. All of them are facts.

They are recorded under the desk's exclusive lock, so that no decision is being judged meanwhile: nothing opens after
a withdrawal.
"""

import re
from decimal import Decimal

from django.db import transaction

from mia_site.audit.actors import Actor
from mia_site.audit.journal import facts_record
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from risk.inputs import InputError, decimal_check, reason_check
from risk.locking import desk_lock
from risk.models import AlgorithmEntry, AlgorithmRuling
from risk.models.algorithm_register import RegisterAction
from risk.rules.messages import gettext_noop
from risk.rules.scopes import algorithm_key
from risk.scoped_stops import ALGORITHM
from risk.selectors.algorithm_register import ruling_last

OWNER_LENGTH = 120
MOST_PER_HOUR = 100_000


def algorithm_register(
    *,
    algorithm: str,
    owner: str,
    reason: str,
    actor: Actor,
    max_quantity: Decimal | None = None,
    max_openings_per_hour: int | None = None,
) -> AlgorithmEntry:
    """Registers an algorithm, or proposes another entry of one; it counts once a second person approves it.

    `algorithm`: as bots name it, its version included. Raises `InputError`.
    """
    key, owner, reason = algorithm_key(algorithm), owner.strip(), reason_check(reason)
    if not re.fullmatch(ALGORITHM, key):
        raise InputError("algorithm", algorithm[:64], gettext_noop("a name of at most 64 characters, as bots send it"))
    if not 1 <= len(owner) <= OWNER_LENGTH or not owner.isprintable():
        raise InputError("owner", owner[:40], gettext_noop("who answers for the algorithm, at most 120 characters"))
    _limits_check(max_quantity, max_openings_per_hour)
    with transaction.atomic():
        desk_lock(exclusive=True)
        entry = AlgorithmEntry(
            key=key, version=AlgorithmEntry.objects.filter(key=key).count() + 1, owner=owner, reason=reason,
            max_quantity=max_quantity, max_openings_per_hour=max_openings_per_hour, proposer=str(actor),
            recorded_at=database_now(),
        )  # fmt: skip
        facts_record([entry], actor=actor, why=reason)
        _alert("algorithm_registered", entry, actor, reason)
    return entry


def _limits_check(max_quantity: Decimal | None, max_openings_per_hour: int | None) -> None:
    try:
        decimal_check("max_quantity", max_quantity, positive=True)
    except ValueError as error:
        raise InputError("max_quantity", str(max_quantity)[:40], gettext_noop("a quantity above 0, or none")) from error
    if max_openings_per_hour is not None and not 1 <= max_openings_per_hour <= MOST_PER_HOUR:
        expected = gettext_noop("a whole number from 1 to 100000, or none")
        raise InputError("max_openings_per_hour", max_openings_per_hour, expected)


def algorithm_decide(entry: AlgorithmEntry, *, approve: bool, reason: str, actor: Actor) -> AlgorithmRuling:
    """A second person's yes or no to an entry. Raises `InputError` where it is decided already, or for who registered
    it."""
    reason = reason_check(reason)
    with transaction.atomic():
        desk_lock(exclusive=True)
        if _ruled(entry) is not None:
            raise InputError("entry", str(entry), gettext_noop("an entry that waits for a second person"))
        if entry.proposer == str(actor):
            expected = gettext_noop("a second person: who registers an algorithm does not approve it")
            raise InputError("approver", str(actor), expected)
        action = RegisterAction.APPROVED if approve else RegisterAction.REJECTED
        alert = "algorithm_approved" if approve else "algorithm_rejected"
        return _rule(entry, action, alert=alert, reason=reason, actor=actor)


def algorithm_withdraw(entry: AlgorithmEntry, *, reason: str, actor: Actor) -> AlgorithmRuling:
    """Takes an entry back, approved or not; no older one takes its place. Raises `InputError` where it is over."""
    reason = reason_check(reason)
    with transaction.atomic():
        desk_lock(exclusive=True)
        if _ruled(entry) not in (None, RegisterAction.APPROVED):
            raise InputError("entry", str(entry), gettext_noop("an entry that is approved or waits for it"))
        return _rule(entry, RegisterAction.WITHDRAWN, alert="algorithm_withdrawn", reason=reason, actor=actor)


def _ruled(entry: AlgorithmEntry) -> RegisterAction | None:
    last = ruling_last(AlgorithmRuling.objects.filter(entry=entry))
    return None if last is None else RegisterAction(last.action)


def _rule(entry: AlgorithmEntry, action: RegisterAction, *, alert: str, reason: str, actor: Actor) -> AlgorithmRuling:
    ruling = AlgorithmRuling(
        entry=entry, action=action.value, actor=str(actor), reason=reason, recorded_at=database_now()
    )  # fmt: skip
    facts_record([ruling], actor=actor, why=reason)
    _alert(alert, entry, actor, reason)
    return ruling


def _alert(code: str, entry: AlgorithmEntry, actor: Actor, reason: str) -> None:
    told: dict[str, str | int] = {"algorithm": entry.key, "version": entry.version, "actor": str(actor)}
    alert_raise(code, priority=3, dedup_key=str(entry.id), params=told | {"reason": reason})
