"""What an algorithm opened on an account since a person last reviewed it, and whether it is disabled."""

from dataclasses import replace
from datetime import datetime

from django.db.models import QuerySet

from risk.models import Account, Admission, AlgorithmSwitch
from risk.models.algorithm import AlgorithmAction
from risk.rules.ask import Effect
from risk.rules.facts import AlgorithmView
from risk.rules.limits import AlgorithmLimits
from risk.selectors.algorithm_register import entry_view


def algorithm_view(account: Account, key: str, asked: AlgorithmLimits, now: datetime) -> AlgorithmView:
    """The algorithm as the gate judges it, as far as the limits ask."""
    most = asked.max_unreviewed
    view = AlgorithmView(key=key) if most is None else review_view(account, key, most=most)
    return replace(view, entry=entry_view(account, key, now)) if asked.required else view


def review_view(account: Account, key: str, *, most: int) -> AlgorithmView:
    """What it opened since its last review, counted to `most` and no further, and whether it is disabled."""
    switch = switch_newest(account, key)
    if switch is not None and switch.action == AlgorithmAction.DISABLED:
        reviewed = switches(account, key).filter(action=AlgorithmAction.REVIEWED).first()
        return AlgorithmView(
            key=key, executions=switch.executions, disabled_at=switch.recorded_at, limit=switch.limit,
            reviewed_at=None if reviewed is None else reviewed.recorded_at,
        )  # fmt: skip
    return AlgorithmView(
        key=key, executions=openings_since(account, key, switch)[:most].count(),
        reviewed_at=None if switch is None else switch.recorded_at,
    )  # fmt: skip


def switches(account: Account, key: str) -> QuerySet[AlgorithmSwitch]:
    """The algorithm's reviews and disablings on the account, newest first."""
    return AlgorithmSwitch.objects.filter(account=account, key=key).order_by("-seq")


def switch_newest(account: Account, key: str) -> AlgorithmSwitch | None:
    """What was last said of the algorithm on the account."""
    return switches(account, key).first()


def openings_since(account: Account, key: str, review: AlgorithmSwitch | None) -> QuerySet[Admission]:
    """The algorithm's openings that were let through after `review`, or ever."""
    seq = 0 if review is None else review.seq
    return Admission.objects.filter(account=account, effect=Effect.OPENS.value, algorithm=key, seq__gt=seq)


def disabled_algorithms(account: Account) -> list[AlgorithmSwitch]:
    """Those that are disabled on the account now, by name."""
    newest: dict[str, AlgorithmSwitch] = {}
    for switch in AlgorithmSwitch.objects.filter(account=account).order_by("seq"):
        newest[switch.key] = switch
    return [switch for _key, switch in sorted(newest.items()) if switch.action == AlgorithmAction.DISABLED]
