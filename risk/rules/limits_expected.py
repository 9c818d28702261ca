"""What belongs in each field of a limits document, as sentences for people.

One closed catalogue, so that an error in a limits file can be shown in the reader's language. Keys are field
paths without list indexes, or the words that the checks of the sections (`limit_*.py`) raise.
"""

import re

from risk.rules.messages import gettext_noop

_POSITION = re.compile(r"\[[^\]]*\]")

EXPECTED: dict[str, str] = {
    # Words raised by the checks of the sections
    "money": gettext_noop("a number above 0 with at most 11 digits and 4 decimals, in quotes"),
    "share": gettext_noop('a fraction between 0 and 1 with at most 6 decimals, in quotes, such as "0.05"'),
    "off_reason": gettext_noop("a reason, because the rule is switched off"),
    "unique_names": gettext_noop("a different name for each drawdown rule"),
    "drawdown_needed": gettext_noop("at least one drawdown rule, or the drawdown rule off with a reason"),
    "flat_window": gettext_noop("another time than flat.by, so that there is a time to be flat"),
    "unique_instruments": gettext_noop("each instrument once"),
    "unique_windows": gettext_noop("a different name for each window"),
    "resume_minutes": gettext_noop("a number of minutes where resume is after_minutes, and only there"),
    "reduce_quantity": gettext_noop("a quantity above 0 in quotes where the action is reduce, and only there"),
    "always_enforced": gettext_noop("state and limits enforced: they can be neither in shadow nor off"),
    # Faults of the document itself
    "json": gettext_noop("a JSON object"),
    "text": gettext_noop('a decimal number in quotes, such as "0.05"'),
    "known_field": gettext_noop("only known fields here: check the spelling"),
    "": gettext_noop("a mapping of limits"),
    # The desk's own document
    "desk": gettext_noop(
        "only currency, timezone, drawdown, confirmation, exposure, rules, loosening and accounts for the desk"
    ),
    "desk.currency": gettext_noop('a currency in three capital letters, such as "USD"'),
    "desk.timezone": gettext_noop("an IANA time zone such as America/Chicago"),
    "desk.rules": gettext_noop("the mode of the rule drawdown only"),
    "loosening": gettext_noop("a mapping of the policy on loosening"),
    "loosening.delay": gettext_noop("one of none, next_session"),
    "loosening.break_glass": gettext_noop("true or false"),
    "loosening.review_hours": gettext_noop("a whole number from 1 to 168"),
    # Fields
    "drawdown": gettext_noop("a list of drawdown rules"),
    "drawdown.name": gettext_noop("a name of lower-case letters, digits and underscores, at most 64"),
    "drawdown.mode": gettext_noop("one of trailing_intraday, trailing_eod, static, daily, weekly"),
    "drawdown.allowance": gettext_noop('an allowance such as {of: reference, value: "0.05"}'),
    "drawdown.allowance.of": gettext_noop("one of reference, initial, amount"),
    "drawdown.allowance.value": gettext_noop('a fraction such as "0.05", or an amount such as "2000"'),
    "drawdown.action": gettext_noop("one of REDUCE_ONLY, HALTED"),
    "drawdown.stops_rising_at_initial": gettext_noop("true or false"),
    "drawdown.reset_at": gettext_noop('a time of day in quotes, such as "17:00"'),
    "drawdown.alert_at": gettext_noop('a share of the allowance above 0 in quotes, such as "0.8", or null'),
    "drawdown.resume": gettext_noop("one of never, next_session, after_minutes"),
    "drawdown.resume_minutes": gettext_noop("a whole number from 1 to 10080, or null"),
    "confirmation": gettext_noop("a mapping of what confirms a breach"),
    "confirmation.points": gettext_noop("a whole number from 2 to 100, or null"),
    "confirmation.seconds": gettext_noop("a whole number from 1 to 3600, or null"),
    "plausibility": gettext_noop("a mapping of what is believed"),
    "plausibility.max_move": gettext_noop('a fraction above 0 in quotes, such as "0.2", or null'),
    "pace": gettext_noop("a mapping of pace limits"),
    "pace.max_openings_per_hour": gettext_noop("a whole number from 1 to 100000"),
    "pace.min_interval_seconds": gettext_noop("a whole number from 0 to 86400"),
    "pace.max_messages_per_minute": gettext_noop("a whole number from 1 to 6000, or null for no limit"),
    "pace.duplicate_seconds": gettext_noop("a whole number from 1 to 3600, or null"),
    "algorithms": gettext_noop("a mapping of what the limits ask of algorithms"),
    "algorithms.required": gettext_noop("true or false"),
    "algorithms.max_unreviewed": gettext_noop("a whole number from 1 to 100000, or null for no limit"),
    "order": gettext_noop("a mapping of order limits"),
    "order.max_quantity": gettext_noop("a quantity above 0 in quotes, or null for no cap"),
    "order.max_value": gettext_noop('an amount in quotes, such as "500000", or null for no cap'),
    "exposure": gettext_noop("a mapping of exposure limits"),
    "exposure.max_position": gettext_noop("a quantity above 0 in quotes, or null for no cap"),
    "exposure.max_notional": gettext_noop('an amount in quotes, such as "500000", or null for no cap'),
    "exposure.instruments": gettext_noop("a list of at most 200 caps"),
    "exposure.instruments.instrument": gettext_noop("an instrument, such as ES or ESZ6"),
    "exposure.instruments.max_position": gettext_noop("a quantity above 0 in quotes, or null for no cap"),
    "exposure.instruments.max_notional": gettext_noop('an amount in quotes, such as "500000", or null for no cap'),
    "exposure.multipliers": gettext_noop("a list of at most 200 multipliers"),
    "exposure.multipliers.instrument": gettext_noop("an instrument, such as ES or ESZ6"),
    "exposure.multipliers.value": gettext_noop('an amount a point in quotes, such as "50"'),
    "exposure.price_hours": gettext_noop("a whole number from 1 to 744"),
    "exposure.reservation_minutes": gettext_noop("a whole number from 1 to 44640"),
    "contracts": gettext_noop("a mapping of the allowed contracts"),
    "contracts.allowed": gettext_noop("a list of contracts, roots or beginnings, such as [ESZ6, NQ, M*]"),
    "price": gettext_noop("a mapping of price limits"),
    "price.max_deviation": gettext_noop('a fraction above 0 in quotes, such as "0.01", or null'),
    "price.reference_seconds": gettext_noop("a whole number from 1 to 86400"),
    "self_match": gettext_noop("a mapping of what opposing openings do"),
    "self_match.action": gettext_noop("one of off, alert, block"),
    "freshness": gettext_noop("a mapping of freshness limits"),
    "freshness.equity_seconds": gettext_noop("a whole number from 1 to 86400"),
    "freshness.positions_seconds": gettext_noop("a whole number from 1 to 86400"),
    "freshness.positions_required": gettext_noop("true or false"),
    "freshness.calendar_hours": gettext_noop("a whole number from 1 to 744"),
    "freshness.memory_hours": gettext_noop("a whole number from 1 to 87600, or null for any age"),
    "freshness.features_days": gettext_noop("a whole number from 1 to 3650, or null for any age"),
    "freshness.checks_seconds": gettext_noop("a whole number from 1 to 86400"),
    "blackout": gettext_noop("a mapping of blackout limits"),
    "blackout.minutes_before": gettext_noop("a whole number from 0 to 1440"),
    "blackout.minutes_after": gettext_noop("a whole number from 0 to 1440"),
    "blackout.impact_above": gettext_noop('an impact between 0 and 1 in quotes, such as "0.7"'),
    "windows": gettext_noop("a mapping of windows around events"),
    "windows.presets": gettext_noop("a list of presets, each one of mia, fomc, prop_desk"),
    "windows.rules": gettext_noop("a list of at most 50 windows"),
    "windows.rules.name": gettext_noop("a name of lower-case letters, digits and underscores, at most 64"),
    "windows.rules.event_types": gettext_noop("a list of words that stand in the events' types, such as [CPI, FOMC]"),
    "windows.rules.instruments": gettext_noop("a list of instruments, such as [ES, NQ]"),
    "windows.rules.impact_above": gettext_noop('an impact between 0 and 1 in quotes, such as "0.7"'),
    "windows.rules.minutes_before": gettext_noop("a whole number from 0 to 1440"),
    "windows.rules.minutes_after": gettext_noop("a whole number from 0 to 1440"),
    "windows.rules.action": gettext_noop("one of block, reduce"),
    "windows.rules.max_quantity": gettext_noop(
        "a quantity above 0 in quotes where the action is reduce, and only there"
    ),
    "windows.warn_minutes": gettext_noop("a whole number from 0 to 1440"),
    "calendar": gettext_noop("a mapping of calendar limits"),
    "calendar.horizon_hours": gettext_noop("a whole number from 0 to 8760"),
    "session": gettext_noop("a mapping of session limits"),
    "session.hours": gettext_noop("one of any, globex, regular"),
    "features": gettext_noop("a mapping of feature limits"),
    "features.min_coverage": gettext_noop('a share between 0 and 1 in quotes, such as "0.9"'),
    "features.required_top": gettext_noop("a whole number from 0 to 1000"),
    "features.max_drift": gettext_noop('a drift between 0 and 1 in quotes, such as "0.4", or null for any'),
    "memory": gettext_noop("a mapping of memory limits"),
    "memory.required": gettext_noop("true or false"),
    "memory.tightening_floor": gettext_noop('a factor above 0, at most 1, in quotes, such as "0.5", or null'),
    "memory.volatile_above": gettext_noop('a stress between 0 and 1 in quotes, such as "0.7"'),
    "memory.recall_days": gettext_noop("a whole number from 1 to 3650"),
    "memory.half_life_days": gettext_noop("a whole number from 1 to 3650"),
    "flat": gettext_noop("a mapping of the time to be flat"),
    "flat.by": gettext_noop('a time of day in quotes, such as "15:55", or null'),
    "flat.until": gettext_noop('a time of day in quotes, such as "17:00"'),
    "losses": gettext_noop("a mapping of loss limits"),
    "losses.max_consecutive": gettext_noop("a whole number from 1 to 100, or null for no limit"),
    "losses.max_per_trade": gettext_noop('an amount in quotes, such as "500", or null for no limit'),
    "losses.penalty_minutes": gettext_noop("a whole number from 1 to 10080"),
    "losses.cooldown_after_stop_minutes": gettext_noop("a whole number from 0 to 10080"),
    "losses.cooldown_after_loss_minutes": gettext_noop("a whole number from 0 to 10080"),
    "clock": gettext_noop("a mapping of clock limits"),
    "clock.max_skew_seconds": gettext_noop("a whole number from 1 to 86400"),
    "answer": gettext_noop("a mapping of answer limits"),
    "answer.valid_seconds": gettext_noop("a whole number from 1 to 300"),
    "rules": gettext_noop("a mapping from rule names to their modes"),
    "rules.name": gettext_noop(
        "a rule name: state, limits, clock_skew, checks, equity, positions, drawdown, losses, calendar, flat, "
        "session, pace, messages, duplicates, algorithms, algorithm_register, order_size, contracts, price, exposure, "
        "self_match, features, memory"
    ),
    "rules.mode": gettext_noop('one of "enforce", "shadow", "off" (off in quotes)'),
    "rules.reason": gettext_noop("a text of at most 500 characters"),
}


def expected_text(key: str) -> str:
    """Return the sentence for a field path, or for a word of the catalogue."""
    return EXPECTED.get(_POSITION.sub("", key), EXPECTED["known_field"])
