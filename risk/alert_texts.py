"""Sentences of this app's alerts; registered in `apps.py`, shown in the reader's language."""

from django.utils.translation import gettext_noop

CALENDAR_TEXTS: dict[str, str] = {
    "trade_blocked": gettext_noop("%(account)s: trade in %(instrument)s blocked by %(events)s"),
    "calendar_missing": gettext_noop("%(account)s: trades are blocked, the macro calendar was never loaded"),
    "calendar_stale": gettext_noop(
        "%(account)s: trades are blocked, the macro calendar is from %(refreshed_at)s; "
        "at most %(max_age_hours)s hours are allowed"
    ),
    "window_check_failed": gettext_noop(
        "%(account)s: the trade window could not be checked, the trade was blocked (%(error)s)"
    ),
    "window_opened": gettext_noop("Blackout until %(until)s for %(accounts)s: %(events)s"),
    "window_closed": gettext_noop("The blackout is over since %(until)s for %(accounts)s: %(events)s"),
    "calendar_refresh_failed": gettext_noop(
        "The calendar source %(source)s could not be read whole (%(file)s): %(error)s"
    ),
}
