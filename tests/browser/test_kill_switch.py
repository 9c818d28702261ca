"""Two clicks from a list to a halted account, in French, in a real browser."""

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from django.utils import translation
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from risk.models import Account
from risk.roles import RISK_MANAGER
from tests.browser.test_compliance_viewer import click, complaints, loaded, log_in
from tests.factories import AccountFactory, UserFactory, state_of
from tests.servers.web import WebProcess
from tests.waiting import PATIENCE

Save = Callable[[Chrome, str], Path]


@pytest.fixture
def account(cloned_database: str) -> Account:
    """One of two accounts, and a risk manager."""
    UserFactory(username="vera", role=RISK_MANAGER)
    AccountFactory(code="ES-OTHER")
    made: Account = AccountFactory(code="ES-MAIN")
    return made


def test_two_clicks_from_a_list_halt_an_account(
    account: Account, web_process: WebProcess, browser: Chrome, screenshot: Save
) -> None:
    log_in(browser, web_process)
    browser.add_cookie({"name": "django_language", "value": "fr"})
    address = f"{web_process.url}/admin/decisions/decision/"
    browser.get(address)
    click(browser, By.CSS_SELECTOR, "#kill-switch summary")
    screenshot(browser, "kill-switch-fr")
    click(browser, By.CSS_SELECTOR, "#kill-switch button[value='account|ES-MAIN|']")
    with translation.override("fr"):
        told = translation.gettext("Stopped: %(what)s. It is recorded with your reason.").partition("%")[0]
    WebDriverWait(browser, PATIENCE).until(lambda shown: told in unescape(shown.page_source))
    assert browser.current_url == address
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "fr"
    state = state_of(account)
    assert (state.state, state.state_reason) == ("HALTED", "Suspected malfunction of a bot")
    assert complaints(browser) == []
    assert all(name.startswith(web_process.url) for name in loaded(browser))
