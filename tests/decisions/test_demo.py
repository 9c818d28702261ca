"""`up --demo` on a database: what it puts there, what it leaves alone, and the bot that then talks to the desk."""

import json
import re
import stat
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client as Web
from pytest_django import Settings

from decisions.demo import ACCOUNT, files
from decisions.demo.desk_client import DeskTrouble
from decisions.demo.feed import BACKOFF_SECONDS, BEAT_SECONDS, BEATS_PER_ASK, Feed
from decisions.demo.load import ask_fitting, demo_load
from decisions.models import Decision, DecisionFeatures, Outcome
from mia_site.audit.models import Entry
from mia_site.ops.append_only import fact_models
from mia_site.ops.clock import database_now
from mia_site.ops.models import Alert
from mia_site.ops.registry import demo_run, processes, readiness_run
from mia_site.ops.supervisor.lock import Refused
from risk.models import (
    AccountState,
    Admission,
    CalendarFetch,
    CalendarSource,
    Desk,
    EquityPoint,
    ImportRun,
    LimitsVersion,
    MacroEvent,
    Penalty,
    Snapshot,
    StateChange,
)
from risk.rules.drawdown import drawdown
from tests.factories import AccountFactory, FeatureSetFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
LOGIN = re.compile(r"(demo-\w+) / (\w+) +\((.+)\)")


@pytest.fixture
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


@pytest.fixture
def lines(data_dir: Path) -> list[str]:
    """A first start; what it printed."""
    return list(demo_load())


def _state() -> AccountState:
    return AccountState.objects.select_related("account", "limits").get(account__code=ACCOUNT)


def _counts() -> dict[str, int]:
    """Rows of every kind of fact, and of people, clients and alerts."""
    models: list[type[Model]] = [*fact_models(), User, Alert, CalendarSource, Admission]
    return {model._meta.label: model._default_manager.count() for model in models}


class ApiDesk:
    """The feed's way to the desk, without a server between: the same answers, the same troubles."""

    def __init__(self) -> None:
        token = files.token_path().read_text()
        self.web = Web(headers={"Authorization": f"Token {token}"})
        self.away = 0
        """So many calls find nobody."""

    def get(self, path: str) -> dict[str, Any]:
        return self._answer(self.web.get(f"/api/v1/{path}"))

    def post(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        return self._answer(self.web.post(f"/api/v1/{path}", json.dumps(body), "application/json", headers=headers))

    def _answer(self, response: Any) -> dict[str, Any]:
        if self.away:
            self.away -= 1
            raise DeskTrouble("connection refused")
        if response.status_code >= 300:
            raise DeskTrouble(f"{response.status_code} {response.content[:300]!r}")
        answer: dict[str, Any] = json.loads(response.content)
        return answer


class Stopped(Exception):
    """The test has seen enough."""


def _sleeps(count: int) -> tuple[list[float], Callable[[float], None]]:
    """What the feed slept, and a sleep that ends it after `count` of them."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == count:
            raise Stopped

    return slept, sleep


def _feed(desk: ApiDesk, seed: int = 1, **given: Any) -> Feed:
    return Feed(desk, ask_fitting, rng=Random(seed), **given)  # type: ignore[arg-type]


# What a first start puts into an empty desk


def test_the_demo_is_a_step_of_the_start_and_its_feed_a_process_of_the_desk(data_dir: Path) -> None:
    assert "demo" in {step for step, _line in demo_run()}
    assert "demo-feed" in {process.name for process in processes(demo=True)}
    assert "demo-feed" not in {process.name for process in processes(demo=False)}


def test_the_account_is_ready_to_trade_at_once(lines: list[str]) -> None:
    missing = [line for line in readiness_run(ACCOUNT) if not line.ok]
    assert missing == []
    state = _state()
    assert (state.state, state.limits and state.limits.version) == ("ACTIVE", 2)


def test_the_ready_question_is_allowed(lines: list[str]) -> None:
    answer = ApiDesk().post("decisions/", json.loads(files.ask_path().read_text()))
    assert (answer["verdict"], answer["effect"], answer["reasons"]) == ("allow", "opens", [])


def test_the_week_is_imported_history_that_says_it_is_synthetic(lines: list[str]) -> None:
    week = Decision.objects.filter(account__code=ACCOUNT)
    assert week.count() > 150
    assert set(week.values_list("origin", flat=True)) == {"imported"}
    assert all(context == {"synthetic": "demo"} for context in week.values_list("context", flat=True))
    assert set(Penalty.objects.values_list("origin", "penalty_kind")) == {
        ("imported", "drawdown"),
        ("imported", "lifted"),
    }
    now = database_now()
    for at, recorded_at in week.values_list("at", "recorded_at"):
        assert at < now - timedelta(minutes=1)
        assert now - recorded_at < timedelta(minutes=5)


def test_blocked_decisions_of_the_week_carry_the_gates_own_reasons(lines: list[str]) -> None:
    blocked = Decision.objects.filter(verdict="block", origin="imported")
    codes = set(blocked.values_list("reason_code", flat=True))
    assert codes == {"blackout", "pace_exceeded", "account_reduce_only", "feature_coverage_low"}
    for decision in blocked:
        assert decision.judged_on and decision.reasons[0]["message"]
        assert (decision.limits_version, decision.limits and decision.limits.version) == (1, 1)
        assert DecisionFeatures.objects.filter(id=decision.id).exists()


def test_history_moves_no_projection(lines: list[str]) -> None:
    state = _state()
    live = EquityPoint.objects.get(origin="live")
    assert state.equity == live.equity == EquityPoint.objects.order_by("-at").first().equity  # type: ignore[union-attr]
    references = {rule: Decimal(track["reference"]) for rule, track in state.marks.items()}
    assert references["max_drawdown"] == max(live.equity, Decimal(100_000))
    # A daily rule begins with the equity at its reset, which the week's end may be below.
    assert state.worst_drawdown == max(drawdown(reference, live.equity) for reference in references.values())
    assert (state.penalty_active, state.positions) == (False, {})
    assert not Admission.objects.exists()
    assert Snapshot.objects.filter(origin="live").count() == 1


def test_people_stopped_and_resumed_the_account_and_one_proposal_waits(lines: list[str]) -> None:
    changes = list(StateChange.objects.order_by("seq"))
    assert [change.to_state for change in changes] == ["REDUCE_ONLY", "ACTIVE"]
    assert changes[0].actor != changes[1].actor
    first, second, third = LimitsVersion.objects.order_by("version")
    assert (first.applied, second.applied, second.approval.approved) == (True, False, True)
    assert second.proposer != second.approval.approver
    assert not third.applied and not hasattr(third, "approval")
    waiting = Alert.objects.filter(acknowledged_at=None, priority__gte=3)
    assert [alert.code for alert in waiting] == ["limits_proposed"]


def test_every_fact_has_its_entry_in_the_journal(lines: list[str]) -> None:
    entries = set(Entry.objects.values_list("id", flat=True))
    for model in fact_models():
        if model._meta.label in {"audit.Entry", "risk.EquityPoint", "decisions.DecisionFeatures"}:
            continue
        missing = set(model._default_manager.values_list("pk", flat=True)) - entries
        assert not missing, model._meta.label


def test_one_person_per_role_can_log_in_and_no_row_or_file_holds_a_password(lines: list[str], data_dir: Path) -> None:
    people = [match.groups() for line in lines if (match := LOGIN.search(line))]
    roles = {name: role for name, _password, role in people}
    assert roles == {
        "demo-viewer": "compliance viewer",
        "demo-manager": "risk manager",
        "demo-approver": "risk approver",
        "demo-administrator": "administrator",
    }
    for name, password, role in people:
        user = User.objects.get(username=name)
        assert user.is_staff and not user.is_superuser
        assert [group.name for group in user.groups.all()] == [role]
        assert Web().login(username=name, password=password)
        assert not [path for path in data_dir.rglob("*") if path.is_file() and password in path.read_text()]
        assert not Entry.objects.filter(body__contains=password).exists()


def test_what_it_keeps_beside_the_database_is_the_owners_alone(lines: list[str], data_dir: Path) -> None:
    kept = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (data_dir / "demo").iterdir()}
    assert kept == {
        "ask.json": 0o600, "bot.token": 0o600, "macro_events.csv": 0o600, "synthetic_feature_importance.csv": 0o600,
        "synthetic_feature_reference.csv": 0o600,
    }  # fmt: skip
    body = json.loads(files.ask_path().read_text())
    assert len(body["features"]) == 150
    assert not {"equity", "positions", "decided_at"} & body.keys()


def test_features_and_calendar_came_in_through_the_usual_doors(lines: list[str]) -> None:
    runs = ImportRun.objects.order_by("id").values_list("file_kind", "imported", "rejected")
    assert list(runs) == [("feature_importance", 150, 0), ("feature_reference", 150, 0)]
    desk = Desk.objects.select_related("feature_set", "feature_reference").get(id=1)
    assert desk.feature_set is not None and "synthetic" in desk.feature_set.source
    assert desk.feature_reference is not None and desk.feature_reference.feature_set == desk.feature_set
    source = CalendarSource.objects.get()
    assert Path(source.path) == files.calendar_path() and source.enabled
    assert all("(synthetic)" in name for name in MacroEvent.objects.values_list("event_type", flat=True))


# Later starts


def test_a_second_start_adds_nothing_and_shows_no_password(lines: list[str]) -> None:
    before, seq = _counts(), _state().seq
    again = list(demo_load())
    assert _counts() == before
    assert _state().seq == seq
    assert not [line for line in again if LOGIN.search(line)]
    assert [line for line in again if "/api/v1/decisions/" in line]


def test_a_start_that_fails_half_way_leaves_nothing(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise OSError("disk is full")

    before = _counts()
    with monkeypatch.context() as patched:
        patched.setattr("decisions.demo.load.equity_record", fail)
        with pytest.raises(OSError, match="disk is full"):
            list(demo_load())
    assert _counts() == before
    assert [line for line in demo_load() if LOGIN.search(line)]
    assert _state().equity is not None


def test_a_desk_with_accounts_of_its_own_gets_no_synthetic_events(data_dir: Path) -> None:
    AccountFactory(code="ES-OWN")
    before = _counts()
    with pytest.raises(Refused, match="accounts of its own"):
        list(demo_load())
    assert _counts() == before


def test_an_account_opened_beside_the_demo_is_no_reason_to_refuse(lines: list[str]) -> None:
    AccountFactory(code="ES-OWN")
    before = _counts()
    list(demo_load())
    assert _counts() == before


def test_a_lost_token_is_replaced_and_worth_nothing_any_more(lines: list[str]) -> None:
    lost = ApiDesk()
    lost.get(f"accounts/{ACCOUNT}/state")
    files.token_path().unlink()
    list(demo_load())
    ApiDesk().get(f"accounts/{ACCOUNT}/state")
    with pytest.raises(DeskTrouble, match="401"):
        lost.get(f"accounts/{ACCOUNT}/state")


def test_a_calendar_that_grew_old_while_the_desk_was_off_is_read_again(lines: list[str]) -> None:
    Desk.objects.filter(id=1).update(calendar_at=database_now() - timedelta(days=3))
    fetches, events = CalendarFetch.objects.count(), MacroEvent.objects.count()
    list(demo_load())
    assert (CalendarFetch.objects.count(), MacroEvent.objects.count()) == (fetches + 1, events)
    assert [line for line in readiness_run(ACCOUNT) if not line.ok] == []


def test_a_data_directory_that_moved_is_followed(lines: list[str], settings: Settings, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "demo").rename(moved / "demo")
    settings.DATA_DIR = moved
    list(demo_load())
    assert CalendarSource.objects.get().path == str(moved / "demo" / "macro_events.csv")


# The live feed


def test_the_feed_opens_closes_and_tells_what_came_of_it(lines: list[str]) -> None:
    desk = ApiDesk()
    feed = _feed(desk)
    for _ in range(40 * BEATS_PER_ASK):
        feed.beat()
    live = Decision.objects.filter(origin="live")
    assert live.count() == 40
    told = live.filter(verdict="allow", effect="opens")[0].judged_on
    assert told is not None and 0 < told["features"]["drift"] < 0.5 and len(told["features"]["top"]) == 10
    _beat_until(feed, lambda: live.filter(reason_code="feature_coverage_low").exists())
    verdicts = set(live.values_list("verdict", "reason_code", "effect"))
    assert verdicts == {
        ("allow", "", "opens"), ("allow", "", "reduces"), ("allow", "", "neutral"),
        ("block", "feature_coverage_low", "opens"),
    }  # fmt: skip
    closes = live.filter(effect="reduces")
    outcomes = Outcome.objects.filter(origin="live")
    assert outcomes.count() == closes.count()
    for outcome in outcomes:
        opening = live.get(id=outcome.decision_id)
        assert (opening.decision, opening.effect) == ("buy", "opens")
        assert closes.filter(trade_id=opening.trade_id).exists()
    state = _state()
    assert state.state == "ACTIVE"
    assert state.equity_at is not None and database_now() - state.equity_at < timedelta(minutes=1)


def test_the_feed_and_the_ready_question_follow_a_feature_set_that_is_imported(lines: list[str]) -> None:
    desk = ApiDesk()
    feed = _feed(desk)
    feed.beat()
    newer = FeatureSetFactory(version=2)
    Desk.objects.update(feature_set=newer)
    allowed = Decision.objects.filter(origin="live", reason_code="", feature_set=newer)
    _beat_until(feed, allowed.exists)
    answer = desk.post("decisions/", json.loads(files.ask_path().read_text()))
    assert (answer["verdict"], answer["reasons"]) == ("allow", [])


def test_the_feed_leaves_the_desk_room_for_other_questions(lines: list[str]) -> None:
    desk = ApiDesk()
    feed = _feed(desk, seed=3)
    for _ in range(60 * BEATS_PER_ASK):
        feed.beat()
    answer = desk.post("decisions/", json.loads(files.ask_path().read_text()))
    assert answer["verdict"] == "allow"
    assert Admission.objects.filter(effect="opens").count() < 60


def test_the_feed_waits_longer_each_time_until_the_desk_answers_again(lines: list[str]) -> None:
    desk = ApiDesk()
    desk.away = 3
    slept, sleep = _sleeps(5)
    with pytest.raises(Stopped):
        _feed(desk, sleep=sleep).run()
    assert slept == [*BACKOFF_SECONDS[:3], BEAT_SECONDS, BEAT_SECONDS]


def test_an_outcome_that_the_desk_did_not_take_is_told_again(lines: list[str]) -> None:
    desk = ApiDesk()
    feed = _feed(desk)
    real_post = desk.post
    refused: list[str] = []

    def post(path: str, body: Any, **headers: str) -> dict[str, Any]:
        if path.endswith("/outcome") and not refused:
            refused.append(path)
            raise DeskTrouble("503")
        return real_post(path, body, **headers)

    desk.post = post  # type: ignore[method-assign]
    for _ in range(60):
        try:
            feed.beat()
        except DeskTrouble:
            break
    assert refused and not Outcome.objects.filter(origin="live").exists()
    feed.beat()
    assert [f"decisions/{row.decision_id}/outcome" for row in Outcome.objects.filter(origin="live")] == refused


def test_a_feed_that_starts_again_closes_what_the_one_before_had_open(lines: list[str]) -> None:
    desk = ApiDesk()
    feed = _feed(desk)
    while not _state().positions:
        feed.beat()
    opening = Decision.objects.filter(origin="live", effect="opens", verdict="allow").latest("seq")
    _feed(desk, seed=2).beat()
    close = Decision.objects.filter(origin="live").latest("seq")
    assert (close.trade_id, close.effect, close.verdict) == (opening.trade_id, "reduces", "allow")
    assert Outcome.objects.get(origin="live").decision_id == opening.id


def test_a_stopped_account_blocks_the_feeds_openings_and_its_equity_goes_on(lines: list[str]) -> None:
    from risk.risk_controller import trading_halt

    desk = ApiDesk()
    feed = _feed(desk)
    feed.beat()
    trading_halt(account=ACCOUNT, reason="a test pulls the kill switch", actor=_actor())
    for _ in range(10 * BEATS_PER_ASK):
        feed.beat()
    later = Decision.objects.filter(origin="live").order_by("seq")[1:]
    verdicts = {(row.verdict, row.reason_code) for row in later}
    # Whether it also holds in between depends on whether the first beat left it flat.
    assert {("block", "account_halted")} <= verdicts <= {("block", "account_halted"), ("allow", "")}
    assert {row.effect for row in later if row.verdict == "allow"} <= {"neutral"}
    assert database_now() - (_state().equity_at or database_now()) < timedelta(minutes=1)


def _beat_until(feed: Feed, seen: Callable[[], bool]) -> None:
    """Until chance has brought what the test wants to see: the feed draws lots."""
    for _ in range(300 * BEATS_PER_ASK):
        if seen():
            return
        feed.beat()
    raise AssertionError("not seen in 300 questions")


def _actor() -> Any:
    from mia_site.audit.actors import user_actor

    return user_actor(User.objects.get(username="demo-manager").pk)
