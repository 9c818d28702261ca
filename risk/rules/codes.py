"""The stable codes of every reason the gate can give.

Other programs branch on these words: a code is never renamed, only retired. Each one is documented in
docs/reasons.md (meaning, evidence, what to do), and `effects_table.py` says which decisions it can stop.
"""

from enum import StrEnum


class ReasonCode(StrEnum):
    """Why a decision was blocked, reduced, or counted as an opening."""

    # Trading states
    ACCOUNT_HALTED = "account_halted"
    ACCOUNT_REDUCE_ONLY = "account_reduce_only"
    DESK_HALTED = "desk_halted"
    DESK_REDUCE_ONLY = "desk_reduce_only"
    CLIENT_HALTED = "client_halted"
    CLIENT_REDUCE_ONLY = "client_reduce_only"
    ALGORITHM_HALTED = "algorithm_halted"
    ALGORITHM_REDUCE_ONLY = "algorithm_reduce_only"
    ALGORITHM_UNKNOWN = "algorithm_unknown"
    INSTRUMENT_HALTED = "instrument_halted"
    INSTRUMENT_REDUCE_ONLY = "instrument_reduce_only"
    STATE_UNKNOWN = "state_unknown"

    # Limits, equity, drawdown
    LIMITS_MISSING = "limits_missing"
    EQUITY_MISSING = "equity_missing"
    EQUITY_STALE = "equity_stale"
    EQUITY_HELD = "equity_held"
    POSITIONS_MISSING = "positions_missing"
    POSITIONS_STALE = "positions_stale"
    DRAWDOWN_BREACHED = "drawdown_breached"
    DRAWDOWN_UNCONFIRMED = "drawdown_unconfirmed"
    DRAWDOWN_UNKNOWN = "drawdown_unknown"

    # Losing trades
    PENALTY_ACTIVE = "penalty_active"
    COOLDOWN = "cooldown"

    # Macro calendar
    CALENDAR_MISSING = "calendar_missing"
    CALENDAR_STALE = "calendar_stale"
    BLACKOUT = "blackout"
    CALENDAR_HORIZON = "calendar_horizon"
    EVENT_REPORTED = "event_reported"
    WINDOW_REDUCED = "window_reduced"

    # Trading sessions
    SESSION_CLOSED = "session_closed"
    SESSION_UNKNOWN = "session_unknown"

    # Hours
    FLAT_TIME = "flat_time"

    # Pace and size of orders
    PACE_EXCEEDED = "pace_exceeded"
    INTERVAL_TOO_SHORT = "interval_too_short"
    MESSAGES_EXCEEDED = "messages_exceeded"
    DUPLICATE_ORDER = "duplicate_order"
    ALGORITHM_UNNAMED = "algorithm_unnamed"
    ALGORITHM_DISABLED = "algorithm_disabled"
    ALGORITHM_UNREGISTERED = "algorithm_unregistered"
    ALGORITHM_UNAPPROVED = "algorithm_unapproved"
    ALGORITHM_WITHDRAWN = "algorithm_withdrawn"
    ALGORITHM_PACE_EXCEEDED = "algorithm_pace_exceeded"
    ALGORITHM_ORDER_TOO_LARGE = "algorithm_order_too_large"
    ORDER_TOO_LARGE = "order_too_large"
    QUANTITY_UNKNOWN = "quantity_unknown"

    # Exposure and price
    ORDER_VALUE_TOO_LARGE = "order_value_too_large"
    POSITION_CAP = "position_cap"
    NOTIONAL_CAP = "notional_cap"
    EXPOSURE_UNKNOWN = "exposure_unknown"
    CONTRACT_NOT_ALLOWED = "contract_not_allowed"
    MULTIPLIER_UNKNOWN = "multiplier_unknown"
    PRICE_UNKNOWN = "price_unknown"
    PRICE_OUTSIDE_COLLAR = "price_outside_collar"
    REFERENCE_MISSING = "reference_missing"
    REFERENCE_STALE = "reference_stale"
    SELF_MATCH = "self_match"

    # Model features and market memory
    FEATURES_SET_MISSING = "features_set_missing"
    FEATURES_SET_STALE = "features_set_stale"
    FEATURE_COVERAGE_LOW = "feature_coverage_low"
    FEATURE_INFLUENTIAL_MISSING = "feature_influential_missing"
    FEATURE_REFERENCE_MISSING = "feature_reference_missing"
    FEATURE_DRIFT_HIGH = "feature_drift_high"
    MEMORY_MISSING = "memory_missing"
    MEMORY_STALE = "memory_stale"
    MEMORY_PACE_TIGHTENED = "memory_pace_tightened"
    MEMORY_ORDER_TIGHTENED = "memory_order_tightened"

    # Why an intended exit counts as an opening: they explain a refusal, they never cause one
    SIDE_UNKNOWN = "side_unknown"
    POSITION_UNKNOWN = "position_unknown"
    POSITION_STALE = "position_stale"
    POSITION_FLIP = "position_flip"

    # Time, the request, the service itself
    CHECKS_STALLED = "checks_stalled"
    CLOCK_SKEW = "clock_skew"
    VERDICT_EXPIRED = "verdict_expired"
    INVALID_REQUEST = "invalid_request"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    NOT_RECORDABLE = "not_recordable"
