"""Windows with a name, as desks use them, and all windows of a set of limits together."""

from decimal import Decimal
from functools import lru_cache

from risk.rules.limit_types import BlackoutLimits
from risk.rules.limit_windows import WindowLimits, WindowPreset, WindowRule

PRESETS: dict[WindowPreset, WindowRule] = {
    # The specification: 30 minutes each side of every event above 0.7.
    WindowPreset.MIA: WindowRule(name="mia"),
    # The statement at 14:00 and the press conference at 14:30, New York.
    WindowPreset.FOMC: WindowRule(
        name="fomc",
        event_types=("fomc", "federal funds", "fed interest rate"),
        impact_above=Decimal("0.5"),
        minutes_before=120,
        minutes_after=60,
    ),
    # Funded-account desks forbid trades within 2 minutes of a high-impact release.
    WindowPreset.PROP_DESK: WindowRule(name="prop_desk", minutes_before=2, minutes_after=2),
}


@lru_cache(maxsize=256)
def window_rules(blackout: BlackoutLimits, windows: WindowLimits) -> tuple[WindowRule, ...]:
    """Every window in force: the one of `blackout`, the presets, and the account's own."""
    base = WindowRule(
        name="blackout",
        impact_above=blackout.impact_above,
        minutes_before=blackout.minutes_before,
        minutes_after=blackout.minutes_after,
    )
    return (base, *(PRESETS[preset] for preset in dict.fromkeys(windows.presets)), *windows.rules)
