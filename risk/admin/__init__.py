"""Admin pages of the risk app."""

from risk.admin import (
    accounts,
    algorithms,
    clients,
    desk,
    desk_limits,
    events,
    facts,
    limits,
    limits_steps,
    memories,
    people,
    references,
    sessions,
    stops,
    windows,
)

__all__ = [
    "accounts",
    "algorithms",
    "clients",
    "desk",
    "desk_limits",
    "events",
    "facts",
    "limits",
    "limits_steps",
    "memories",
    "people",
    "references",
    "sessions",
    "stops",
    "windows",
]
