"""The windows, the calendar's reach and the session of an account's limits, in the reader's language."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from mia_site.audit.admin.rendering import number
from risk.rules.limits import Limits, SessionHours
from risk.rules.window_presets import window_rules

HOURS_WORDS = {
    SessionHours.ANY: gettext_lazy("at any time"),
    SessionHours.GLOBEX: gettext_lazy("Globex hours"),
    SessionHours.REGULAR: gettext_lazy("regular hours (09:30-16:00 New York)"),
}


def window_lines(limits: Limits) -> Iterator[tuple[str, str]]:
    """(name, value) of each window beyond the blackout, of the warning, the horizon and the session."""
    for rule in window_rules(limits.blackout, limits.windows)[1:]:
        span = f"-{rule.minutes_before} +{rule.minutes_after} min, > {number(rule.impact_above)}"
        what = ", ".join([*rule.event_types, *rule.instruments])
        most = "" if rule.max_quantity is None else _("at most %(most)s") % {"most": number(rule.max_quantity)}
        yield _("window %(name)s") % {"name": rule.name}, " · ".join(part for part in (span, what, most) if part)
    yield _("warning before a blackout"), f"{limits.windows.warn_minutes} min"
    if limits.calendar.horizon_hours:
        yield _("calendar must reach"), f"{limits.calendar.horizon_hours} h"
    yield _("session"), str(HOURS_WORDS[limits.session.hours])
