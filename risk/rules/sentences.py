"""Sentences that the desk itself writes as the reason of a stop or a penalty, or as what it expected instead.

They are recorded in English, filled in; `mia_site/ops/sentences.py` says them in a reader's language.
"""

from risk.rules.messages import gettext_noop

BREACH = gettext_noop(
    "equity %(equity)s is below the floor %(floor)s of %(rule)s (drawdown %(drawdown)s, allowance %(allowance)s)"
)
OF_REFERENCE = gettext_noop("%(value)s of reference")
OF_INITIAL = gettext_noop("%(value)s of initial")
OF_AMOUNT = gettext_noop("%(value)s of amount")
ABOVE_LIMIT = gettext_noop("drawdown %(drawdown)s above the limit %(limit)s")
WITHIN_LIMIT = gettext_noop("drawdown %(drawdown)s within the limit %(limit)s")
NO_LIMIT = gettext_noop("drawdown %(drawdown)s and no limit is set")
STOP_ENDED = gettext_noop("the stop was set until %(until)s: %(reason)s")
STOP_BEFORE = gettext_noop("the stop was set until %(until)s: %(reason)s; before it: %(before)s")
STOP_BROKEN = gettext_noop("the stop was set until %(until)s: %(reason)s; the drawdown limit was broken meanwhile")
LOSSES_IN_A_ROW = gettext_noop("%(losses)s losses in a row, the limit is %(limit)s")
LOSSES_ENDED = gettext_noop("a trade that was not lost ended the losses in a row")
TRADE_LOST = gettext_noop("a trade lost %(lost)s, the limit is %(limit)s")
STRICTER_STOP = gettext_noop("a stop stricter than %(state)s; resuming is another right")
MILDER_STATE = gettext_noop("a state milder than %(state)s")
BELOW_FLOOR = gettext_noop(
    "REDUCE_ONLY, or equity of at least %(floor)s: at %(equity)s the account is below the floor of %(rule)s "
    "and would be stopped again at once"
)
LIMITS_UNREAD = gettext_noop(
    "REDUCE_ONLY, or limits that this release can read: whether the account is above its floors is not known"
)
DESK_BELOW_FLOOR = gettext_noop(
    "REDUCE_ONLY, or equity of at least %(floor)s: at %(equity)s the desk is below the floor of %(rule)s "
    "and would be stopped again at once"
)
DESK_BREACH = gettext_noop(
    "the desk's equity %(equity)s is below the floor %(floor)s of %(rule)s (drawdown %(drawdown)s, "
    "allowance %(allowance)s)"
)
HEALED = gettext_noop("equity is above the floors again")
NEWER_VERSION = gettext_noop("a version newer than %(version)s, which is in force")
UNREVIEWED = gettext_noop("opened %(executions)s times without a review, the limit is %(limit)s")
WAY_NOT_ALLOWED = gettext_noop("a way that the desk's policy on loosening allows")
PERSON_NEEDED = gettext_noop("a person who logged in: nobody takes this way without a name")
SESSION_UNKNOWN = gettext_noop("a known next session: manage.py refresh_sessions")
REVIEWER_NEEDED = gettext_noop("a second person: who broke the glass does not review it")
NOTHING_TO_REVIEW = gettext_noop("something done by break-glass that nobody reviewed yet")
OVERTAKEN = gettext_noop("version %(version)s came into force before its time")
SESSION_BEGAN = gettext_noop("the session for which it waited has begun")
PUT_BACK = gettext_noop("version %(version)s was revoked: %(reason)s")
NOT_REVIEWED = gettext_noop("version %(version)s was in force by break-glass and nobody reviewed it until %(until)s")
ANOTHER_RESUMES = gettext_noop(
    "another person: who halted by hand does not resume, but by break-glass where the desk's policy allows it"
)
RESUMED_ITSELF = gettext_noop("the stop by %(rule)s held until %(until)s, and equity is above the floors")
RESUME_REVOKED = gettext_noop("the resume was revoked: %(reason)s")
RESUME_NOT_REVIEWED = gettext_noop("trading was resumed by break-glass and nobody reviewed it until %(until)s")
UNMEASURED = gettext_noop("these limits cannot measure the account's equity: %(reason)s")
TEMPLATES = (
    DESK_BREACH, BREACH, HEALED, ABOVE_LIMIT, WITHIN_LIMIT, NO_LIMIT, STOP_BEFORE, STOP_BROKEN, STOP_ENDED,
    LOSSES_IN_A_ROW, LOSSES_ENDED, TRADE_LOST, STRICTER_STOP, MILDER_STATE, BELOW_FLOOR, DESK_BELOW_FLOOR,
    NEWER_VERSION, UNREVIEWED, OVERTAKEN, PUT_BACK, NOT_REVIEWED, RESUME_REVOKED, RESUMED_ITSELF,
    RESUME_NOT_REVIEWED, UNMEASURED, OF_REFERENCE, OF_INITIAL, OF_AMOUNT,
)  # fmt: skip
"""What is said of more stands before what is said of less: the first that fits is taken."""
