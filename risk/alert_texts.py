"""Sentences of this app's alerts; registered in `apps.py`, shown in the reader's language."""

from django.utils.translation import gettext_noop

NO_ACCOUNT = "desk"
"""What a sentence says in place of an account where none, or not exactly one, is concerned."""

SCOPE_WORDS = (gettext_noop("client"), gettext_noop("algorithm"), gettext_noop("instrument"))
"""What alerts of scoped stops hold as `scope`, a word that is said in the reader's language."""

STATE_WORDS = (gettext_noop("ACTIVE"), gettext_noop("REDUCE_ONLY"), gettext_noop("HALTED"))
"""What alerts of stops hold as `state`: a code, and in other languages a word."""

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
    "window_ahead": gettext_noop(
        "%(account)s holds %(instrument)s: a blackout opens at %(at)s (%(event)s), no new trade will be allowed"
    ),
    "window_opened": gettext_noop("Blackout until %(until)s for %(accounts)s: %(events)s"),
    "window_closed": gettext_noop("The blackout is over since %(until)s for %(accounts)s: %(events)s"),
    "calendar_horizon": gettext_noop(
        "%(account)s: trades are blocked, the macro calendar knows events until %(known_until)s; "
        "%(horizon_hours)s hours ahead are needed"
    ),
    "calendar_events_dropped": gettext_noop(
        "The calendar source %(source)s no longer names %(count)s coming events; their windows stay closed"
    ),
    "window_closed_by_staff": gettext_noop("%(actor)s closed %(start)s to %(end)s (%(event)s): %(reason)s"),
    "waiver_proposed": gettext_noop(
        "%(actor)s asks to open the window of %(event)s %(start)s; it waits for a second person: %(reason)s"
    ),
    "waiver_approved": gettext_noop("%(actor)s opened the window of %(event)s %(start)s: %(reason)s"),
    "waiver_rejected": gettext_noop("%(actor)s keeps the window of %(event)s %(start)s closed: %(reason)s"),
    "calendar_refresh_failed": gettext_noop(
        "The calendar source %(source)s could not be read whole (%(file)s): %(error)s"
    ),
}

CONTROLLER_TEXTS: dict[str, str] = {
    "drawdown_breached": gettext_noop(
        "%(account)s: drawdown %(drawdown)s is above the limit %(limit)s, trading is stopped"
    ),
    "drawdown_in_shadow": gettext_noop(
        "%(account)s: drawdown %(drawdown)s is above the limit %(limit)s; the rule is in shadow, nothing was stopped"
    ),
    "risk_check_failed": gettext_noop("%(account)s: the risk check failed, the answer was stop (%(error)s)"),
    "equity_stale": gettext_noop(
        "%(account)s: no equity for %(age)s s, at most %(limit)s s are allowed; new trades are blocked"
    ),
    "drawdown_near": gettext_noop(
        "%(account)s: %(used)s of the allowance of %(rule)s is used up; equity %(equity)s, floor %(floor)s"
    ),
    "equity_held": gettext_noop(
        "%(account)s: an equity of %(equity)s after %(previous)s is not believed; new trades are blocked until it is "
        "ruled on"
    ),
    "positions_not_flat": gettext_noop("%(account)s: positions must be flat since %(by)s and are not: %(positions)s"),
    "self_match": gettext_noop(
        "%(account)s: an opening in %(instrument)s is against one under way in %(accounts)s, of the same owner"
    ),
    "penalty_active": gettext_noop("%(account)s: no new trades until %(until)s: %(reason)s"),
    "trading_stopped": gettext_noop("%(account)s: trading is set to %(state)s by %(actor)s: %(reason)s"),
    "trading_resumed": gettext_noop("%(account)s: trading is set to %(state)s again by %(actor)s: %(reason)s"),
    "desk_equity_unmeasured": gettext_noop("The desk's equity of %(equity)s could not be measured: %(error)s"),
    "desk_stopped": gettext_noop("The whole desk is set to %(state)s by %(actor)s: %(reason)s"),
    "desk_resumed": gettext_noop("The whole desk is set to %(state)s again by %(actor)s: %(reason)s"),
    "scope_stopped": gettext_noop("The %(scope)s %(key)s is set to %(state)s by %(actor)s: %(reason)s"),
    "scope_resumed": gettext_noop("The %(scope)s %(key)s is set to %(state)s again by %(actor)s: %(reason)s"),
    "algorithm_disabled": gettext_noop(
        "%(account)s: the algorithm %(algorithm)s is disabled after %(executions)s openings without a review, "
        "the limit is %(limit)s"
    ),
    "algorithm_reviewed": gettext_noop(
        "%(account)s: the algorithm %(algorithm)s was reviewed after %(executions)s openings by %(actor)s: %(reason)s"
    ),
    "algorithm_registered": gettext_noop(
        "The algorithm %(algorithm)s (v%(version)s) was registered by %(actor)s and waits for a second "
        "person: %(reason)s"
    ),
    "algorithm_approved": gettext_noop(
        "The algorithm %(algorithm)s (v%(version)s) was approved by %(actor)s: %(reason)s"
    ),
    "algorithm_rejected": gettext_noop(
        "The algorithm %(algorithm)s (v%(version)s) was rejected by %(actor)s: %(reason)s"
    ),
    "algorithm_withdrawn": gettext_noop(
        "The algorithm %(algorithm)s (v%(version)s) was withdrawn by %(actor)s: %(reason)s"
    ),
    "limits_applied": gettext_noop("%(account)s: limits v%(version)s by %(actor)s are in force: %(reason)s"),
    "limits_proposed": gettext_noop(
        "%(account)s: limits v%(version)s by %(actor)s loosen and wait for a second person: %(reason)s"
    ),
    "limits_approved": gettext_noop("%(account)s: limits v%(version)s were approved by %(actor)s: %(reason)s"),
    "limits_rejected": gettext_noop("%(account)s: limits v%(version)s were rejected by %(actor)s: %(reason)s"),
    "resume_broken_glass": gettext_noop(
        "%(actor)s halted by hand and resumed by break-glass (%(scope)s %(key)s); another person must review it until "
        "%(until)s: %(reason)s"
    ),
    "resume_kept": gettext_noop(
        "The resume by break-glass (%(scope)s %(key)s) was reviewed and kept by %(actor)s: %(reason)s"
    ),
    "resume_revoked": gettext_noop(
        "The resume by break-glass (%(scope)s %(key)s) was revoked by %(actor)s; the stop is back: %(reason)s"
    ),
    "resume_lapsed": gettext_noop(
        "Nobody reviewed the resume by break-glass (%(scope)s %(key)s) until %(until)s; the stop is back"
    ),
    "resume_review_failed": gettext_noop(
        "The stop that a resume by break-glass had lifted (%(scope)s %(key)s) could not be put back in time (%(error)s)"
    ),
    "limits_delayed": gettext_noop(
        "%(account)s: limits v%(version)s by %(actor)s loosen at %(at)s unless they are withdrawn: %(reason)s"
    ),
    "limits_taken": gettext_noop("%(account)s: limits v%(version)s by %(actor)s are in force since the session began"),
    "limits_withdrawn": gettext_noop("%(account)s: limits v%(version)s were withdrawn by %(actor)s: %(reason)s"),
    "limits_broken_glass": gettext_noop(
        "%(account)s: %(actor)s broke the glass for limits v%(version)s; another person must review them until "
        "%(until)s: %(reason)s"
    ),
    "limits_kept": gettext_noop("%(account)s: limits v%(version)s were reviewed and kept by %(actor)s: %(reason)s"),
    "limits_revoked": gettext_noop("%(account)s: limits v%(version)s were revoked by %(actor)s: %(reason)s"),
    "limits_due_failed": gettext_noop(
        "%(account)s: limits v%(version)s could not be taken in force or put back in time (%(error)s)"
    ),
    "limits_lapsed": gettext_noop(
        "%(account)s: nobody reviewed limits v%(version)s until %(until)s; the stricter limits are in force again"
    ),
}
