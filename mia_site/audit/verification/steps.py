"""Running a verification: stage after stage, in stretches, from where the last one stopped."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction

from mia_site.audit.models import Verification
from mia_site.audit.verification.checkpoint_stage import NOTES, OUTSIDE
from mia_site.audit.verification.fact_stages import ENTRIES, QUEUE, fact_stages
from mia_site.audit.verification.findings import Stage, Step
from mia_site.audit.verification.tree_stage import TREE
from mia_site.ops.alerts import alert_raise
from mia_site.ops.clock import database_now
from mia_site.ops.retry import Deadline
from mia_site.ops.snapshots import snapshot
from mia_site.ops.timings import timed

EVERY = timedelta(days=1)
ABANDONED = timedelta(days=7)
"""A run that nobody has gone on with for so long is begun anew."""
STEP_SECONDS = 5.0
"""Of one task: short, so that a worker that is asked to stop soon has."""
FINDINGS_KEPT = 100


def stages(*, deep: bool) -> list[Stage]:
    """The parts of a verification, in order."""
    quick = [TREE, NOTES, OUTSIDE, QUEUE]
    return [*quick, ENTRIES, *fact_stages()] if deep else quick


def rows_total(*, deep: bool) -> int:
    """About how many rows a run reads, for its progress bar."""
    return sum(stage.total() for stage in stages(deep=deep))


def verification_open(now: datetime, *, deep: bool, fresh: bool = False) -> Verification:
    """The unfinished run of this depth, or (or if `fresh`) a new one."""
    run = None if fresh else Verification.objects.filter(deep=deep, finished_at=None).order_by("-id").first()
    if run is None or now - run.touched_at > ABANDONED:
        run = Verification.objects.create(deep=deep, started_at=now, touched_at=now, stage=stages(deep=deep)[0].name)
    return run


def verification_run(run: Verification, *, seconds: float, told: Callable[[Verification], None] | None = None) -> None:
    """Goes on with `run` for about `seconds`; each stretch is kept, so that a kill loses at most one."""
    deadline = Deadline(seconds)
    order = stages(deep=run.deep)
    names = [stage.name for stage in order]
    while run.finished_at is None and deadline.remaining() > 0:
        place = names.index(run.stage) if run.stage in names else 0
        with timed("verify_audit"):
            with snapshot():
                step = order[place].run(run.position)
            with transaction.atomic():
                _take_in(run, step, names[place + 1] if place + 1 < len(names) else "")
        if told is not None:
            told(run)


def _take_in(run: Verification, step: Step, following: str) -> None:
    now = database_now()
    run.checked += step.checked
    run.count += len(step.findings)
    run.findings = [*run.findings, *(asdict(finding) for finding in step.findings)][:FINDINGS_KEPT]
    run.position, run.touched_at = step.position or {}, now
    if step.position is None:
        run.stage = following
        run.finished_at = None if following else now
    run.save()
    if run.finished_at is not None and run.count:
        first = run.findings[0]
        alert_raise(
            "audit_broken", priority=5,
            params={"count": run.count, "first": f"{first['code']} {first['where']} {first['field']}".strip()},
            dedup_key=str(run.pk),
        )  # fmt: skip


def verification_advance(now: datetime) -> None:
    """The daily deep run: begins one when the last is a day old, and goes on with it a step at a time."""
    last = Verification.objects.filter(deep=True, finished_at__isnull=False).order_by("-finished_at").first()
    due = last is None or now - last.started_at >= EVERY
    if due or Verification.objects.filter(deep=True, finished_at=None).exists():
        verification_run(verification_open(now, deep=True), seconds=STEP_SECONDS)
