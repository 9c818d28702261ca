"""The ledger: what sealing costs writers, how fast it is, how long a proof takes, how fast verification reads.

Sides by side in one run: writers alone and with the sealer; proofs in a tree of a thousand and of a million leaves;
verification against the server's own COPY OUT of the same entries.
"""

import argparse
import multiprocessing
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.bench.database import benchmark_database
from tests.bench.table import Promise, show, verdict

WRITERS = 4
BATCH = 100
PROOFS = 300
SMALL = 1_000
"""Leaves of the small tree."""


def run(arguments: Sequence[str]) -> int:
    """Prints the figures and the promised ratios."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench ledger")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round of writing")
    parser.add_argument("--leaves", type=int, default=1_000_000, help="of the large tree")
    parser.add_argument("--deep", type=int, default=100_000, help="of them that are verified deeply, the first ones")
    options = parser.parse_args(arguments)
    with benchmark_database() as server:
        print(f"server: {server}, fsync on; {WRITERS} writers of {BATCH} facts a transaction")
        promises = [*_writing(options.seconds), *_reading(options.leaves, min(options.deep, options.leaves))]
    return verdict(promises)


# Writing


def _writing(seconds: float) -> list[Promise]:
    rounds = [_round(seconds) for _ in range(3)]
    alone, catching_up, beside, sealed = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    show(
        ("rows a second", "median of 3"),
        [
            ("writers alone", f"{alone:,.0f}"),
            ("writers beside the sealer", f"{beside:,.0f}"),
            ("sealed meanwhile", f"{sealed:,.0f}"),
            ("the sealer alone, on what they left", f"{catching_up:,.0f}"),
        ],
    )
    return [
        Promise("writers alone / beside the sealer", alone / beside, 1.10),
        Promise("writers alone / the sealer alone", alone / catching_up, 1.0),
    ]


def _round(seconds: float) -> tuple[float, float, float, float]:
    """Rows a second: writers alone, the sealer alone, then (nothing waits by then) writers beside it, and sealed."""
    alone, _ = _storm(seconds, sealing=False)
    catching_up = _catch_up()
    beside, sealed = _storm(seconds, sealing=True)
    _catch_up()
    return alone, catching_up, beside, sealed


def _storm(seconds: float, *, sealing: bool) -> tuple[float, float]:
    """(rows written a second, rows sealed a second) by processes that begin and end together."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("spawn")
    start, counts = context.Barrier(WRITERS + int(sealing)), context.Queue()
    hands: list[tuple[Callable[..., None], str]] = [(_write, "written")] * WRITERS + [(_seal, "sealed")] * int(sealing)
    processes = [context.Process(target=work, args=(start, counts, seconds)) for work, _name in hands]
    for process in processes:
        process.start()
    told = [counts.get() for _ in processes]
    for process in processes:
        process.join()
    return tuple(sum(count for name, count in told if name == wanted) / seconds for wanted in ("written", "sealed"))


def _write(start: Any, counts: Any, seconds: float) -> None:
    import django

    django.setup()
    from django.db import transaction

    from mia_site.audit.actors import Actor
    from mia_site.audit.journal import facts_record

    actor, count = Actor("system", "bench"), 0
    start.wait()
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        with transaction.atomic():
            facts_record(_facts(BATCH), actor=actor)
        count += BATCH
    counts.put(("written", count))


def _facts(count: int) -> list[Any]:
    from mia_site.audit.models import ClockReading

    return [ClockReading(synchronised=True, database_offset_ms=0.125, within_limit=True) for _ in range(count)]


def _seal(start: Any, counts: Any, seconds: float) -> None:
    """As often as beat asks for it."""
    import django

    django.setup()
    from mia_site.audit.sealing import seal_pending
    from mia_site.celery import PERIODS

    period, count = PERIODS["mia_site.audit.tasks.seal_pending"], 0
    start.wait()
    ends = time.perf_counter() + seconds
    while (left := ends - time.perf_counter()) > 0:
        began = time.perf_counter()
        count += seal_pending(seconds=left).count
        time.sleep(max(0.0, min(left, period - (time.perf_counter() - began))))
    counts.put(("sealed", count))


def _catch_up() -> float:
    from mia_site.audit.sealing import seal_pending

    begun, count = time.perf_counter(), 0
    while step := seal_pending(seconds=60).count:
        count += step
    return count / (time.perf_counter() - begun)


# Reading


def _reading(leaves: int, deeply: int) -> list[Promise]:
    from tests.bench.ledger_rows import entry_bytes, ledger_empty, ledger_fill

    ledger_empty()
    ledger_fill(SMALL)
    small = _proof_seconds(SMALL)
    ledger_fill(deeply)
    deep = _verify_rate(deep=True)
    ledger_fill(leaves)
    large = _proof_seconds(leaves)
    copied, quick = _copy_rate(), _verify_rate(deep=False)
    show(
        ("reading", "figure"),
        [
            (f"proof among {SMALL:,} leaves", f"{small * 1000:.2f} ms"),
            (f"proof among {leaves:,} leaves", f"{large * 1000:.2f} ms"),
            ("canonical text of an entry", f"{entry_bytes():,.0f} bytes"),
            ("COPY OUT of the entries", f"{copied:,.0f} rows/s"),
            ("verify_audit", f"{quick:,.0f} rows/s"),
            (f"verify_audit --deep, of the first {deeply:,}", f"{deep:,.0f} entries/s"),
        ],
    )
    return [
        Promise(f"proof at {leaves:,} / at {SMALL:,}", large / small, 2.0),
        Promise("COPY OUT / verify_audit", copied / quick, 2.0),
    ]


def _proof_seconds(size: int) -> float:
    from mia_site.audit.ledger import inclusion_of
    from mia_site.audit.models import LedgerLeaf

    places = random.Random(7).sample(range(size), min(PROOFS, size))
    ids = list(LedgerLeaf.objects.filter(index__in=places).values_list("entry_id", flat=True))
    for entry_id in ids[:20]:
        inclusion_of(entry_id)
    taken = []
    for entry_id in ids:
        began = time.perf_counter()
        inclusion_of(entry_id)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def _copy_rate() -> float:
    from django.db import connection

    from mia_site.audit.models import Entry

    count = Entry.objects.count()
    began = time.perf_counter()
    with connection.cursor() as cursor, cursor.copy("COPY audit_entry TO STDOUT") as copy:
        for _block in copy:
            pass
    return count / (time.perf_counter() - began)


def _verify_rate(*, deep: bool) -> float:
    from mia_site.audit.models import Entry
    from mia_site.audit.verification.steps import verification_open, verification_run
    from mia_site.ops.clock import database_now

    run = verification_open(database_now(), deep=deep, fresh=True)
    began = time.perf_counter()
    verification_run(run, seconds=3600)
    assert run.findings == [], run.findings[:3]
    return Entry.objects.count() / (time.perf_counter() - began)
