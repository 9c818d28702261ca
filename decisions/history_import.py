"""Imported history of decisions, with what became of them. It has no verdict and no effect, counts for no
pace and stops nothing.

A decision is known again by time, trade, decision, score and regimes, the n-th equal row of a file by the
n-th equal decision of the account, live or imported. Overlapping files add nothing twice, and a later file
that knows the outcome of a known decision adds only that.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from decisions.export import trade_text
from decisions.models import Decision, Mode, Outcome
from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from risk.history_import import equity_add, numbered
from risk.import_job import ImportJob, Tally, future_error, text_error
from risk.locking import account_lock
from risk.models import AccountState
from risk.models.columns import Origin
from risk.sources.records import DecisionRecord, RowError
from risk.written import Written

TRADE_CHARS = 128
INSTRUMENT_CHARS = 32


@dataclass(frozen=True, slots=True)
class _Row:
    """A record and its number among those of the file that are equal to it, as a decision and as an equity
    point.
    """

    record: DecisionRecord
    number: int
    equity_number: int


def decisions_import(records: Sequence[DecisionRecord], job: ImportJob) -> Tally:
    """The decisions of a file as facts of the account, oldest first. Raises `ImportRefused` without an
    account.

    A row counts as imported if anything of it was new: the decision, its outcome, or its equity.
    """
    account, now, tally = job.account_row(), database_now(), Tally()
    past = []
    for record in sorted(records, key=lambda record: record.at):
        error = _row_error(record, now)
        if error:
            tally.errors.append(error)
        else:
            past.append(record)
    unnamed = sum(not record.trade_id for record in past)
    if unnamed:
        tally.notes.append(f"decisions that name no trade, named by their time: {unnamed}")
    for portion in job.portions(_rows(past)):
        with job.step():
            state = account_lock(account.code)
            written, imported = _portion(portion, state, job.actor)
            if written.facts:
                state.save(update_fields=["seq"])
                written.record(actor=job.actor, account=account.code, why=job.why)
        tally.imported += imported
        tally.unchanged += len(portion) - imported
    return tally


def _row_error(record: DecisionRecord, now: datetime) -> RowError | None:
    return (
        future_error(record.line, "timestamp", record.at, now)
        or text_error(record.line, "trade_id", record.trade_id, TRADE_CHARS)
        or text_error(record.line, "instrument", record.instrument, INSTRUMENT_CHARS)
    )


def _rows(records: Sequence[DecisionRecord]) -> list[_Row]:
    numbers = numbered(_record_key(record) for record in records)
    equities = numbered(record.equity for record in records)
    return [_Row(*row) for row in zip(records, numbers, equities, strict=True)]


def content_key(
    at: datetime, trade_id: str, decision: str, score: float | None, regimes: Mapping[str, float] | None
) -> Hashable:
    """What makes two decisions of an account the same to an import."""
    probabilities = tuple(sorted((name, float(value)) for name, value in (regimes or {}).items()))
    return at, trade_text(trade_id, at), decision, score, probabilities


def _record_key(record: DecisionRecord) -> Hashable:
    return content_key(record.at, record.trade_id, record.decision, record.signal_score, record.regime_probs)


def _portion(rows: Sequence[_Row], state: AccountState, actor: Actor) -> tuple[Written, int]:
    """What the locked account does not have yet of `rows`, and of how many rows that is something."""
    known = _known(rows, state)
    settled = _settled(rows, known)
    written, touched = Written(), set()
    for place, row in enumerate(rows):
        ids = known[_record_key(row.record)]
        if row.number > len(ids):
            decision = _decision(row.record, state, actor)
            written.facts.append(decision)
            decision_id, is_new = decision.id, True
        else:
            decision_id, is_new = ids[row.number - 1], False
        outcome = row.record.outcome is not None and decision_id not in settled
        if outcome:
            written.facts.append(_outcome(row.record, decision_id, state, actor))
        if is_new or outcome:
            touched.add(place)
    with_equity = [(place, row) for place, row in enumerate(rows) if row.record.equity]
    points = [(row.record.equity, row.equity_number) for _, row in with_equity if row.record.equity]
    equity, new = equity_add(state, points)
    touched.update(place for (place, _), is_new in zip(with_equity, new, strict=True) if is_new)
    return written.add(equity), len(touched)


def _known(rows: Sequence[_Row], state: AccountState) -> Mapping[Hashable, list[UUID]]:
    """Content -> ids of the account's decisions with it, in the order of their recording."""
    times = {row.record.at for row in rows}
    stored = Decision.objects.filter(account=state.account, at__in=times).order_by("seq")
    known: dict[Hashable, list[UUID]] = defaultdict(list)
    columns = ("id", "at", "trade_id", "decision", "signal_score", "regime_probs")
    for decision_id, at, trade_id, decision, score, regimes in stored.values_list(*columns):
        known[content_key(at, trade_id, decision, score, regimes)].append(decision_id)
    return known


def _settled(rows: Sequence[_Row], known: Mapping[Hashable, list[UUID]]) -> set[UUID]:
    """Those of the known decisions that have an outcome: what was said first, or live, stands."""
    if not any(row.record.outcome for row in rows):
        return set()
    ids = [decision_id for equal in known.values() for decision_id in equal]
    return set(Outcome.objects.filter(decision_id__in=ids).values_list("decision_id", flat=True))


def _decision(record: DecisionRecord, state: AccountState, actor: Actor) -> Decision:
    state.seq += 1
    return Decision(
        account=state.account,
        seq=state.seq,
        actor=str(actor),
        origin=Origin.IMPORTED,
        mode=Mode.RECORD,
        at=record.at,
        trade_id=trade_text(record.trade_id, record.at),
        decision=record.decision,
        signal_score=record.signal_score,
        regime_probs=record.regime_probs,
        instrument=record.instrument,
        side=record.side or "",
        quantity=record.quantity,
        price=record.price,
        reason=record.reason,
        context=record.context or None,
    )


def _outcome(record: DecisionRecord, decision_id: UUID, state: AccountState, actor: Actor) -> Outcome:
    assert record.outcome is not None
    state.seq += 1
    return Outcome(
        account=state.account,
        seq=state.seq,
        decision_id=decision_id,
        pnl=record.outcome.pnl,
        closed_at=record.outcome.closed_at,
        quantity=record.outcome.quantity,
        exit_price=record.outcome.exit_price,
        actor=str(actor),
        origin=Origin.IMPORTED,
    )
