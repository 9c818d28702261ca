"""Admin pages of the decisions app, and the desk's first page."""

from decisions.admin import decisions, outcomes, references, replays, shadow

__all__ = ["decisions", "outcomes", "references", "replays", "shadow"]
