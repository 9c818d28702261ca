"""The log: every alert, as one structured line."""

import logging
from collections.abc import Sequence

import structlog

from mia_site.ops.channels.base import Message

log = structlog.get_logger("mia_site.alerts")
LEVELS = {1: logging.INFO, 2: logging.WARNING, 3: logging.WARNING, 4: logging.ERROR, 5: logging.CRITICAL}


class LogChannel:
    """Priority 1 and above."""

    name = "log"
    min_priority = 1

    def targets(self) -> Sequence[str]:
        return ["log"]

    def send(self, target: str, message: Message) -> None:
        log.log(LEVELS[message.priority], "alert", **message.as_dict())
