"""The risk of trading too much: what the market memory says, joined with the measured pace."""

import math

UNKNOWN_CORRELATION = 0.5


def overtrade_risk_score(
    vix_es_correlation: float | None,
    openings_last_hour: int | None = None,
    max_openings_per_hour: int | None = None,
) -> float:
    """Return the risk of trading too much, 0..1.

    score = c + (1 - c) * load. c is the newest cluster's `vix_es_correlation`, clipped to 0..1, and 0.5 where
    there is none; load is openings_last_hour / max_openings_per_hour, at most 1. Without a measured pace, or
    without a limit to hold it against, the score is c, as in the original specification. Pace only raises it.
    """
    base = correlation_share(vix_es_correlation)
    if not openings_last_hour or not max_openings_per_hour:
        return base
    return min(1.0, base + (1.0 - base) * min(1.0, openings_last_hour / max_openings_per_hour))


def correlation_share(vix_es_correlation: float | None) -> float:
    """Return a correlation clipped to 0..1, 0.5 where none is stated."""
    if vix_es_correlation is None or not math.isfinite(vix_es_correlation):
        vix_es_correlation = UNKNOWN_CORRELATION
    return min(1.0, max(0.0, vix_es_correlation))
