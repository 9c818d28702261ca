"""Limits in force, parsed once per version (a version never changes)."""

from functools import lru_cache

from risk.models import AccountState, LimitsVersion
from risk.rules.limits import Limits, limits_parse


@lru_cache(maxsize=16_384)
def _parsed(version: LimitsVersion) -> Limits:
    """By the row, which is known by its key: read with the account's state it costs no query."""
    return limits_parse(version.body)


def limits_of(state: AccountState) -> Limits | None:
    """The limits in force for the account, or None where none were ever set."""
    return None if state.limits is None else _parsed(state.limits)
