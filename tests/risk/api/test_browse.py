"""Lists: newest first, by cursor, filtered; a filter that is wrong names its field."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from risk.models import Account
from tests.factories import (
    NOON,
    AlgorithmEntryFactory,
    AlgorithmRulingFactory,
    MacroEventFactory,
    PenaltyFactory,
    SnapshotFactory,
)
from tests.risk.api.conftest import Bot

pytestmark = pytest.mark.usefixtures("quiet_background")


@pytest.fixture
def five(bot: Bot) -> list[datetime]:
    """Five snapshots and penalties, a minute apart, the last one active; their times, newest first."""
    account = Account.objects.get()
    times = [NOON + timedelta(minutes=minute) for minute in range(5)]
    for at in times:
        for factory in (SnapshotFactory, PenaltyFactory):
            factory(account=account, at=at, penalty_active=at == times[-1])
    return times[::-1]


def moments(rows: list[dict[str, str]]) -> list[datetime]:
    return [datetime.fromisoformat(row["at"]) for row in rows]


@pytest.mark.parametrize("path", ["snapshots/", "penalties/"])
def test_cursors_walk_the_list_newest_first_without_gap_or_repeat(bot: Bot, five: list[datetime], path: str) -> None:
    seen, page = [], bot.get(path, page_size=2)
    while True:
        seen += moments(page.body["results"])
        if page.body["next"] is None:
            break
        page = bot.get(page.body["next"].split("/api/v1/")[1])
    assert seen == five
    assert bot.get(path, page_size=2).body["previous"] is None


def test_rows_that_come_meanwhile_move_no_page(bot: Bot, five: list[datetime]) -> None:
    page = bot.get("snapshots/", page_size=2).body
    SnapshotFactory(account=Account.objects.get(), at=NOON + timedelta(hours=1))
    second = bot.get(page["next"].split("/api/v1/")[1]).body
    assert moments(second["results"]) == five[2:4]


@pytest.mark.parametrize("path", ["snapshots/", "penalties/"])
def test_a_period_has_its_start_and_not_its_end(bot: Bot, five: list[datetime], path: str) -> None:
    query = {"since": five[3].isoformat(), "until": five[1].isoformat()}
    assert moments(bot.get(path, **query).body["results"]) == five[2:4]
    assert moments(bot.get(path, penalty_active="true").body["results"]) == five[:1]


def test_a_snapshot_and_a_penalty_show_what_they_were_judged_on(bot: Bot, five: list[datetime]) -> None:
    snapshot = bot.get("snapshots/").body["results"][0]
    assert (snapshot["drawdown"], snapshot["limit"]) == ("0.031000000000", "0.050000000000")
    assert snapshot["evidence"]["rules"][0]["equity"] == "48450" and snapshot["origin"] == "live"
    assert bot.get("penalties/").body["results"][0]["reason"] == "drawdown 0.06 above the limit 0.05"


def test_events_are_filtered_by_impact_type_currency_and_time(bot: Bot) -> None:
    start = datetime(2025, 5, 7, 18, tzinfo=UTC)
    MacroEventFactory(event_type="FOMC", start_at=start, impact=Decimal("0.95"))
    MacroEventFactory(event_type="PMI", start_at=start + timedelta(days=1), impact=Decimal("0.5"), currency="EUR")
    MacroEventFactory(event_type="Rumour", start_at=None)

    def kinds(**query: str) -> list[str]:
        return [row["event_type"] for row in bot.get("events/", **query).body["results"]]

    assert kinds() == ["PMI", "FOMC"], "what has no time is in no list of times"
    assert kinds(min_impact="0.7") == kinds(currency="USD") == kinds(event_type="FOMC") == ["FOMC"]
    assert kinds(since="2025-05-08T00:00:00Z") == ["PMI"] and kinds(until="2025-05-07T18:00:00Z") == []


def test_limits_show_each_version_and_whether_it_was_applied(bot: Bot) -> None:
    (row,) = bot.get("limits/").body["results"]
    assert (row["version"], row["applied"], row["proposer"]) == (1, True, "user:1")
    assert row["body"]["drawdown"][0]["name"] == "max_drawdown"


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("snapshots/", "since", "yesterday"),
        ("penalties/", "until", "2025-13-45"),
        ("events/", "min_impact", "high"),
        ("events/", "since", "2025-05-07T18:00:00Z; DROP TABLE"),
        ("snapshots/", "penalty_active", "maybe"),
        ("limits/", "sinec", "2025-05-07T18:00:00Z"),
        ("decisions/", "verdict", "maybe"),
        ("decisions/export", "untli", "2025-05-07T18:00:00Z"),
        ("events/blackouts", "instrumnet", "NQ"),
        ("events/blackouts", "instrument", "E\x1bS"),
    ],
)
def test_a_wrong_filter_is_named(bot: Bot, path: str, field: str, value: str) -> None:
    error = bot.get(path, **{field: value}).error
    assert (error["field"], error["value"]) == (field, value) and error["expected"]


def test_a_filter_that_takes_few_words_says_which(bot: Bot) -> None:
    assert bot.get("decisions/", verdict="maybe").error["expected"] == "one of allow, reduce, block"
    assert bot.get("snapshots/", penalty_active="maybe").error["expected"] == "true or false"


@pytest.mark.parametrize("cursor", ["x", "cD0y", "%00", "0" * 5000])
def test_a_cursor_that_is_none_is_not_found(bot: Bot, cursor: str) -> None:
    assert bot.get("snapshots/", cursor=cursor).problem[0] == 404


@pytest.mark.parametrize(("size", "rows"), [("0", 5), ("-1", 5), ("x", 5), ("3", 3), ("999999", 5)])
def test_a_page_size_is_bounded(bot: Bot, five: list[datetime], size: str, rows: int) -> None:
    assert len(bot.get("snapshots/", page_size=size).body["results"]) == rows


def test_the_register_of_algorithms_tells_who_may_trade(bot: Bot) -> None:
    AlgorithmEntryFactory(key="trend 1.4")
    AlgorithmRulingFactory(entry=AlgorithmEntryFactory(key="mean 2"))
    rows = bot.get("algorithms/").body["results"]
    assert [(row["algorithm"], row["status"], row["said"]) for row in rows] == [
        ("mean 2", "approved", "agreed at the risk meeting"), ("trend 1.4", "proposed", "tested on 2024"),
    ]  # fmt: skip
    (row,) = bot.get("algorithms/", algorithm=" Trend 1.4").body["results"]
    assert (row["owner"], row["max_quantity"]) == ("M. Keller, quantitative desk", "2.0000")
