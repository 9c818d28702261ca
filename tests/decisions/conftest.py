"""What tests of decisions share: a bot that may trade at noon."""

import pytest

from tests.decisions.bots import Bot, trading_bot
from tests.stillness import StillClock


@pytest.fixture
def bot(gate_clock: StillClock) -> Bot:
    return trading_bot(now=gate_clock.now)
