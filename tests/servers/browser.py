"""A headless Chromium, Debian's, that can reach this machine and nothing else."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

BrowserFactory = Callable[[str], Chrome]


def _programs() -> tuple[str, str] | None:
    """Chromium and its driver; None where one of them is missing."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    return (chromium, driver) if chromium and driver else None


def _options(chromium: str, language: str, profile: Path) -> ChromeOptions:
    options = ChromeOptions()
    options.binary_location = chromium
    words = [
        "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--window-size=1440,1000",
        f"--lang={language}", f"--accept-lang={language}", f"--user-data-dir={profile}",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]  # fmt: skip
    if os.geteuid() == 0:
        words.append("--no-sandbox")
    for word in words:
        options.add_argument(word)
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options


@pytest.fixture
def browsers(tmp_path: Path) -> Iterator[BrowserFactory]:
    """Opens browsers: `browsers("fr")` is one whose owner reads French. All are closed after the test.

    Skips where Chromium or its driver is missing; fails there if REQUIRE_BROWSER is 1.
    """
    programs = _programs()
    if programs is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("chromium or chromedriver is missing, and REQUIRE_BROWSER is 1")
        pytest.skip("chromium or chromedriver is not installed")
    chromium, driver = programs
    opened: list[Chrome] = []

    def open_browser(language: str) -> Chrome:
        options = _options(chromium, language, tmp_path / f"chromium-{len(opened)}")
        service = ChromeService(executable_path=driver, log_output=str(tmp_path / "chromedriver.log"))
        opened.append(Chrome(options=options, service=service))
        return opened[-1]

    yield open_browser
    for browser in opened:
        browser.quit()


@pytest.fixture
def browser(browsers: BrowserFactory) -> Chrome:
    """A browser whose owner reads English."""
    return browsers("en")


@pytest.fixture
def screenshot(tmp_path: Path) -> Callable[[Chrome, str], Path]:
    """Saves what a browser shows as PNG, under SCREENSHOTS_DIR or the test's own folder; returns the path."""
    folder = Path(os.environ.get("SCREENSHOTS_DIR") or tmp_path / "screenshots")

    def save(browser: Chrome, name: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"
        assert browser.save_screenshot(str(path)), f"no screenshot at {path}"
        return path

    return save
