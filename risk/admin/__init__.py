"""Admin pages of the risk app."""

from risk.admin import (
    accounts,
    algorithm_register,
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
    "algorithm_register",
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
