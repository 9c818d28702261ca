"""The decision log: `log_decision` of the specification records, `submit` judges and records.

What cannot be recorded is not allowed: either the decision, its features, its journal entry and the projections are
committed together, or the caller gets an error that says "block".
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import transaction

from decisions.inputs import DecisionInput, OutcomeInput
from decisions.judging import Judged, decision_judge, trading_state
from decisions.models import Decision, IdempotencyKey, Outcome, ShadowRow, Verdict
from decisions.selectors import losses_before, message_times
from decisions.shadow import shadow_close, shadow_rows
from mia_site.audit.actors import Actor, command_actor
from mia_site.audit.journal import BATCH, Leaf
from mia_site.audit.models import Entry
from mia_site.audit.receipts import receipt_again, receipt_sign
from mia_site.ops.alerts import alert_raise_outside
from mia_site.ops.clock import database_now
from mia_site.ops.deadline import TROUBLE, answer_deadline, deadline_watch, missed, transaction_within
from mia_site.ops.retry import DATABASE_AWAY, Deadline, retry_within, with_retries
from mia_site.ops.timings import timed
from risk.admissions import trade_end
from risk.alert_texts import NO_ACCOUNT
from risk.equity import time_check
from risk.inputs import InputError
from risk.locking import (
    account_lock,
    account_only,
    desk_lock,
    desk_lock_for_asks,
    owner_lock,
    seq_take,
)
from risk.losses import outcome_apply
from risk.models import AccountState, Admission, Client
from risk.rules.algorithm_register import may_open
from risk.rules.ask import Ask, Effect
from risk.rules.limits import RuleMode, RuleName
from risk.selectors.exposure_book import guards_owner
from risk.selectors.facts import FactsBook
from risk.selectors.limits import limits_readable
from risk.written import Written

log = structlog.get_logger(__name__)
BATCH_DEADLINE_SECONDS = 20.0
KEY_LENGTH = 128


class EngineUnavailable(RuntimeError):
    """The desk cannot judge or record now: the answer is block, and nothing was recorded."""


class KeyReused(ValueError):
    """An Idempotency-Key came again with another body."""


class RowError(InputError):
    """A decision cannot be taken: `index` says which of those sent, `name` is the field in it."""

    def __init__(self, index: int, name: str, value: object, expected: str, *, alone: bool) -> None:
        super().__init__(name if alone else f"[{index}].{name}", value, expected)
        self.index = index
        self.name = name


class OtherAccount(PermissionError):
    """A client named an account that it is not bound to."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A recorded decision and its receipt. `expired`: a replay whose verdict may no longer be acted on."""

    decision: Decision
    leaf: Leaf
    expired: bool = False


@dataclass(frozen=True, slots=True)
class Receipted:
    """Answers in the order asked, and one signed note over every leaf that was written for them."""

    answers: list[Answered]
    note: str
    replayed: bool = False


@timed("submit")
def submit(
    sent: Sequence[DecisionInput],
    *,
    client: Client,
    actor: Actor,
    key: str = "",
    body: bytes = b"",
    deadline: Deadline | None = None,
) -> Receipted:
    """Judges and records decisions of one client, all or nothing.

    A `key` (Idempotency-Key) that was answered before, with the same `body`, gets the stored decisions back.
    Raises `InputError` (field names carry the index in a batch), `OtherAccount`, `KeyReused`, and
    `EngineUnavailable` for anything that kept the desk from recording.
    """
    _check(sent, client, key)
    deadline = deadline or (answer_deadline() if len(sent) == 1 else Deadline(BATCH_DEADLINE_SECONDS))
    try:
        with deadline_watch("submit", deadline, account=client.account.code):
            return retry_within(deadline, lambda: _submit(sent, client, actor, key, body, deadline))
    except TROUBLE as error:
        log.warning("submit_failed", error=type(error).__name__, detail=str(error)[:300])
        if not missed(deadline, error):  # that has an alert of its own
            alert_raise_outside(
                "engine_unavailable",
                priority=4,
                account=client.account.code,
                params={"error": type(error).__name__},
            )
        raise EngineUnavailable(f"{type(error).__name__}: the decision could not be recorded in time") from error


def _check(sent: Sequence[DecisionInput], client: Client, key: str) -> None:
    if len(key) > KEY_LENGTH or not key.isprintable():
        raise InputError("Idempotency-Key", key[:40], f"at most {KEY_LENGTH} printable characters")
    for item in sent:
        if item.account != client.account.code:
            raise OtherAccount(item.account)


def _submit(
    sent: Sequence[DecisionInput], client: Client, actor: Actor, key: str, body: bytes, deadline: Deadline
) -> Receipted:
    with transaction_within(deadline):
        book = _book(client.account.code, sent)
        if key:
            stored = _stored(client, key, body)
            if stored:
                return _replayed(stored, book)
        receipted = _judge_and_write(book, sent, client=client, actor=actor)
        if key:
            IdempotencyKey.objects.create(
                client=client, key=key, body_sha256=_sha256(body), created_at=book.now,
                decision_ids=[str(answered.decision.id) for answered in receipted.answers],
            )  # fmt: skip
    return receipted


def decisions_write(sent: Sequence[DecisionInput], *, account: str, client: Client | None, actor: Actor) -> Receipted:
    """Judges (mode gate) and records decisions of one account in the caller's transaction; the door of every way in."""
    return _judge_and_write(_book(account, sent), sent, client=client, actor=actor)


def _book(account: str, sent: Sequence[DecisionInput]) -> FactsBook:
    desk = desk_lock_for_asks(equity=any(item.equity is not None for item in sent))
    state = account_lock(account)
    limits = limits_readable(state)
    if limits is not None and guards_owner(state, limits):
        owner_lock(state.account.owner)
    return FactsBook(state, desk, database_now(), message_times)


def _judge_and_write(
    book: FactsBook, sent: Sequence[DecisionInput], *, client: Client | None, actor: Actor
) -> Receipted:
    judged = _judge_all(book, sent, client=client, actor=actor)
    leaves = _write(book.state, judged, actor=actor)
    by_id = {leaf.entry_id: leaf for leaf in leaves}
    answers = [Answered(item.decision, by_id[item.decision.id]) for item in judged]
    return Receipted(answers, receipt_sign(leaves, book.now))


def _judge_all(book: FactsBook, sent: Sequence[DecisionInput], *, client: Client | None, actor: Actor) -> list[Judged]:
    judged = []
    for index, item in enumerate(sent):
        try:
            judged.append(decision_judge(book, item, client=client, actor=actor))
        except InputError as error:
            alone = len(sent) == 1
            raise RowError(index, error.field, error.value, error.expected, alone=alone) from error
    return judged


def _write(state: AccountState, judged: Sequence[Judged], *, actor: Actor) -> list[Leaf]:
    """Everything of the transaction through one door; the leaves in the order of the facts."""
    written = Written()
    for item in judged:
        written.add(item.told)
        written.facts.append(item.decision)
        if item.features is not None:
            written.companions.append(item.features)
    leaves = written.record(actor=actor, account=state.account.code)
    Admission.objects.bulk_create([item.admission for item in judged if item.admission is not None], batch_size=BATCH)
    ShadowRow.objects.bulk_create([row for item in judged for row in shadow_rows(item.decision)], batch_size=BATCH)
    state.save()
    return leaves


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _stored(client: Client, key: str, body: bytes) -> list[Decision]:
    row = IdempotencyKey.objects.filter(client=client, key=key).first()
    if row is None:
        return []
    if row.body_sha256 != _sha256(body):
        raise KeyReused(key)
    decisions = Decision.objects.select_related("client").filter(id__in=row.decision_ids)
    found = {str(decision.id): decision for decision in decisions}
    return [found[identifier] for identifier in row.decision_ids]


def _replayed(decisions: Sequence[Decision], book: FactsBook) -> Receipted:
    """The stored decisions again. After expiry, or once state or limits are others, none may be acted on."""
    entries = {entry.id: entry for entry in Entry.objects.filter(id__in=[decision.id for decision in decisions])}
    leaves = [Leaf(decision.id, bytes(entries[decision.id].leaf_hash)) for decision in decisions]
    answers = [
        Answered(decision, leaf, expired=_expired(decision, book))
        for decision, leaf in zip(decisions, leaves, strict=True)
    ]
    return Receipted(answers, receipt_sign(leaves, decisions[0].recorded_at), replayed=True)


def _expired(decision: Decision, book: FactsBook) -> bool:
    if not decision.verdict or decision.valid_until is None:
        return False
    return (
        book.now > decision.valid_until
        or decision.trading_state != trading_state(book, _asked(decision)).value
        or decision.limits_id != book.state.limits_id
        or _taken_back(decision, book)
    )


def _taken_back(decision: Decision, book: FactsBook) -> bool:
    """Whether the algorithm of an opening is no longer in the register that let it open."""
    if decision.effect != Effect.OPENS.value or decision.verdict == Verdict.BLOCK or book.limits is None:
        return False
    enforced = book.limits.rule_mode(RuleName.ALGORITHM_REGISTER) is RuleMode.ENFORCE
    return enforced and not may_open(book.algorithm(_asked(decision)), book.limits.algorithms)


def _asked(decision: Decision) -> Ask:
    """Of a stored decision what stops may single out."""
    return Ask(
        trade_id=decision.trade_id, decision=decision.decision, instrument=decision.instrument,
        algorithm=decision.algorithm, client="" if decision.client is None else decision.client.name,
    )  # fmt: skip


@timed("log_decision")
def log_decision(
    trade_id: str, decision: str, signal_score: float, regime_probs: Mapping[str, float], *,
    account: str | None = None, instrument: str = "ES", actor: Actor | None = None, **details: Any,
) -> UUID:  # fmt: skip
    """Records a decision that was taken elsewhere (the specification's function); returns its id.

    `signal_score` 0..1; `regime_probs` for range, trend, defensive, sum at most 1; `details` as in the API's body.
    Tries three times, 2^attempt seconds apart, while the database is away. Raises `InputError` for values that
    cannot be taken and the database's error where nothing could be recorded; either way an alert tells of it.
    """
    code = account or ""
    try:
        code = account or account_only()
        sent = _sent(
            {
                "account": code, "trade_id": trade_id, "decision": decision, "signal_score": signal_score,
                "regime_probs": dict(regime_probs), "instrument": instrument, "mode": "record", **details,
            }
        )  # fmt: skip
        return with_retries(lambda: _log(sent, actor or command_actor("log_decision")), retry_on=DATABASE_AWAY)
    except Exception as error:
        alert_raise_outside(
            "decision_not_logged", priority=3, account=code,
            params={
                "account": code or NO_ACCOUNT, "trade_id": str(trade_id)[:128],
                "error": f"{type(error).__name__}: {error}"[:500],
            },
        )  # fmt: skip
        raise


def _sent(body: dict[str, Any]) -> DecisionInput:
    try:
        return msgspec.convert(body, DecisionInput)
    except msgspec.ValidationError as error:
        raise InputError("decision", str(body.get("trade_id", ""))[:128], str(error)) from error


def _log(sent: DecisionInput, actor: Actor) -> UUID:
    with transaction.atomic():
        written = decisions_write([sent], account=sent.account, client=None, actor=actor)
    return written.answers[0].decision.id


@timed("record_outcome")
def outcome_record(decision: Decision, told: OutcomeInput, *, actor: Actor) -> tuple[Outcome, Leaf, str]:
    """Records what became of a decision; the newest outcome counts. Returns it with its leaf and receipt.

    A final one counts towards the losses in a row, with the penalties that follow, and ends what the decision's order
    still reserved. An outcome equal to the newest one adds nothing. Raises `InputError`.
    """
    with transaction.atomic():
        desk_lock()
        state = account_lock(decision.account.code)
        seq, now = seq_take(state)
        time_check("closed_at", told.closed_at, now)
        newest = Outcome.objects.filter(decision_id=decision.id).order_by("-seq").first()
        if newest is not None and _same(newest, told):
            return newest, *receipt_again(newest)
        outcome = Outcome(
            account=state.account, seq=seq, decision_id=decision.id, actor=str(actor), recorded_at=now,
            pnl=told.pnl, closed_at=told.closed_at, final=told.final, quantity=told.quantity,
            exit_price=told.exit_price,
        )  # fmt: skip
        written = Written(facts=[outcome])
        if told.final:
            losses = losses_before(state, decision.id) + 1 if told.pnl < 0 else 0
            written.add(outcome_apply(state, pnl=told.pnl, losses=losses, seq=seq, now=now))
            shadow_close(outcome)
            trade_end(decision_id=decision.id, at=told.closed_at)
        state.save()
        leaf = written.record(actor=actor, account=state.account.code)[0]
        return outcome, leaf, receipt_sign([leaf], now)


def _same(newest: Outcome, told: OutcomeInput) -> bool:
    return all(getattr(newest, name) == value for name, value in msgspec.structs.asdict(told).items())
