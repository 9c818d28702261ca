"""Which reasons count against which decisions: the table of docs/reasons.md, as data.

An opening is stopped by every reason. A decision that reduces a known position is stopped only by a halt, by
a state that nobody knows, or where the answer itself would be worthless. A neutral one is always recorded,
unless there is nothing that could be recorded.
"""

from risk.rules.ask import Effect
from risk.rules.codes import ReasonCode

_OPENS = frozenset({Effect.OPENS})
_TRADES = frozenset({Effect.OPENS, Effect.REDUCES})
_ALL = frozenset(Effect)
_EXPLAINS: frozenset[Effect] = frozenset()

COUNTS_AGAINST: dict[ReasonCode, frozenset[Effect]] = {
    ReasonCode.ACCOUNT_HALTED: _TRADES,
    ReasonCode.ACCOUNT_REDUCE_ONLY: _OPENS,
    ReasonCode.DESK_HALTED: _TRADES,
    ReasonCode.DESK_REDUCE_ONLY: _OPENS,
    ReasonCode.CLIENT_HALTED: _TRADES,
    ReasonCode.CLIENT_REDUCE_ONLY: _OPENS,
    ReasonCode.ALGORITHM_HALTED: _TRADES,
    ReasonCode.ALGORITHM_REDUCE_ONLY: _OPENS,
    ReasonCode.ALGORITHM_UNKNOWN: _OPENS,
    ReasonCode.INSTRUMENT_HALTED: _TRADES,
    ReasonCode.INSTRUMENT_REDUCE_ONLY: _OPENS,
    ReasonCode.STATE_UNKNOWN: _TRADES,
    ReasonCode.LIMITS_MISSING: _OPENS,
    ReasonCode.EQUITY_MISSING: _OPENS,
    ReasonCode.EQUITY_STALE: _OPENS,
    ReasonCode.EQUITY_HELD: _OPENS,
    ReasonCode.POSITIONS_MISSING: _OPENS,
    ReasonCode.POSITIONS_STALE: _OPENS,
    ReasonCode.DRAWDOWN_BREACHED: _OPENS,
    ReasonCode.DRAWDOWN_UNCONFIRMED: _OPENS,
    ReasonCode.DRAWDOWN_UNKNOWN: _OPENS,
    ReasonCode.PENALTY_ACTIVE: _OPENS,
    ReasonCode.COOLDOWN: _OPENS,
    ReasonCode.CALENDAR_MISSING: _OPENS,
    ReasonCode.CALENDAR_STALE: _OPENS,
    ReasonCode.BLACKOUT: _OPENS,
    ReasonCode.EVENT_REPORTED: _OPENS,
    ReasonCode.FLAT_TIME: _OPENS,
    ReasonCode.CALENDAR_HORIZON: _OPENS,
    ReasonCode.WINDOW_REDUCED: _OPENS,
    ReasonCode.SESSION_CLOSED: _OPENS,
    ReasonCode.SESSION_UNKNOWN: _OPENS,
    ReasonCode.PACE_EXCEEDED: _OPENS,
    ReasonCode.INTERVAL_TOO_SHORT: _OPENS,
    ReasonCode.MESSAGES_EXCEEDED: _OPENS,
    ReasonCode.DUPLICATE_ORDER: _OPENS,
    ReasonCode.ALGORITHM_UNNAMED: _OPENS,
    ReasonCode.ALGORITHM_DISABLED: _OPENS,
    ReasonCode.ALGORITHM_UNREGISTERED: _OPENS,
    ReasonCode.ALGORITHM_UNAPPROVED: _OPENS,
    ReasonCode.ALGORITHM_WITHDRAWN: _OPENS,
    ReasonCode.ALGORITHM_PACE_EXCEEDED: _OPENS,
    ReasonCode.ALGORITHM_ORDER_TOO_LARGE: _OPENS,
    ReasonCode.ORDER_TOO_LARGE: _OPENS,
    ReasonCode.QUANTITY_UNKNOWN: _OPENS,
    ReasonCode.ORDER_VALUE_TOO_LARGE: _OPENS,
    ReasonCode.POSITION_CAP: _OPENS,
    ReasonCode.NOTIONAL_CAP: _OPENS,
    ReasonCode.EXPOSURE_UNKNOWN: _OPENS,
    ReasonCode.CONTRACT_NOT_ALLOWED: _OPENS,
    ReasonCode.MULTIPLIER_UNKNOWN: _OPENS,
    ReasonCode.PRICE_UNKNOWN: _OPENS,
    ReasonCode.PRICE_OUTSIDE_COLLAR: _OPENS,
    ReasonCode.REFERENCE_MISSING: _OPENS,
    ReasonCode.REFERENCE_STALE: _OPENS,
    ReasonCode.SELF_MATCH: _OPENS,
    ReasonCode.FEATURES_SET_MISSING: _OPENS,
    ReasonCode.FEATURES_SET_STALE: _OPENS,
    ReasonCode.FEATURE_COVERAGE_LOW: _OPENS,
    ReasonCode.FEATURE_INFLUENTIAL_MISSING: _OPENS,
    ReasonCode.FEATURE_REFERENCE_MISSING: _OPENS,
    ReasonCode.FEATURE_DRIFT_HIGH: _OPENS,
    ReasonCode.MEMORY_MISSING: _OPENS,
    ReasonCode.MEMORY_STALE: _OPENS,
    ReasonCode.MEMORY_PACE_TIGHTENED: _OPENS,
    ReasonCode.MEMORY_ORDER_TIGHTENED: _OPENS,
    ReasonCode.SIDE_UNKNOWN: _EXPLAINS,
    ReasonCode.POSITION_UNKNOWN: _EXPLAINS,
    ReasonCode.POSITION_STALE: _EXPLAINS,
    ReasonCode.POSITION_FLIP: _EXPLAINS,
    ReasonCode.CHECKS_STALLED: _OPENS,
    ReasonCode.CLOCK_SKEW: _OPENS,
    ReasonCode.VERDICT_EXPIRED: _TRADES,
    ReasonCode.INVALID_REQUEST: _ALL,
    ReasonCode.ENGINE_UNAVAILABLE: _OPENS,
    ReasonCode.NOT_RECORDABLE: _ALL,
}


def counts(code: ReasonCode, effect: Effect) -> bool:
    """Return whether a reason with `code` stops or reduces a decision with `effect`."""
    return effect in COUNTS_AGAINST[code]
