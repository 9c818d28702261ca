"""The bot of these tests, at the desk's door."""

import pytest

from tests.decisions.bots import Bot
from tests.risk.api.conftest import Bot as Web


@pytest.fixture
def web(bot: Bot) -> Web:
    """Speaks to the API with the bot's token."""
    return Web(bot.token)
