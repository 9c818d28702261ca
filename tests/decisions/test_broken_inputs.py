"""docs/operations.md, "Each input broken in turn": each cell of its table, with the input broken for real."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from django.db import close_old_connections

from decisions.models import Decision
from mia_site.ops import heartbeat
from tests.decisions.bots import Bot, trading_bot
from tests.decisions.broken_inputs import FAULTS, scene_start
from tests.decisions.troubled_database import gone, hurried, locked
from tests.docs.pages import page, sections, table_cells
from tests.risk.api.conftest import Bot as Web
from tests.stillness import StillClock

pytestmark = pytest.mark.usefixtures("quiet_background")
TABLE = sections(page("docs/operations.md"), 2)["Each input broken in turn"]
ROWS = list(zip(*(table_cells(TABLE, column) for column in range(4)), strict=True))
CELLS = {(row[0], row[1]): {"opening": row[2], "reducing": row[3]} for row in ROWS}
"""Input and fault -> what the gate answers to each kind of decision."""
ASKED: dict[str, dict[str, Any]] = {"opening": {}, "reducing": {"decision": "sell", "side": "sell"}}
DATABASE = {"slow: a lock or a statement outlasts the deadline": locked, "gone": gone}


def rows(*, of_database: bool) -> pytest.MarkDecorator:
    chosen = [fault for fault in CELLS if (fault[0] == "database") is of_database]
    return pytest.mark.parametrize("fault", chosen, ids=": ".join)


def answer(bot: Bot, question: Mapping[str, Any]) -> str:
    """Asks over HTTP; the answer in the words of the table."""
    told = Web(bot.token).post("decisions/", bot.body(**question))
    assert (told.status == 201) is bool(told.body.get("recorded", True))
    status = "" if told.status == 201 else f", {told.status}"
    found = ", ".join(f"`{reason['code']}`" for reason in told.body["reasons"])
    return f"{told.body['verdict']}{status}" + (f": {found}" if found else "")


def test_the_table_names_every_fault_that_is_injected_and_no_other() -> None:
    assert len(CELLS) == len(ROWS)
    assert set(CELLS) == set(FAULTS) | {("database", what) for what in DATABASE}
    assert all(re.match(r"allow$|block(, 503)?: `", says) for cells in CELLS.values() for says in cells.values())


@rows(of_database=False)
@pytest.mark.django_db
def test_an_input_that_is_broken(
    fault: tuple[str, str], gate_clock: StillClock, request: pytest.FixtureRequest, subtests: pytest.Subtests
) -> None:
    request.addfinalizer(heartbeat.broker_forget)
    scene = scene_start(FAULTS[fault], gate_clock, request)
    for asked, says in CELLS[fault].items():
        with subtests.test(asked):
            assert answer(scene.bot, scene.question | ASKED[asked]) == says
    assert Decision.objects.count() == len(ASKED), "each answer is on record"


@rows(of_database=True)
def test_a_database_that_is_broken(fault: tuple[str, str], cloned_database: str, subtests: pytest.Subtests) -> None:
    bot = trading_bot()
    bot.reports(quantity=2)
    close_old_connections()
    with DATABASE[fault[1]](cloned_database), hurried():
        for asked, says in CELLS[fault].items():
            with subtests.test(asked):
                assert answer(bot, ASKED[asked]) == says
    assert not Decision.objects.exists()
