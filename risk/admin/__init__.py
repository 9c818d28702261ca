"""Admin pages of the risk app."""

from risk.admin import (
    accounts,
    clients,
    desk,
    desk_limits,
    events,
    facts,
    limits,
    memories,
    people,
    references,
    sessions,
    stops,
    windows,
)

__all__ = [
    "accounts",
    "clients",
    "desk",
    "desk_limits",
    "events",
    "facts",
    "limits",
    "memories",
    "people",
    "references",
    "sessions",
    "stops",
    "windows",
]
