"""Replays that people ask for in the admin: a worker goes on with them, a step at a time."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog
from django.db import transaction
from django.db.models import Q

from decisions.mia_export import export_journal
from decisions.models import LimitsReplay
from decisions.replay.compared import Compared, Turn
from decisions.replay.curve import Curve
from decisions.replay.run import WHAT, Course, Replay, course_open
from decisions.replay.table import Table, state_rows
from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from mia_site.ops.retry import Deadline
from mia_site.ops.timings import timed
from risk.export import Period
from risk.models import Account
from risk.rules.drawdown import PointError
from risk.rules.limits import Limits, limits_dump, limits_parse
from risk.rules.sentences import UNMEASURED

log = structlog.get_logger(__name__)
LEASE = timedelta(minutes=1)
ROWS_KEPT = 20_000
"""Decisions that the table of a replay holds; the command writes every one."""


@dataclass(kw_only=True)
class Progress:
    """What a replay has come to: plain values. `rows` are the decisions in its table."""

    course: Course
    curve: Curve
    rows: int = 0


def replay_open(*, account: Account, limits: Limits, period: Period, actor: Actor) -> LimitsReplay:
    """Asks for a replay, which a worker makes; who looks is journalled."""
    now = database_now()
    with transaction.atomic():
        export_journal(account, actor=actor, what=WHAT, period=period)
        course = course_open(account, period)
        curve = Curve(begin=course.at or account.created_at, end=period.until or now)
        return LimitsReplay.objects.create(
            account=account, limits=limits_dump(limits), since=period.since, until=period.until, actor=str(actor),
            created_at=now, total=course.total, progress=_dump(Progress(course=course, curve=curve)),
        )  # fmt: skip


def replay_advance(now: datetime, *, seconds: float) -> bool:
    """Takes a step of about `seconds` of the oldest replay that nobody is at; whether there is more to do."""
    open_ = LimitsReplay.objects.filter(finished_at=None)
    free = open_.filter(Q(leased_until=None) | Q(leased_until__lt=now))
    run = free.select_related("account").order_by("id").first()
    if run is None:
        return False
    lease = now + LEASE
    if free.filter(pk=run.pk).update(leased_until=lease):
        run.leased_until = lease
        with timed("replay_limits"):
            _step(run, Deadline(seconds))
    return open_.exists()


def progress_of(run: LimitsReplay) -> Progress:
    """Where the replay stands."""
    return msgspec.json.decode(run.progress, type=Progress)


def _dump(progress: Progress) -> str:
    return msgspec.json.encode(progress).decode()


def _step(run: LimitsReplay, deadline: Deadline) -> None:
    try:
        columns = _advanced(run, deadline)
    except PointError as trouble:
        columns = _failed(UNMEASURED % {"reason": trouble})
    except Exception as trouble:  # it ends and says why: those that wait behind it have their turn
        log.exception("replay_failed", replay=run.pk)
        columns = _failed(f"{type(trouble).__name__}: {trouble}")
    LimitsReplay.objects.filter(pk=run.pk, leased_until=run.leased_until).update(leased_until=None, **columns)


def _failed(error: str) -> dict[str, Any]:
    return {"error": error[:500], "finished_at": database_now()}


def _advanced(run: LimitsReplay, deadline: Deadline) -> dict[str, Any]:
    """The columns after a step. Raises `PointError`."""
    progress, text = progress_of(run), io.StringIO()
    course, table = progress.course, Table(text, begun=bool(run.table))
    replay = Replay(
        run.account, limits_parse(run.limits), course, sink=_sink(progress, table), heard=progress.curve.point
    )  # fmt: skip
    replay.run(deadline)
    if course.finished:
        table.states(state_rows(run.account, course))
    return {
        "checked": course.checked,
        "progress": _dump(progress),
        "table": run.table + text.getvalue(),
        "finished_at": database_now() if course.finished else None,
    }


def _sink(progress: Progress, table: Table) -> Callable[[Compared], None]:
    """Keeps of each decision what the page shows: its part of the curves, and its row where it would be otherwise."""

    def take(found: Compared) -> None:
        progress.curve.decision(found)
        if found.turn is not Turn.SAME and progress.rows < ROWS_KEPT:
            progress.rows += 1
            table.decision(found)

    return take
