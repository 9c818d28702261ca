"""The calendar's week with a waived window, read in French in a real browser."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import translation
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from mia_site.audit.actors import Actor
from mia_site.ops.clock import database_now
from risk.calendar_overrides import waiver_decide, window_waive
from risk.models import Desk, MacroEvent
from risk.roles import COMPLIANCE_VIEWER
from tests.browser.test_compliance_viewer import complaints, loaded, log_in
from tests.factories import MacroEventFactory, UserFactory
from tests.servers.web import WebProcess
from tests.waiting import PATIENCE

Save = Callable[[Chrome, str], Path]


@pytest.fixture
def waived(cloned_database: str) -> MacroEvent:
    """FOMC in five hours; a Beige Book in an hour whose window two persons opened."""
    UserFactory(username="vera", role=COMPLIANCE_VIEWER)
    now = database_now()
    Desk.objects.update_or_create(id=1, defaults={"calendar_at": now, "calendar_until": now + timedelta(days=9)})
    MacroEventFactory(start_at=now + timedelta(hours=5), event_type="FOMC statement")
    event: MacroEvent = MacroEventFactory(start_at=now + timedelta(hours=1), event_type="Beige Book")
    asked = window_waive(event_id=event.id, actor=Actor("user", "1"), reason="minor this time")
    waiver_decide(asked, approve=True, actor=Actor("user", "2"), reason="agreed")
    return event


def test_the_week_in_french_shows_the_waived_window_and_counts_down(
    waived: MacroEvent, web_process: WebProcess, browser: Chrome, screenshot: Save
) -> None:
    log_in(browser, web_process)
    browser.add_cookie({"name": "django_language", "value": "fr"})
    day = f"{waived.start_at:%Y-%m-%d}"
    browser.get(f"{web_process.url}/admin/decisions/decision/week/?day={day}")
    wait = WebDriverWait(browser, PATIENCE)
    week = wait.until(expected.visibility_of_element_located((By.ID, "week")))
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "fr"
    with translation.override("fr"):
        assert translation.gettext("Next blackout") in browser.find_element(By.ID, "coming").text
        words = translation.gettext("waived")
    titles = [
        mark.get_attribute("title") for mark in week.find_elements(By.CSS_SELECTOR, ".desk-mark.desk-mark-waived")
    ]
    assert titles == [f"{waived.start_at:%H:%M} Beige Book ({words})"]
    table = browser.find_element(By.ID, "windows")
    assert table.find_element(By.CSS_SELECTOR, ".desk-week-waived a").text == "Beige Book"
    until = browser.find_element(By.CSS_SELECTOR, "[data-until]")
    wait.until(lambda _browser: until.text.count(":") == 2)  # the script counts hours, minutes and seconds
    assert complaints(browser) == []
    assert all(address.startswith(web_process.url) for address in loaded(browser))
    screenshot(browser, "week-fr")
