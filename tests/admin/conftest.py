"""People of each role at the keyboard, and a desk to look at."""

from collections.abc import Callable

import pytest
from django.test import Client as Browser

from tests.factories import UserFactory
from tests.stories import Story, desk_story

Login = Callable[[str], Browser]


@pytest.fixture
def as_role(db: None) -> Login:
    """`as_role("risk manager")` is a browser in which somebody of that role is logged in."""

    def login(role: str) -> Browser:
        browser = Browser(headers={"accept-language": "en"})
        browser.force_login(UserFactory(role=role))
        return browser

    return login


@pytest.fixture
def as_superuser(db: None) -> Browser:
    """Somebody with every permission there is."""
    browser = Browser(headers={"accept-language": "en"})
    browser.force_login(UserFactory(is_superuser=True))
    return browser


@pytest.fixture
def story(db: None) -> Story:
    """A desk with a history."""
    return desk_story()
