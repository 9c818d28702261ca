"""Limits in force, parsed once per version (a version never changes)."""

from functools import lru_cache
from uuid import UUID

from risk.models import AccountState, LimitsVersion
from risk.rules.limits import Limits, limits_parse


@lru_cache(maxsize=1024)
def _parsed(version_id: UUID) -> Limits:
    return limits_parse(LimitsVersion.objects.values_list("body", flat=True).get(id=version_id))


def limits_of(state: AccountState) -> Limits | None:
    """The limits in force for the account, or None where none were ever set."""
    return None if state.limits_id is None else _parsed(state.limits_id)
