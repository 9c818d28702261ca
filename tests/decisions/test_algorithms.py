"""Repeated execution at the gate: counted, disabled, reviewed; and the same from the facts alone."""

from datetime import timedelta
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from decisions.projections import projections_check
from mia_site.audit.models import Entry
from mia_site.ops.registry import readiness_run
from risk.algorithms import algorithm_review
from risk.inputs import InputError
from risk.models import Admission, AlgorithmSwitch
from risk.risk_controller import limits_decide, limits_submit
from tests.decisions.bots import NO_FEATURES, Bot, codes, desk_refresh, trading_bot
from tests.factories import LIMITS
from tests.risk.accounts import APPROVER, MANAGER
from tests.risk.calendars import raised, told
from tests.stillness import StillClock
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("quiet_background")
THREE: dict[str, Any] = {"algorithms": {"max_unreviewed": 3}}


def verdicts(bot: Bot, count: int, **changes: Any) -> list[str]:
    return [bot.asks(algorithm="Trend", **changes).decision.verdict for _number in range(count)]


def reviewed(bot: Bot, algorithm: str = "trend") -> AlgorithmSwitch:
    return algorithm_review(
        account=bot.account.code, algorithm=algorithm, reason="its fills are as wanted", actor=APPROVER
    )


@pytest.mark.django_db
def test_the_nth_opening_disables_the_algorithm_and_midnight_does_not_enable_it(gate_clock: StillClock) -> None:
    bot = trading_bot(now=gate_clock.now, **THREE)
    assert verdicts(bot, 4) == ["allow"] * 3 + ["block"]
    switch = AlgorithmSwitch.objects.get()
    assert (switch.key, switch.action, switch.executions, switch.limit) == ("trend", "disabled", 3, 3)
    assert Entry.objects.get(id=switch.id).kind_name == "algorithm_switch"
    (alert,) = raised("algorithm_disabled")
    assert told(alert).endswith("the algorithm trend is disabled after 3 openings without a review, the limit is 3")
    gate_clock.now += timedelta(days=1)
    desk_refresh(gate_clock.now)
    bot.reports(quantity=2)
    assert codes(bot.asks(algorithm=" TREND").decision) == ["algorithm_disabled"]
    assert bot.asks(algorithm="trend", decision="exit_long", side="sell").decision.verdict == "allow"
    assert bot.asks(algorithm="mean").decision.verdict == "allow"
    assert [str(found) for found in projections_check()] == []


@pytest.mark.django_db
def test_a_review_enables_it_and_one_before_the_limit_counts_anew() -> None:
    bot = trading_bot(**THREE)
    assert verdicts(bot, 2) == ["allow"] * 2
    assert (reviewed(bot).executions, verdicts(bot, 4)) == (2, ["allow"] * 3 + ["block"])
    review = reviewed(bot, "TREND")
    assert (review.action, review.executions, review.actor) == ("reviewed", 3, str(APPROVER))
    assert Entry.objects.get(id=review.id).why == "its fills are as wanted"
    assert verdicts(bot, 1) == ["allow"]
    assert [line.detail for line in readiness_run(bot.account.code) if line.name == "algorithms"] == [
        "none is disabled"
    ]


@pytest.mark.django_db
def test_only_what_opened_can_be_reviewed() -> None:
    bot = trading_bot(**THREE)
    for name in ("trend", "", " "):
        with pytest.raises(InputError, match="opened here since its last review"):
            reviewed(bot, name)
    with pytest.raises(InputError, match="reason"):
        algorithm_review(account=bot.account.code, algorithm="trend", reason=" ", actor=APPROVER)
    assert not AlgorithmSwitch.objects.exists()


@pytest.mark.django_db
def test_within_a_batch_the_nth_is_the_last_and_the_queries_do_not_grow() -> None:
    bot = trading_bot(pace={"max_openings_per_hour": 1_000}, **THREE)
    batch = [bot.sent(algorithm="trend", trade_id=f"T{number}") for number in range(20)]
    with CaptureQueriesContext(connection) as few:
        answers = bot.submits(batch).answers
    assert [answer.decision.verdict for answer in answers] == ["allow"] * 3 + ["block"] * 17
    asked = [query["sql"] for query in few if "risk_algorithmswitch" in query["sql"]]
    assert len([sql for sql in asked if sql.startswith("SELECT")]) == 1


@pytest.mark.django_db
def test_a_limit_set_on_an_algorithm_that_is_past_it_disables_it_at_the_next_question() -> None:
    bot = trading_bot()
    assert verdicts(bot, 4) == ["allow"] * 4
    tighter = {**LIMITS, **NO_FEATURES, **THREE}
    limits_submit(bot.account.code, tighter, actor=MANAGER, reason="RTS 6")
    assert bot.asks().decision.reason_code == "algorithm_unnamed"
    assert verdicts(bot, 1) == ["block"] and AlgorithmSwitch.objects.get().action == "disabled"
    looser = limits_submit(bot.account.code, tighter | {"algorithms": {"max_unreviewed": 9}}, actor=MANAGER, reason="x")
    limits_decide(looser.version, approve=True, actor=APPROVER, reason="y")
    assert verdicts(bot, 1) == ["block"], "a higher limit is no review"
    (line,) = [line for line in readiness_run(bot.account.code) if line.name == "algorithms"]
    assert line.ok, "others trade on"
    assert line.fix.startswith("manage.py review_algorithm trend --account")


@pytest.mark.django_db
def test_in_shadow_it_says_so_and_disables_nothing() -> None:
    rules = NO_FEATURES["rules"] | {"algorithms": {"mode": "shadow"}}
    bot = trading_bot(**THREE | {"rules": rules})
    assert verdicts(bot, 5) == ["allow"] * 5
    assert [reason["code"] for reason in bot.asks(algorithm="trend").decision.shadow_reasons] == ["algorithm_disabled"]
    assert not AlgorithmSwitch.objects.exists()


@pytest.mark.django_db
def test_the_command_reviews_and_refuses_in_a_sentence() -> None:
    bot, out = trading_bot(**THREE), StringIO()
    verdicts(bot, 3)
    told = ["review_algorithm", "Trend", "--account", bot.account.code, "--reason", "looked at it"]
    call_command(*told, stdout=out)
    assert out.getvalue() == f"trend ({bot.account.code}): reviewed after 3 openings\n"
    with pytest.raises(CommandError, match="opened here since its last review"):
        call_command(*told)


@pytest.mark.django_db
def test_which_algorithm_opened_is_projected_from_the_decisions() -> None:
    bot = trading_bot(**THREE)
    verdicts(bot, 2)
    assert set(Admission.objects.values_list("algorithm", flat=True)) == {"trend"}
    Admission.objects.update(algorithm="")
    assert len(list(projections_check())) == 2
    list(projections_check(rebuild=True))
    assert [str(found) for found in projections_check()] == [] and verdicts(bot, 2) == ["allow", "block"]


@pytest.mark.django_db
def test_admissions_of_before_learn_their_algorithm_when_the_database_is_migrated() -> None:
    bot = trading_bot()
    for name in ("Trend", "MEAN ", ""):
        bot.asks(algorithm=name)
    Admission.objects.update(algorithm="")
    import_module("decisions.migrations.0003_admissions_algorithm").algorithms_project(apps, None)
    assert list(Admission.objects.order_by("seq").values_list("algorithm", flat=True)) == ["trend", "mean", ""]


def test_at_once_exactly_as_many_open_as_may(cloned_database: str) -> None:
    bot = trading_bot(**THREE)
    answers: list[Any] = at_once([partial(bot.asks, algorithm="trend", trade_id=f"T{number}") for number in range(8)])
    assert sorted(answer.decision.verdict for answer in answers) == ["allow"] * 3 + ["block"] * 5
    assert AlgorithmSwitch.objects.count() == 1
    assert [str(found) for found in projections_check()] == []
