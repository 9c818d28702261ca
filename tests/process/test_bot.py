"""A bot's day against the real web server: it trades, breaches its limit, is stopped, closes, and trades on.

Neither beat nor a worker runs, and there is no broker: what a bot gets is judged in its own request.
"""

import io

import pytest
from django.core.management import CommandError, call_command

from decisions.models import Decision
from mia_site.ops.models import Alert
from risk.models import Penalty, Snapshot
from tests.process.bot import Answer, Bot, bot_start, calendar_load
from tests.servers.desk import Desk
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def web(shared_desk: Desk) -> str:
    """Address of one web server for the bots of this module, each with an account of its own."""
    calendar_load(shared_desk.data_dir)
    return shared_desk.start_web().url


def first_allow(bot: Bot, equity: int = 50_000) -> Answer:
    """The question of the README: equity and positions come with it."""
    answer = bot.ask(equity=bot.equity(equity))
    assert (answer.status, answer.body["verdict"], answer.codes) == (201, "allow", [])
    return answer


def stopped(bot: Bot) -> Answer:
    """Bought two, rose to 52,000, then an equity point below the floor of 49,400 while both are held."""
    first_allow(bot)
    assert bot.report(52_000, es=2).body["trading_state"] == "ACTIVE"
    told = bot.report(49_300, es=2)
    assert (told.status, told.body["trading_state"]) == (201, "REDUCE_ONLY")
    return told


def test_a_new_account_gets_its_first_allow_in_one_post(web: str) -> None:
    bot = bot_start(web, "ES-FIRST")
    answer = first_allow(bot)
    assert answer.body["effect"] == "opens"
    assert answer.body["receipt"]["note"]
    assert bot.get(f"decisions/{answer.body['id']}/").body["judged_on"]["equity"]["equity"] == "50000"
    state = bot.get("accounts/ES-FIRST/state").body
    assert (state["state"], state["equity"], state["positions"]) == ("ACTIVE", "50000", {})
    readiness = bot.get("accounts/ES-FIRST/readiness").body
    assert readiness["ready"], readiness


def test_without_equity_the_same_question_is_blocked(web: str) -> None:
    answer = bot_start(web, "ES-SILENT").ask()
    assert (answer.status, answer.body["verdict"]) == (201, "block")
    assert answer.codes == ["equity_missing", "drawdown_unknown", "position_unknown"]


def test_an_equity_point_below_the_floor_stops_the_account_within_a_second(web: str) -> None:
    bot = bot_start(web, "ES-BREACH")
    told = stopped(bot)
    assert told.seconds < 1
    assert bot.get("accounts/ES-BREACH/state").body["state"] == "REDUCE_ONLY"
    snapshot = Snapshot.objects.get(account__code="ES-BREACH")
    assert (f"{snapshot.drawdown:.4f}", snapshot.penalty_active, snapshot.cause) == ("0.0519", True, "drawdown")
    penalty = Penalty.objects.get(snapshot_id=snapshot.pk)
    assert penalty.penalty_active and "below the floor 49400" in penalty.reason
    alert = Alert.objects.get(code="drawdown_breached", account="ES-BREACH")
    assert (alert.priority, alert.params["limit"], str(alert.params["drawdown"])[:6]) == (3, "0.05", "0.0519")


def test_a_stopped_bot_may_close_what_it_holds_and_nothing_else(web: str) -> None:
    bot = bot_start(web, "ES-EXIT")
    stopped(bot)

    opening = bot.ask()
    assert (opening.status, opening.body["verdict"]) == (201, "block")
    assert opening.codes == ["account_reduce_only", "drawdown_breached"]
    evidence = opening.body["reasons"][1]["evidence"]
    assert (evidence["equity"], evidence["floor"], evidence["reference"]) == ("49300", "49400", "52000")

    flip = bot.ask(decision="sell", side="sell", quantity=3)
    assert (flip.body["verdict"], flip.body["effect"]) == ("block", "opens")
    assert "position_flip" in flip.codes

    close = bot.ask(decision="sell", side="sell", quantity=2)
    assert (close.body["verdict"], close.body["effect"]) == ("allow", "reduces")
    again = bot.ask(decision="sell", side="sell", quantity=2)
    assert again.body["verdict"] == "block"  # both are being closed already
    assert Decision.objects.filter(account__code="ES-EXIT").count() == 5


def test_after_a_resume_with_a_reason_trading_goes_on_with_the_peak_intact(web: str) -> None:
    bot = bot_start(web, "ES-RESUME")
    stopped(bot)
    resume = ["resume", "--account", "ES-RESUME", "--reason", "the spike was a bad tick, broker confirmed"]
    with pytest.raises(CommandError, match="49300 the account is below the floor"):
        call_command(*resume)  # the next point would stop it again
    bot.report(49_500)
    assert bot.ask().codes == ["account_reduce_only"]
    call_command(*resume, stdout=io.StringIO())
    assert bot.ask(equity=bot.equity(49_500)).body["verdict"] == "allow"
    state = bot.get("accounts/ES-RESUME/state").body
    assert (state["state"], state["drawdowns"]["max_drawdown"][:6]) == ("ACTIVE", "0.0480")
    assert bot.report(49_399).body["trading_state"] == "REDUCE_ONLY"  # the floor is still 5 % below 52,000


def test_one_bot_cannot_speak_for_another_account(web: str) -> None:
    mine, other = bot_start(web, "ES-MINE"), bot_start(web, "ES-OTHER")
    refused = mine.ask(account="ES-OTHER", equity=mine.equity(50_000))
    assert (refused.status, refused.body["verdict"], refused.body["recorded"]) == (403, "block", False)
    assert mine.get("accounts/ES-OTHER/state").status == 403
    assert mine.get(f"decisions/{first_allow(other).body['id']}/").status == 404


def test_a_silent_feed_blocks_openings_and_is_told_by_the_periodic_check(desk_processes: Desk, valkey: str) -> None:
    calendar_load(desk_processes.data_dir)
    web = desk_processes.start_web()
    bot = bot_start(web.url, "ES-MAIN", "freshness.equity_seconds=1", "pace.max_openings_per_hour=1000")
    first_allow(bot)
    wait_for(lambda: bot.ask().codes == ["equity_stale"], what="the equity to be too old")
    assert bot.ask().body["reasons"][0]["evidence"]["max_age_seconds"] == 1
    assert not Alert.objects.filter(code="equity_stale").exists()
    desk_processes.start_worker()
    desk_processes.start_beat()
    wait_for(Alert.objects.filter(code="equity_stale", account="ES-MAIN").exists, what="the alert")
