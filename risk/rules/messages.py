"""English sentences for every reason code, as data that can be translated.

A template holds `%(name)s` fields of the evidence. The Django side translates the same template with gettext
and fills in the same evidence; this room only ever speaks English.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from risk.rules.codes import ReasonCode


def gettext_noop(message: str) -> str:
    """Mark a template for xgettext and return it unchanged."""
    return message


MESSAGES: dict[ReasonCode, str] = {
    ReasonCode.ACCOUNT_HALTED: gettext_noop("The account is halted since %(since)s: %(reason)s"),
    ReasonCode.ACCOUNT_REDUCE_ONLY: gettext_noop(
        "The account is in reduce-only since %(since)s, no new risk is allowed: %(reason)s"
    ),
    ReasonCode.DESK_HALTED: gettext_noop("The whole desk is halted since %(since)s: %(reason)s"),
    ReasonCode.DESK_REDUCE_ONLY: gettext_noop(
        "The whole desk is in reduce-only since %(since)s, no new risk is allowed: %(reason)s"
    ),
    ReasonCode.CLIENT_HALTED: gettext_noop("The client %(key)s is halted since %(since)s: %(reason)s"),
    ReasonCode.CLIENT_REDUCE_ONLY: gettext_noop(
        "The client %(key)s is in reduce-only since %(since)s, no new risk is allowed: %(reason)s"
    ),
    ReasonCode.ALGORITHM_HALTED: gettext_noop("The algorithm %(key)s is halted since %(since)s: %(reason)s"),
    ReasonCode.ALGORITHM_REDUCE_ONLY: gettext_noop(
        "The algorithm %(key)s is in reduce-only since %(since)s, no new risk is allowed: %(reason)s"
    ),
    ReasonCode.ALGORITHM_UNKNOWN: gettext_noop(
        "The decision names no algorithm, and the algorithm %(key)s is stopped since %(since)s: %(reason)s"
    ),
    ReasonCode.INSTRUMENT_HALTED: gettext_noop("The instrument %(key)s is halted since %(since)s: %(reason)s"),
    ReasonCode.INSTRUMENT_REDUCE_ONLY: gettext_noop(
        "The instrument %(key)s is in reduce-only since %(since)s, no new risk is allowed: %(reason)s"
    ),
    ReasonCode.STATE_UNKNOWN: gettext_noop("The trading state of the %(scope)s is not known."),
    ReasonCode.LIMITS_MISSING: gettext_noop("No limits are set for the account."),
    ReasonCode.EQUITY_MISSING: gettext_noop("No equity was ever reported for the account."),
    ReasonCode.EQUITY_STALE: gettext_noop(
        "The last equity is from %(at)s, %(age_seconds)s s ago; at most %(max_age_seconds)s s are allowed."
    ),
    ReasonCode.EQUITY_HELD: gettext_noop(
        "%(count)s implausible equity points are held since %(since)s: somebody of the staff must rule on them."
    ),
    ReasonCode.POSITIONS_MISSING: gettext_noop("The limits require the positions, and none were ever reported."),
    ReasonCode.POSITIONS_STALE: gettext_noop(
        "The limits require the positions; the last report is from %(at)s, %(age_seconds)s s ago; "
        "at most %(max_age_seconds)s s are allowed."
    ),
    ReasonCode.DRAWDOWN_BREACHED: gettext_noop(
        "%(rule)s: equity %(equity)s is below the floor %(floor)s, a drawdown of %(drawdown)s "
        "from the reference %(reference)s."
    ),
    ReasonCode.DRAWDOWN_UNCONFIRMED: gettext_noop(
        "%(rule)s: equity %(equity)s is below the floor %(floor)s since %(since)s (%(points)s points); "
        "the breach is neither confirmed nor refuted yet."
    ),
    ReasonCode.DRAWDOWN_UNKNOWN: gettext_noop("%(rule)s: the drawdown was not measured."),
    ReasonCode.PENALTY_ACTIVE: gettext_noop("A penalty (%(kind)s) is active since %(since)s: %(reason)s"),
    ReasonCode.COOLDOWN: gettext_noop("The cool-down after a %(after)s at %(since)s lasts until %(until)s."),
    ReasonCode.CALENDAR_MISSING: gettext_noop("The macro calendar was never loaded."),
    ReasonCode.CALENDAR_STALE: gettext_noop(
        "The macro calendar is from %(refreshed_at)s; at most %(max_age_hours)s hours are allowed."
    ),
    ReasonCode.BLACKOUT: gettext_noop("Blackout until %(until)s: %(names)s"),
    ReasonCode.EVENT_REPORTED: gettext_noop("The caller reports an active event; the calendar has: %(names)s"),
    ReasonCode.FLAT_TIME: gettext_noop("Positions must be flat from %(by)s until %(until)s (%(zone)s)."),
    ReasonCode.CALENDAR_HORIZON: gettext_noop(
        "The macro calendar knows events until %(known_until)s; %(horizon_hours)s hours ahead are needed."
    ),
    ReasonCode.WINDOW_REDUCED: gettext_noop(
        "A quantity of %(quantity)s was asked for; until %(until)s at most %(max_quantity)s are allowed: %(names)s"
    ),
    ReasonCode.SESSION_CLOSED: gettext_noop("The session (%(hours)s) is closed; the next one opens at %(opens_at)s."),
    ReasonCode.SESSION_UNKNOWN: gettext_noop("It is not known when the session (%(hours)s) is open."),
    ReasonCode.PACE_EXCEEDED: gettext_noop(
        "%(openings)s openings were allowed within the last hour; the limit is %(limit)s."
    ),
    ReasonCode.INTERVAL_TOO_SHORT: gettext_noop(
        "The last opening was at %(last_opening_at)s; %(min_interval_seconds)s s must lie between two."
    ),
    ReasonCode.MESSAGES_EXCEEDED: gettext_noop(
        "The account has sent %(limit)s messages or more since %(oldest_at)s, as many as a minute may have."
    ),
    ReasonCode.DUPLICATE_ORDER: gettext_noop(
        "The same opening (%(instrument)s, %(side)s, %(quantity)s) was let through at %(earlier_at)s as decision "
        "%(earlier_id)s; for %(duplicate_seconds)s s it counts as a duplicate."
    ),
    ReasonCode.ALGORITHM_UNNAMED: gettext_noop(
        "The decision %(decision)s names no algorithm, and the limits judge openings by their algorithm."
    ),
    ReasonCode.ALGORITHM_DISABLED: gettext_noop(
        "The algorithm %(algorithm)s opened %(executions)s times without a review, the limit is %(limit)s: it is "
        "disabled until somebody reviews it."
    ),
    ReasonCode.ALGORITHM_UNREGISTERED: gettext_noop("The algorithm %(algorithm)s is not in the register."),
    ReasonCode.ALGORITHM_UNAPPROVED: gettext_noop(
        "The algorithm %(algorithm)s is registered (v%(version)s) and not approved, since %(since)s."
    ),
    ReasonCode.ALGORITHM_WITHDRAWN: gettext_noop(
        "The algorithm %(algorithm)s (v%(version)s) was withdrawn at %(since)s: %(reason)s"
    ),
    ReasonCode.ALGORITHM_PACE_EXCEEDED: gettext_noop(
        "%(openings)s openings of the algorithm %(algorithm)s were allowed within the last hour; "
        "its limit is %(limit)s."
    ),
    ReasonCode.ALGORITHM_ORDER_TOO_LARGE: gettext_noop(
        "A quantity of %(quantity)s was asked for; the algorithm %(algorithm)s may open at most %(max_quantity)s."
    ),
    ReasonCode.ORDER_TOO_LARGE: gettext_noop(
        "A quantity of %(quantity)s was asked for; at most %(max_quantity)s are allowed in one opening."
    ),
    ReasonCode.QUANTITY_UNKNOWN: gettext_noop("The decision %(decision)s came without a quantity."),
    ReasonCode.ORDER_VALUE_TOO_LARGE: gettext_noop(
        "An opening in %(instrument)s worth %(value)s was asked for; at most %(max_value)s are allowed, "
        "a quantity of %(max_quantity)s."
    ),
    ReasonCode.POSITION_CAP: gettext_noop(
        "%(scope)s: %(quantity)s %(instrument)s on top of the %(held)s held and under way are above the cap of "
        "%(limit)s; at most %(max_quantity)s fit."
    ),
    ReasonCode.NOTIONAL_CAP: gettext_noop(
        "%(scope)s: %(quantity)s %(instrument)s on top of a notional of %(held)s held and under way are above the cap "
        "of %(limit)s; at most %(max_quantity)s fit."
    ),
    ReasonCode.EXPOSURE_UNKNOWN: gettext_noop(
        "%(count)s openings in %(instrument)s are under way and nobody knows how large they are."
    ),
    ReasonCode.CONTRACT_NOT_ALLOWED: gettext_noop("%(instrument)s may not be opened; allowed: %(allowed)s."),
    ReasonCode.MULTIPLIER_UNKNOWN: gettext_noop("Nobody knows what one point of %(instrument)s is worth."),
    ReasonCode.PRICE_UNKNOWN: gettext_noop("Nobody knows a price of %(instrument)s."),
    ReasonCode.PRICE_OUTSIDE_COLLAR: gettext_noop(
        "The price %(price)s is %(deviation)s away from the reference %(reference)s of %(reference_at)s; "
        "at most %(max_deviation)s are allowed."
    ),
    ReasonCode.REFERENCE_MISSING: gettext_noop("There is no reference price of %(instrument)s."),
    ReasonCode.REFERENCE_STALE: gettext_noop(
        "The last reference price of %(instrument)s is from %(at)s, %(age_seconds)s s ago; "
        "at most %(max_age_seconds)s s are allowed."
    ),
    ReasonCode.SELF_MATCH: gettext_noop(
        "Accounts of the same owner (%(accounts)s) have openings under way against %(instrument)s %(side)s "
        "since %(since)s."
    ),
    ReasonCode.FEATURES_SET_MISSING: gettext_noop("No feature set is loaded for the account."),
    ReasonCode.FEATURES_SET_STALE: gettext_noop(
        "Feature set %(set_version)s was loaded at %(loaded_at)s; at most %(max_age_days)s days are allowed."
    ),
    ReasonCode.FEATURE_COVERAGE_LOW: gettext_noop(
        "The features cover %(coverage)s of the importance (%(present)s of %(count)s); "
        "at least %(min_coverage)s are needed."
    ),
    ReasonCode.FEATURE_INFLUENTIAL_MISSING: gettext_noop(
        "%(missing)s of the %(required_top)s most influential features are missing: %(names)s"
    ),
    ReasonCode.FEATURE_REFERENCE_MISSING: gettext_noop(
        "The limits allow a drift of %(max_drift)s, and feature set %(set_version)s has no reference to measure it by."
    ),
    ReasonCode.FEATURE_DRIFT_HIGH: gettext_noop(
        "The features drift by %(drift)s from reference %(reference)s; at most %(max_drift)s is allowed."
    ),
    ReasonCode.MEMORY_MISSING: gettext_noop("The limits require a market memory, and there is none."),
    ReasonCode.MEMORY_STALE: gettext_noop(
        "The limits require a market memory; the newest is from %(at)s; at most %(max_age_hours)s hours are allowed."
    ),
    ReasonCode.MEMORY_PACE_TIGHTENED: gettext_noop(
        "%(openings)s openings were allowed within the last hour; market memory (stress %(stress)s) leaves %(limit)s "
        "of %(untightened)s."
    ),
    ReasonCode.MEMORY_ORDER_TIGHTENED: gettext_noop(
        "A quantity of %(quantity)s was asked for; market memory (stress %(stress)s) leaves %(max_quantity)s "
        "of %(untightened)s."
    ),
    ReasonCode.SIDE_UNKNOWN: gettext_noop(
        "The decision %(decision)s with side %(side)s does not say whether to buy or to sell: it counts as an opening."
    ),
    ReasonCode.POSITION_UNKNOWN: gettext_noop(
        "No position in %(instrument)s was ever reported: the decision counts as an opening."
    ),
    ReasonCode.POSITION_STALE: gettext_noop(
        "The position in %(instrument)s was reported at %(reported_at)s, %(age_seconds)s s ago "
        "(at most %(max_age_seconds)s s are allowed): the decision counts as an opening."
    ),
    ReasonCode.POSITION_FLIP: gettext_noop(
        "A quantity of %(quantity)s would do more than close the position of %(position)s "
        "(%(reducible)s may still be closed): the decision counts as an opening."
    ),
    ReasonCode.CHECKS_STALLED: gettext_noop(
        "The accounts were last checked at %(checks_at)s; at most %(max_age_seconds)s s are allowed."
    ),
    ReasonCode.CLOCK_SKEW: gettext_noop(
        "The decision is dated %(decided_at)s, %(skew_seconds)s s away from the service's clock; "
        "at most %(max_skew_seconds)s s are allowed."
    ),
    ReasonCode.VERDICT_EXPIRED: gettext_noop(
        "The answer to this request expired at %(valid_until)s: ask again with a new key."
    ),
    ReasonCode.INVALID_REQUEST: gettext_noop("The request is not valid: %(detail)s"),
    ReasonCode.ENGINE_UNAVAILABLE: gettext_noop("The rule %(rule)s could not be judged (%(error)s)."),
    ReasonCode.NOT_RECORDABLE: gettext_noop("The decision could not be recorded: it is not allowed."),
}


def message(code: ReasonCode, evidence: Mapping[str, Any]) -> str:
    """Return the English sentence for `code`, its fields taken from `evidence`.

    Raises KeyError where the evidence lacks a field of the template.
    """
    return MESSAGES[code] % evidence


def number(value: Decimal) -> str:
    """Write a decimal in plain digits, without needless zeros: "0.05", "100000"."""
    return f"{value.normalize():f}"


def instant(value: datetime | None) -> str:
    """Write a time as UTC, "2025-05-07T18:30:00Z"; "-" where there is none."""
    return "-" if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
