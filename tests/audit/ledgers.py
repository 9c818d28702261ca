"""A ledger for tests: facts of several kinds, sealed in several checkpoints."""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from decisions.models import Decision
from mia_site.audit.actors import Actor
from mia_site.audit.evidence import broken_promise_of
from mia_site.audit.journal import Leaf, facts_record
from mia_site.audit.key_facts import bootstrap_keys
from mia_site.audit.models import Checkpoint, ClockReading, Verification
from mia_site.audit.receipts import PROMISE, receipt_sign
from mia_site.audit.sealing import seal_pending
from mia_site.audit.verification.findings import Finding
from mia_site.audit.verification.steps import verification_open, verification_run
from mia_site.ops.append_only import append_only_models, trigger_names
from mia_site.ops.clock import database_now
from mia_site.ops.ids import uuid7
from risk.risk_controller import limits_submit
from tests.factories import LIMITS, AccountFactory, DecisionFactory, FeatureSetFactory

WRITER = Actor("system", "test")


def facts_write(count: int) -> list[Leaf]:
    """`count` small facts, in one transaction."""
    with transaction.atomic():
        rows = [
            ClockReading(synchronised=True, database_offset_ms=place / 8, within_limit=True) for place in range(count)
        ]
        return facts_record(rows, actor=WRITER)


def ledger_grow(*sizes: int) -> list[Leaf]:
    """Facts in batches of `sizes`, each sealed by a checkpoint of its own."""
    leaves: list[Leaf] = []
    for size in sizes:
        leaves += facts_write(size)
        seal_pending()
    return leaves


def decision_sealed() -> Decision:
    """A decision with limits and features in the middle of a ledger of a few hundred leaves."""
    list(bootstrap_keys())
    account = AccountFactory()
    limits = limits_submit(account.code, LIMITS, actor=WRITER, reason="first limits").version
    decision: Decision = DecisionFactory(
        account=account, limits=limits, limits_version=1, feature_set=FeatureSetFactory(), vector=[1.5, 2.5]
    )
    seal_pending()
    ledger_grow(300, 7)
    return decision


def promise_broken() -> tuple[dict[str, Any], Leaf]:
    """The document about a receipt for an entry that never came, and what was promised. Needs keys and a ledger."""
    at = Checkpoint.objects.latest("number").sealed_at - PROMISE - timedelta(seconds=1)
    lost = Leaf(uuid7(), hashlib.sha256(b"lost").digest())
    return broken_promise_of(receipt_sign([lost], at), database_now()), lost


def verify(*, deep: bool = True) -> Verification:
    """A whole verification, begun anew."""
    run = verification_open(database_now(), deep=deep, fresh=True)
    verification_run(run, seconds=600)
    return run


def found(*, deep: bool = True) -> list[Finding]:
    """What a verification finds."""
    return [Finding(**finding) for finding in verify(deep=deep).findings]


def triggers_drop() -> None:
    """What the owner of the database can do."""
    with connection.cursor() as cursor:
        for model in append_only_models():
            table = model._meta.db_table
            for name in trigger_names(table, connection.vendor):
                cursor.execute(f'DROP TRIGGER "{name}"' + ("" if connection.vendor == "sqlite" else f' ON "{table}"'))


def run_sql(statement: str, *values: Any) -> int:
    """Raw SQL; returns how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def notes_of(folder: Path) -> list[Path]:
    """The checkpoints that are published for good."""
    return sorted(folder.glob("*/*.note"))
