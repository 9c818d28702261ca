"""Hands of the ledger, each a process of its own: `python -m tests.process.ledger_hands write|seal`.

A writer writes out every leaf once its transaction has committed, as a bot that has its receipt would note it down.
"""

import sys
import time

import django

PAUSE_SECONDS = 0.05
FACTS = 20


def write() -> None:
    """Small transactions without end; writes out what each was acknowledged with."""
    from django.db import transaction

    from mia_site.audit.actors import Actor
    from mia_site.audit.journal import facts_record
    from mia_site.audit.models import ClockReading

    while True:
        with transaction.atomic():
            rows = [ClockReading(synchronised=True, within_limit=True) for _ in range(FACTS)]
            leaves = facts_record(rows, actor=Actor("system", "writer"))
        for leaf in leaves:
            sys.stdout.write(f"{leaf.entry_id} {leaf.leaf_hash.hex()}\n")
        sys.stdout.flush()


def seal() -> None:
    """Seals without end, as beat and worker have it done."""
    from mia_site.audit.sealing import seal_pending

    while True:
        sealed = seal_pending(seconds=5)
        sys.stdout.write(f"{sealed.size}\n")
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    django.setup()
    {"write": write, "seal": seal}[sys.argv[1]]()
