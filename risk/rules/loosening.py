"""The desk's policy on what lets more through: who may loosen limits, or resume, and in which way.

Without a policy a loosening waits for a second person. A desk may also let it come by itself with the next session,
or let one person break the glass: at once, to be reviewed by another within `review_hours`, else taken back.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from risk.rules.limit_base import Section
from risk.rules.limits_diff import Change, Direction


class Delay(StrEnum):
    """When a loosening takes effect without a second person."""

    NONE = "none"
    NEXT_SESSION = "next_session"


class Way(StrEnum):
    """The way that a loosening takes, where it is not a second person's yes."""

    NEXT_SESSION = "next_session"
    BREAK_GLASS = "break_glass"


class Loosening(Section, frozen=True):
    """The section `loosening` of the desk's document."""

    delay: Delay = Delay.NONE
    break_glass: bool = False
    review_hours: Annotated[int, Meta(ge=1, le=168)] = 24

    def allows(self, way: Way) -> bool:
        """Whether one person may take this way."""
        return self.break_glass if way is Way.BREAK_GLASS else self.delay is Delay.NEXT_SESSION

    def review_by(self, now: datetime) -> datetime:
        """Until when another person must have reviewed what is done at `now`."""
        return now + timedelta(hours=self.review_hours)


SECOND_PERSON = Loosening()
"""The policy of a desk that has said nothing."""
_WEAKNESS = {Delay.NONE: 0, Delay.NEXT_SESSION: 1}


def loosening_diff(old: Loosening, new: Loosening) -> Iterator[Change]:
    """Yield every difference; a policy that asks for less loosens."""
    for field in ("delay", "break_glass", "review_hours"):
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            weaker = _weakness(after) > _weakness(before)
            yield Change(f"loosening.{field}", before, after, Direction.LOOSENS if weaker else Direction.TIGHTENS)


def _weakness(value: Delay | bool | int) -> int:
    return _WEAKNESS[value] if isinstance(value, Delay) else int(value)
