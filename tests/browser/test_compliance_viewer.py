"""A compliance viewer at work, in a real browser against the real web server."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions as expected
from selenium.webdriver.support.ui import WebDriverWait

from mia_site.audit.models import Entry
from risk.roles import COMPLIANCE_VIEWER
from tests.factories import PASSWORD, UserFactory
from tests.servers.browser import BrowserFactory
from tests.servers.web import WebProcess
from tests.stories import Story, desk_story
from tests.waiting import PATIENCE, wait_for

Save = Callable[[Chrome, str], Path]


@pytest.fixture
def story(cloned_database: str) -> Story:
    """A desk with a history in the database that the web server reads."""
    UserFactory(username="vera", role=COMPLIANCE_VIEWER)
    return desk_story()


def log_in(browser: Chrome, web: WebProcess) -> None:
    browser.get(f"{web.url}/admin/")
    browser.find_element(By.NAME, "username").send_keys("vera")
    browser.find_element(By.NAME, "password").send_keys(PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "#login-form button[type=submit]").click()
    WebDriverWait(browser, PATIENCE).until(expected.presence_of_element_located((By.ID, "nav-sidebar")))


def click(browser: Chrome, by: str, what: str) -> None:
    WebDriverWait(browser, PATIENCE).until(expected.element_to_be_clickable((by, what))).click()


def complaints(browser: Chrome) -> list[str]:
    """What the browser's console says: blocked by the content policy, not found, script errors."""
    lines: list[dict[str, str]] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return [line["message"] for line in lines if line["level"] in {"SEVERE", "WARNING"}]


def loaded(browser: Chrome) -> Iterator[str]:
    """Every address that the page and what is on it were loaded from."""
    yield from browser.execute_script(
        "return performance.getEntries().map(entry => entry.name).filter(name => name.includes('://'))"
    )


def test_finds_a_blocked_decision_in_three_clicks_reads_why_exports_it_and_reads_french(
    story: Story, web_process: WebProcess, browser: Chrome, screenshot: Save, tmp_path: Path
) -> None:
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    browser.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)})
    log_in(browser, web_process)

    click(browser, By.PARTIAL_LINK_TEXT, "Blocked decisions")
    click(browser, By.LINK_TEXT, story.blocked.trade_id)

    why = WebDriverWait(browser, PATIENCE).until(expected.visibility_of_element_located((By.ID, "why"))).text
    assert "Blackout until 2025-05-07T18:30:00Z: FOMC statement" in why
    assert "drawdown_breached" in why
    assert "Ask again from" in why
    assert "BLOCKED" in browser.find_element(By.ID, "verdict").text.upper()
    screenshot(browser, "decision-en")

    browser.get(f"{web_process.url}/admin/decisions/decision/?q={story.blocked.trade_id}&verdict__exact=block")
    click(browser, By.XPATH, "//a[contains(normalize-space(), 'Export')]")
    click(browser, By.PARTIAL_LINK_TEXT, "as CSV")
    [row] = list(csv.DictReader(_download(downloads).read_text(encoding="utf-8").splitlines()))
    assert row["trade_id"] == story.blocked.trade_id
    assert row["reason_codes"] == "blackout drawdown_breached"
    told = json.loads(Entry.objects.get(kind_name="exported").body)
    assert told["fact"]["after"]["filters"] == {"q": story.blocked.trade_id, "verdict__exact": "block"}

    click(browser, By.LINK_TEXT, story.blocked.trade_id)
    click(browser, By.XPATH, "//div[normalize-space()='vera']")
    click(
        browser,
        By.XPATH,
        "//button[contains(normalize-space(), 'Français') or contains(normalize-space(), 'français')]",
    )
    french = expected.visibility_of_element_located((By.CSS_SELECTOR, "html[lang='fr'] #why"))
    why = WebDriverWait(browser, PATIENCE, ignored_exceptions=[StaleElementReferenceException]).until(french).text
    assert "Fenêtre d'interdiction jusqu'au 2025-05-07T18:30:00Z" in why
    assert "BLOQUÉ" in browser.find_element(By.ID, "verdict").text.upper()
    screenshot(browser, "decision-fr")
    assert complaints(browser) == []


def _download(folder: Path) -> Path:
    """The one file that was downloaded, once it is whole."""
    wait_for(lambda: [path for path in folder.iterdir() if path.suffix == ".csv"], what="the export")
    [path] = folder.iterdir()
    return path


def test_the_browsers_language_is_the_pages_language(
    story: Story, web_process: WebProcess, browsers: BrowserFactory
) -> None:
    french = browsers("fr")
    french.get(f"{web_process.url}/admin/")

    assert french.find_element(By.TAG_NAME, "html").get_attribute("lang") == "fr"
    assert "Connexion" in french.find_element(By.ID, "login-form").text


def test_no_page_loads_anything_from_elsewhere_or_breaks_its_content_policy(
    story: Story, web_process: WebProcess, browser: Chrome, screenshot: Save
) -> None:
    log_in(browser, web_process)
    pages = {
        "overview": "/admin/",
        "decisions": "/admin/decisions/decision/",
        "decision": f"/admin/decisions/decision/{story.blocked.pk}/change/",
        "account": f"/admin/risk/account/{story.trading.pk}/change/",
        "journal": "/admin/audit/entry/",
        "entry": f"/admin/audit/entry/{story.blocked.pk}/change/",
        "ledger": "/admin/audit/checkpoint/ledger/",
        "alerts": "/admin/ops/alert/",
    }

    for name, path in pages.items():
        browser.get(web_process.url + path)
        WebDriverWait(browser, PATIENCE).until(
            lambda page: page.execute_script("return document.readyState") == "complete"
        )
        elsewhere = [url for url in loaded(browser) if not url.startswith((web_process.url, "data:"))]
        assert elsewhere == [], name
        assert complaints(browser) == [], name
        screenshot(browser, name)


def test_charts_are_drawn_with_what_the_page_brings(story: Story, web_process: WebProcess, browser: Chrome) -> None:
    log_in(browser, web_process)

    drawn = browser.execute_script(
        "return [...document.querySelectorAll('canvas.chart')].map(c => Chart.getChart(c) !== undefined)"
    )

    assert drawn == [True, True]
