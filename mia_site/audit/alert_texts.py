"""What the record's alerts say."""

from django.utils.translation import gettext_noop

TEXTS: dict[str, str] = {
    "seal_refused": gettext_noop(
        "The ledger is not sealed any further: %(problem)s. Nothing more is signed until people have looked into it."
    ),
    "sealed_twice": gettext_noop("%(entries)s entries were queued for the ledger a second time; they keep their place"),
    "clock_set_back": gettext_noop(
        "%(entries)s entries are dated long before the last seal (%(sealed)s): a clock was set back, or somebody "
        "dates entries back. The first: %(first)s"
    ),
    "checkpoint_not_published": gettext_noop("The checkpoint could not be written outside the database: %(error)s"),
    "seal_late": gettext_noop("Entries wait for the ledger for %(seconds)s s; the promise was %(promise)s s"),
    "clock_drift": gettext_noop("Clocks differ by %(offset)s ms; the limit is %(limit)s ms"),
    "clock_unsynchronised": gettext_noop("The host's clock is not synchronised: entries carry that mark"),
    "audit_broken": gettext_noop("Verification of the record found %(count)s faults. The first: %(first)s"),
    "login_failures": gettext_noop("%(count)s failed logins from one address within %(minutes)s minutes"),
}
