"""What apps offer to the site without being known to it: each registers from `AppConfig.ready`, the site runs
all.

Names are unique within one kind; a second registration of a name by another function raises `ValueError`.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog

from mia_site.ops.retry import Deadline

log = structlog.get_logger(__name__)
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Health:
    """Answer of one check. `essential`: while it is not `ok` the gate cannot record (`/readyz` is 503)."""

    name: str
    ok: bool
    essential: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Readiness:
    """One input of an account: is it there, how old is it, and what to do about it (shown by `doctor`)."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    age_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Gauge:
    """A figure read at each scrape of `/metrics`: `samples` maps values of `labels`, in that order, to it."""

    name: str
    documentation: str
    labels: tuple[str, ...]
    samples: Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class ExtraProcess:
    """A child of `manage.py up`: `arguments` of manage.py; `demo` ones run only with `--demo`."""

    name: str
    arguments: tuple[str, ...]
    demo: bool


HealthCheck = Callable[[], str]
Step = Callable[[], Iterable[str]]
ReadinessCheck = Callable[[str], Iterable[Readiness]]
Expiry = Callable[[datetime], int]
Sampler = Callable[[], Mapping[tuple[str, ...], float]]


@dataclass(frozen=True, slots=True)
class _Entry(Generic[Item]):
    order: int
    name: str
    item: Item


class _Shelf(Generic[Item]):
    """Items of one kind, by (order, name)."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._entries: dict[str, _Entry[Item]] = {}

    def put(self, name: str, item: Item, order: int = 0) -> None:
        present = self._entries.get(name)
        if present is not None and present.item != item:
            raise ValueError(f"{self._kind} {name!r} is registered already")
        self._entries[name] = _Entry(order, name, item)

    def remove(self, name: str) -> None:
        self._entries.pop(name, None)

    def all(self) -> list[_Entry[Item]]:
        return sorted(self._entries.values(), key=lambda entry: (entry.order, entry.name))


_health: _Shelf[tuple[HealthCheck, bool]] = _Shelf("health check")
_readiness: _Shelf[ReadinessCheck] = _Shelf("readiness check")
_bootstrap: _Shelf[Step] = _Shelf("bootstrap step")
_demo: _Shelf[Step] = _Shelf("demo step")
_expiries: _Shelf[Expiry] = _Shelf("expiry")
_gauges: _Shelf[tuple[str, tuple[str, ...], Sampler]] = _Shelf("gauge")
_processes: _Shelf[ExtraProcess] = _Shelf("process")


def health_register(name: str, check: HealthCheck, *, essential: bool = False) -> None:
    """`check()` returns "" when all is well, else a sentence; an exception counts as trouble.

    `essential` is for what the gate needs in order to record: the site answers `/readyz` with 503 while it
    fails.
    """
    _health.put(name, (check, essential))


def health_run() -> list[Health]:
    """Runs every check, essential or not; no exception leaves."""
    return [_health_one(entry.name, *entry.item) for entry in _health.all()]


def _health_one(name: str, check: HealthCheck, essential: bool) -> Health:
    started = time.perf_counter()
    try:
        detail = check()
    except Exception as error:  # noqa: BLE001 - a check that fails is the very thing to report
        detail = f"{type(error).__name__}: {error}"
    return Health(name, not detail, essential, detail, time.perf_counter() - started)


def readiness_register(order: int, name: str, check: ReadinessCheck) -> None:
    """`check(account_code)` yields the inputs it knows of; `doctor` and the API list them by `order`."""
    _readiness.put(name, check, order)


def readiness_run(account: str) -> list[Readiness]:
    """Every input of the account. A check that raises is itself listed as an input that is not ready."""
    return [line for entry in _readiness.all() for line in _readiness_one(entry.name, entry.item, account)]


def _readiness_one(name: str, check: ReadinessCheck, account: str) -> list[Readiness]:
    try:
        return list(check(account))
    except Exception as error:  # noqa: BLE001 - not being able to tell is not being ready
        return [Readiness(name, False, f"{type(error).__name__}: {error}")]


def bootstrap_register(order: int, name: str, step: Step) -> None:
    """A step of each start of `up`, after migrate: roles, keys, the first administrator. Idempotent."""
    _bootstrap.put(name, step, order)


def bootstrap_run() -> Iterator[tuple[str, str]]:
    """Runs the steps by `order`; yields (step, line to print) as they come. An exception stops the start."""
    yield from _steps(_bootstrap)


def demo_register(order: int, name: str, step: Step) -> None:
    """A step of `up --demo`, after the bootstrap. Idempotent; returns or yields lines to print."""
    _demo.put(name, step, order)


def demo_run() -> Iterator[tuple[str, str]]:
    """Runs the demo steps by `order`; yields (step, line to print) as they come."""
    yield from _steps(_demo)


def _steps(shelf: _Shelf[Step]) -> Iterator[tuple[str, str]]:
    for entry in shelf.all():
        for line in entry.item():
            yield entry.name, line


def gauge_register(name: str, documentation: str, sample: Sampler, *, labels: tuple[str, ...] = ()) -> None:
    """`sample()` is called at each scrape: {label values: figure}, or {(): figure} without labels."""
    _gauges.put(name, (documentation, labels, sample))


def gauges_run() -> Iterator[Gauge]:
    """Reads every gauge. One that raises is left out and logged, so that a scrape still shows the others."""
    for entry in _gauges.all():
        documentation, labels, sample = entry.item
        try:
            yield Gauge(entry.name, documentation, labels, sample())
        except Exception:
            log.exception("gauge_failed", gauge=entry.name)


def expiry_register(name: str, expire: Expiry) -> None:
    """`expire(now)` deletes one small batch of work rows past their time; returns how many (0: no more)."""
    _expiries.put(name, expire)


def expiry_run(now: datetime, deadline: Deadline) -> dict[str, int]:
    """Runs each expiry until it finds nothing more or the deadline is over; returns what went, by name."""
    deleted: dict[str, int] = {}
    for entry in _expiries.all():
        deleted[entry.name] = 0
        while deadline.remaining() > 0 and (count := entry.item(now)):
            deleted[entry.name] += count
    return deleted


def process_register(name: str, *arguments: str, demo: bool = False) -> None:
    """A child that `up` starts and restarts, beside web, worker and beat: `manage.py ARGUMENTS`."""
    _processes.put(name, ExtraProcess(name, arguments, demo))


def processes(*, demo: bool) -> list[ExtraProcess]:
    """The children to run; those of the demo only if asked for."""
    return [entry.item for entry in _processes.all() if demo or not entry.item.demo]


def unregister(name: str) -> None:
    """Takes a name out of every kind; for tests."""
    shelves: tuple[_Shelf[Any], ...] = (
        _health,
        _readiness,
        _bootstrap,
        _demo,
        _expiries,
        _gauges,
        _processes,
    )
    for shelf in shelves:
        shelf.remove(name)
