"""Logs: one JSON object per line for machines, coloured columns on a terminal, the request's id on every line.

Libraries log through the standard library and come out in the same form. Bodies, query strings and headers are never
logged: they carry tokens.
"""

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import Processor

FORMATS = ("auto", "json", "console")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def structlog_configure() -> None:
    """structlog hands its events to the standard library, whose one handler renders them."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _formatter(*, console: bool) -> dict[str, Any]:
    render: list[Processor] = (
        [structlog.dev.ConsoleRenderer()]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "foreign_pre_chain": [*SHARED, structlog.stdlib.ExtraAdder()],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    }


def logging_config(level: str, style: str) -> dict[str, Any]:
    """A `logging.config.dictConfig`; `style` is json, console, or auto (console on a terminal)."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"desk": {"()": structlog.stdlib.ProcessorFormatter, **_formatter(console=console)}},
        "handlers": {"desk": {"class": "logging.StreamHandler", "formatter": "desk"}},
        "root": {"handlers": ["desk"], "level": level},
        "loggers": {
            # Their own handlers would write everything twice, or mail it.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.error": {"handlers": [], "level": level, "propagate": True},
            "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": True},
            # A refused answer (400, 403, 404) is told by the request's own line; ExtraAdder would print its
            # request.
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
        },
    }


def log_to_file(path: Path) -> None:
    """From now on this process logs, as JSON, to `path` instead of the terminal (the supervisor's is for events)."""
    handler = RotatingFileHandler(path, maxBytes=10 * 1024 * 1024, backupCount=3, encoding="utf-8")
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(**_formatter(console=False)))
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
