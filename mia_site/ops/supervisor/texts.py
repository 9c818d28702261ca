"""What the supervisor's alerts say."""

from django.utils.translation import gettext_noop

PROCESS_DIED = "process_died"
DESK_DEGRADED = "desk_degraded"
DESK_NOT_READY = "desk_not_ready"
TRIGGERS_MISSING = "triggers_missing"

TEXTS = {
    PROCESS_DIED: gettext_noop("The process %(process)s ended unexpectedly (%(how)s); it is started again."),
    DESK_DEGRADED: gettext_noop("The desk answers but is not whole: %(detail)s"),
    DESK_NOT_READY: gettext_noop("The desk cannot record decisions and blocks them: %(detail)s"),
    TRIGGERS_MISSING: gettext_noop(
        "Protection of recorded facts was missing in the database and was put back: %(triggers)s"
    ),
}
