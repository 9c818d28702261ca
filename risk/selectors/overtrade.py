"""The risk of trading too much, of an account as it stands."""

from datetime import datetime

from risk.models import AccountState
from risk.rules.limits import Limits
from risk.rules.overtrade import overtrade_risk_score
from risk.selectors.memory import memory_view
from risk.selectors.pace import pace_view


def overtrade_score(state: AccountState, limits: Limits | None, now: datetime) -> float:
    """The specification's score: the newest cluster's correlation (0.5 where there is none) joined with the pace."""
    memory = memory_view(now)
    return overtrade_risk_score(
        None if memory is None else memory.vix_es_correlation,
        pace_view(state, now).openings_last_hour,
        None if limits is None else limits.pace.max_openings_per_hour,
    )
