"""`up --demo`: puts the demo into an empty desk, once, and keeps at each start what the feed needs."""

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from decisions.demo import ACCOUNT, ACTOR, CLIENT, SOURCE, files
from decisions.demo.account import World
from decisions.demo.events import SyntheticEvent, calendar_csv, events_coming, events_past
from decisions.demo.features import importance_csv, reference_csv
from decisions.demo.history import week_record
from decisions.demo.limits import WEEK, live_limits, proposed_limits
from decisions.demo.memory import memory_clusters
from decisions.demo.people import Person, people_ensure
from decisions.demo.sessions import Session, front_contract, sessions_before
from decisions.demo.week import week
from decisions.mia_import import ImportRequest, mia_import
from mia_site.audit.actors import Actor
from mia_site.audit.journal import change_record
from mia_site.ops.alerts import alert_acknowledge
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from mia_site.ops.supervisor.lock import Refused
from risk.accounts import account_open, client_issue, tokens_revoke
from risk.calendar_import import calendar_import
from risk.import_job import ImportJob
from risk.inputs import EquityInput
from risk.models import Account, CalendarSource, Client, Cluster, Desk, FeatureSet, MacroEvent
from risk.reference_import import clusters_import
from risk.risk_controller import (
    drawdown_check,
    equity_record,
    limits_decide,
    limits_submit,
    trading_halt,
    trading_resume,
)
from risk.rules.facts import EventView, MemoryView, TradingState
from risk.rules.limits import limits_parse

INITIAL = Decimal(100_000)
CALENDAR_AGE = timedelta(hours=1)


def demo_load() -> Iterator[str]:
    """A step of each start with `--demo`; yields lines for the terminal alone (passwords, shown once).

    Raises `Refused` where the desk has accounts of its own: synthetic events would stop their trading.
    """
    people: list[Person] = []
    if not Account.objects.filter(code=ACCOUNT).exists():
        if Account.objects.exists():
            raise Refused(
                _("This desk has accounts of its own: the demo goes into an empty one. Start it without --demo, or "
                  "give --data-dir another directory.")
            )  # fmt: skip
        with transaction.atomic():
            people = _first_start(database_now())
    with transaction.atomic():
        _keep(database_now())
    drawdown_check(actor=ACTOR)  # the worker's first one is a minute away
    yield from _lines(people)


def _first_start(now: datetime) -> list[Person]:
    """Everything or nothing: files that were written for a start that failed are written anew."""
    people = people_ensure()
    actors = {person.name: person.actor for person in people}
    sessions = sessions_before(now)
    account_open(ACCOUNT, initial_balance=INITIAL, owner="demo", actor=ACTOR)
    features = _features()
    memories = _memory(sessions)
    events = _calendar([*events_past(sessions), *events_coming(now)])
    limits = limits_submit(
        ACCOUNT, WEEK, actor=actors["demo-manager"], reason="demo: the first limits of the account"
    ).version
    world = World(
        limits=limits_parse(WEEK), limits_version=limits.version, events=events, memories=memories,
        set_version=str(features.version), names=tuple(features.names), shares=tuple(features.importances),
        initial=INITIAL, instrument=front_contract(now.date()),
    )  # fmt: skip
    told = week(sessions, world)
    week_record(told, limits=limits, features=features)
    _limits_later(actors["demo-manager"], actors["demo-approver"])
    point = EquityInput(at=database_now(), equity=told.balance, balance=told.balance, positions=())
    equity_record(account=ACCOUNT, points=[point], actor=ACTOR)
    _drill(actors["demo-manager"], actors["demo-approver"])
    return people


def _features() -> FeatureSet:
    """The desk's feature set: the synthetic one with its reference, unless somebody imported another already."""
    desk = Desk.objects.select_related("feature_set").filter(id=1).first()
    if desk is not None and desk.feature_set is not None:
        return desk.feature_set
    for path, text in ((files.features_path(), importance_csv()), (files.reference_path(), reference_csv())):
        files.private_write(path, text)
        list(mia_import(path, ImportRequest(ACTOR)))
    features = Desk.objects.select_related("feature_set").get(id=1).feature_set
    assert features is not None
    return features


def _memory(sessions: Sequence[Session]) -> tuple[MemoryView, ...]:
    clusters_import(memory_clusters(sessions), ImportJob(ACTOR, f"{SOURCE} market memory"))
    return tuple(
        MemoryView(cluster_ids=(str(row.id),), at=row.at, vix_es_correlation=row.vix_es_correlation)
        for row in Cluster.objects.order_by("at", "id")
    )


def _calendar(events: Sequence[SyntheticEvent]) -> tuple[EventView, ...]:
    """The events as a file that the desk reads again and again, read for the first time."""
    path = files.calendar_path()
    files.private_write(path, calendar_csv(events))
    source, made = CalendarSource.objects.get_or_create(name=SOURCE, defaults={"path": str(path)})
    if made:
        change_record(source, action="created", actor=ACTOR, after={"name": SOURCE, "path": str(path)})
    calendar_import(SOURCE, path.read_bytes(), name=str(path), actor=ACTOR)
    rows = MacroEvent.objects.filter(source=SOURCE, start_at__isnull=False)
    return tuple(
        EventView(
            event_id=str(row.id), event_type=row.event_type, start_at=row.start_at, impact=row.impact,
            currency=row.currency or None,
        )
        for row in rows
    )  # fmt: skip


def _limits_later(manager: Actor, approver: Actor) -> None:
    """A loosening that a second person approved, and one that waits for one."""
    live = limits_submit(
        ACCOUNT, live_limits(), actor=manager, reason="demo: the live feed asks more often than the week's bot"
    )
    limits_decide(live.version, approve=True, actor=approver, reason="demo: the feed opens one contract at a time")
    _acknowledge("limits_proposed", approver)
    limits_submit(ACCOUNT, proposed_limits(), actor=manager, reason="demo: room for one more contract overnight")


def _drill(manager: Actor, approver: Actor) -> None:
    """The kill switch, pulled by one person and lifted by another; reduce only, since HALTED alerts louder."""
    reason = "demo: drill of the kill switch"
    trading_halt(account=ACCOUNT, reason=reason, actor=manager, state=TradingState.REDUCE_ONLY)
    trading_resume(account=ACCOUNT, reason="demo: the drill is over", actor=approver)
    _acknowledge("trading_stopped", approver)
    _acknowledge("trading_resumed", approver)


def _acknowledge(code: str, by: Actor) -> None:
    for alert in Alert.objects.filter(code=code, account=ACCOUNT, acknowledged_at=None):
        alert_acknowledge(alert, by=str(by))


def _keep(now: datetime) -> None:
    """What the feed and the README's question need: a token, a body that fits, a calendar that is fresh."""
    if not files.token_path().exists():
        _token_issue()
    names = _features().names
    files.ask_write(names, now.date())
    desk = Desk.objects.get(id=1)
    path = files.calendar_path()
    CalendarSource.objects.filter(name=SOURCE).exclude(path=str(path)).update(path=str(path))
    if path.exists() and (desk.calendar_at is None or now - desk.calendar_at > CALENDAR_AGE):
        calendar_import(SOURCE, path.read_bytes(), name=str(path), actor=ACTOR)


def ask_fitting() -> dict[str, Any]:
    """The question that is ready to be sent; written anew where another feature set is in use by now than it is for."""
    body: dict[str, Any] = json.loads(files.ask_path().read_text(encoding="utf-8"))
    names = _features().names
    if body["features"].keys() == set(names):
        return body
    files.ask_write(names, database_now().date())
    return ask_fitting()


def _token_issue() -> None:
    """A client for the feed; where its token was lost, another one, and the lost token is good for nothing."""
    known = Client.objects.filter(account__code=ACCOUNT, name__startswith=CLIENT)
    for client in known:
        tokens_revoke(client, actor=ACTOR, reason="its token was lost")
    name = CLIENT if not known else f"{CLIENT}-{len(known) + 1}"
    issued = client_issue(name, account=ACCOUNT, actor=ACTOR)
    files.private_write(files.token_path(), issued.token)


def _lines(people: Sequence[Person]) -> Iterator[str]:
    label, asking = _("demo logins"), _("ask it")
    for person in people:
        if person.password is not None:
            yield f"{label:<15} {person.name} / {person.password}   ({person.role})"
            label = ""
    token, ask = shlex.quote(str(files.token_path())), shlex.quote(str(files.ask_path()))
    url = os.environ.get("MIA_URL", "http://127.0.0.1:8000")
    yield (
        f"{asking:<15} curl -s -H \"Authorization: Token $(cat {token})\" -H 'Content-Type: application/json' "
        f"-d @{ask} {url}/api/v1/decisions/"
    )
