"""Periodic work of the record: each task calls one service."""

from celery import shared_task

from mia_site.audit import clock_check, people, posting, sealing
from mia_site.audit.verification import steps
from mia_site.ops.clock import database_now


@shared_task(name="mia_site.audit.tasks.seal_pending", acks_late=True, soft_time_limit=28, time_limit=30)
def seal_pending() -> None:
    """Gives entries that wait their place in the ledger, every two seconds."""
    sealing.seal_pending()


@shared_task(name="mia_site.audit.tasks.check_clocks", acks_late=True)
def check_clocks() -> None:
    """Measures the clocks, every minute."""
    clock_check.clocks_check()


@shared_task(name="mia_site.audit.tasks.post_checkpoints", acks_late=True, soft_time_limit=55, time_limit=60)
def post_checkpoints() -> None:
    """Sends the newest kept checkpoint to witnesses and to the time-stamping authority, every minute."""
    posting.checkpoints_post(database_now())


@shared_task(name="mia_site.audit.tasks.journal_login_failures", acks_late=True)
def journal_login_failures() -> None:
    """Writes the entries of login windows that are over, every minute."""
    people.failures_record(database_now())


@shared_task(name="mia_site.audit.tasks.verify_audit", acks_late=True, soft_time_limit=28, time_limit=30)
def verify_audit() -> None:
    """A step of the daily verification, every minute while one is due or under way."""
    steps.verification_advance(database_now())
