"""Windows that people close, hold longer, or open in twos."""

from datetime import timedelta
from uuid import uuid4

import pytest

from mia_site.audit.actors import Actor
from mia_site.audit.models import Entry
from risk.calendar_overrides import waiver_decide, window_add, window_extend, window_waive
from risk.inputs import InputError
from risk.models import EventVersion, MacroEvent, WindowOverride, WindowRuling
from risk.trade_window_filter import trade_window
from tests.risk.calendars import MINUTE, SECOND, event, load, raised, told
from tests.stillness import FOMC, StillClock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet_background")]
ANNA, BEN = Actor("user", "1"), Actor("user", "2")
HOUR = timedelta(hours=1)


@pytest.fixture
def fomc(fomc_clock: StillClock) -> MacroEvent:
    """FOMC in two hours, known since an hour."""
    fomc_clock.now = FOMC - 3 * HOUR
    load(event(FOMC))
    fomc_clock.now = FOMC - 2 * HOUR
    return MacroEvent.objects.get()


def blocked(at: object) -> bool:
    return trade_window(False, at=at).blocked  # type: ignore[arg-type]


def test_a_time_that_somebody_closed_is_closed_exactly_so_long(fomc: MacroEvent) -> None:
    start = FOMC + 5 * HOUR
    made = window_add(title="Chair speaks", starts_at=start, ends_at=start + HOUR, actor=ANNA, reason="just announced")
    assert blocked(start) and blocked(start + HOUR)
    assert not blocked(start - SECOND) and not blocked(start + HOUR + SECOND)
    reason = trade_window(False, at=start).reasons[0]
    assert (reason.code, reason.retry_at) == ("blackout", start + HOUR)
    assert reason.evidence["names"].startswith("Chair speaks")
    closing = MacroEvent.objects.get(source="staff")
    assert made.made_event_id == closing.id
    assert {entry.kind_name for entry in Entry.objects.filter(why="just announced")} == {
        "window_override", "event_version",
    }  # fmt: skip
    (alert,) = raised("window_closed_by_staff")
    assert told(alert).startswith("user:1 closed 2025-05-07T23:00:00Z to 2025-05-08T00:00:00Z (Chair speaks)")


def test_a_window_may_be_held_longer(fomc: MacroEvent) -> None:
    assert not blocked(FOMC + 31 * MINUTE)
    window_extend(event_id=fomc.id, ends_at=FOMC + 90 * MINUTE, actor=ANNA, reason="press conference runs on")
    assert blocked(FOMC + 31 * MINUTE) and blocked(FOMC + 90 * MINUTE)
    assert not blocked(FOMC + 90 * MINUTE + SECOND)
    assert trade_window(False, at=FOMC).reasons[0].retry_at == FOMC + 90 * MINUTE, "overlapping windows are one"


def test_a_waiver_opens_nothing_until_a_second_person_agrees(fomc: MacroEvent) -> None:
    asked = window_waive(event_id=fomc.id, actor=ANNA, reason="no statement today")
    assert blocked(FOMC)
    with pytest.raises(InputError, match="a second person"):
        waiver_decide(asked, approve=True, actor=ANNA, reason="me again")
    assert blocked(FOMC)
    waiver_decide(asked, approve=True, actor=BEN, reason="confirmed by the Fed")
    assert not blocked(FOMC)
    assert len(raised("waiver_proposed")) == len(raised("waiver_approved")) == 1
    assert WindowRuling.objects.get().approver == "user:2"


def test_a_waiver_that_is_rejected_opens_nothing_and_may_be_asked_again(fomc: MacroEvent) -> None:
    asked = window_waive(event_id=fomc.id, actor=ANNA, reason="no statement today")
    with pytest.raises(InputError, match="neither open nor asked about"):
        window_waive(event_id=fomc.id, actor=BEN, reason="me too")
    waiver_decide(asked, approve=False, actor=BEN, reason="there is one")
    assert blocked(FOMC)
    with pytest.raises(InputError, match="a waiver that nobody has ruled on"):
        waiver_decide(asked, approve=True, actor=BEN, reason="on second thoughts")
    window_waive(event_id=fomc.id, actor=ANNA, reason="now really")


def test_a_waiver_holds_for_the_event_as_it_stood(fomc: MacroEvent, fomc_clock: StillClock) -> None:
    load(event(FOMC, impact="0.8"))
    asked = window_waive(event_id=fomc.id, actor=ANNA, reason="minor")
    load(event(FOMC, impact="0.9"))
    with pytest.raises(InputError, match="as it stood"):
        waiver_decide(asked, approve=True, actor=BEN, reason="fine")
    load(event(FOMC, impact="0.75"))
    waiver_decide(asked, approve=True, actor=BEN, reason="fine")
    assert not blocked(FOMC)
    load(event(FOMC, impact="0.72"))
    assert not blocked(FOMC), "an impact that falls further keeps it open"
    load(event(FOMC, impact="1.0"))
    assert blocked(FOMC), "a greater impact is another matter"


def test_a_time_that_somebody_closed_is_opened_again_by_two(fomc: MacroEvent) -> None:
    start = FOMC + 5 * HOUR
    made = window_add(title="Chair speaks", starts_at=start, ends_at=start + HOUR, actor=ANNA, reason="just announced")
    assert made.made_event_id is not None
    asked = window_waive(event_id=made.made_event_id, actor=ANNA, reason="called off")
    waiver_decide(asked, approve=True, actor=BEN, reason="called off indeed")
    assert not blocked(start)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"title": ""}, "title"),
        ({"currency": "usd"}, "currency"),
        ({"ends_at": FOMC}, "ends_at"),
        ({"ends_at": FOMC + timedelta(days=8)}, "ends_at"),
        ({"starts_at": FOMC - 5 * HOUR, "ends_at": FOMC - 4 * HOUR}, "ends_at"),
        ({"starts_at": FOMC.replace(tzinfo=None)}, "ends_at"),
    ],
)
def test_what_cannot_be_closed_is_refused_and_leaves_no_trace(
    fomc: MacroEvent, changes: dict[str, object], field: str
) -> None:
    given: dict[str, object] = {"title": "Speech", "starts_at": FOMC, "ends_at": FOMC + HOUR, "reason": "because"}
    with pytest.raises(InputError) as caught:
        window_add(**given | changes, actor=ANNA)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert not WindowOverride.objects.exists() and EventVersion.objects.count() == 1


def test_an_event_that_nobody_knows_or_that_is_long_over_is_refused(fomc: MacroEvent, fomc_clock: StillClock) -> None:
    with pytest.raises(InputError, match="an event of the calendar with a start"):
        window_waive(event_id=uuid4(), actor=ANNA, reason="what")
    fomc_clock.now = FOMC + timedelta(days=8)
    with pytest.raises(InputError, match="not long over"):
        window_waive(event_id=fomc.id, actor=ANNA, reason="late")
    with pytest.raises(InputError, match="still to come"):
        window_extend(event_id=fomc.id, ends_at=FOMC + HOUR, actor=ANNA, reason="late")
