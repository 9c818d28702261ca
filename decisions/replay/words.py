"""What a replay found, in lines for people."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from decisions.replay.compared import OTHERWISE, Totals, Turn
from decisions.replay.run import Course

TURNS = {
    Turn.SAME: gettext_lazy("as it happened"),
    Turn.BLOCKED: gettext_lazy("would have been blocked"),
    Turn.FREED: gettext_lazy("would have been let through"),
    Turn.RESIZED: gettext_lazy("would have been of another size"),
    Turn.UNKNOWN: gettext_lazy("cannot be replayed"),
}


def turn_lines(totals: Totals) -> Iterator[tuple[str, str]]:
    """How many decisions took which turn."""
    for turn, told in TURNS.items():
        yield str(told), str(totals.turns.get(turn, 0))


def money_lines(totals: Totals) -> Iterator[tuple[str, str]]:
    """What that would have meant in money."""
    yield _("profit as it happened"), money(totals.profit)
    yield _("profit as it would have been"), money(totals.would_profit)
    yield _("losses of trades that would have been blocked"), money(totals.avoided)
    yield _("gains of trades that would have been blocked"), money(totals.missed)
    yield _("profit of trades that would have been let through"), money(totals.gained)


def remarks(course: Course, carried: Sequence[str]) -> Iterator[str]:
    """What the figures do not say: what could not be replayed, and what was taken as recorded. `carried` are the rules
    of the other limits that cannot be judged anew."""
    totals, other = course.totals, course.other
    if carried:
        told = _("rules that are not judged anew, what they said is taken as recorded: %(rules)s")
        yield told % {"rules": ", ".join(carried)}
    if course.unjudged:
        told = _("%(count)s decisions not replayed: they were only recorded, or imported, and never judged here")
        yield told % {"count": course.unjudged}
    for why, count in sorted(totals.why.items()):
        yield _why(why) % {"count": count, "rule": why}
    for code, count in sorted(totals.carried.items()):
        told = _("%(count)s decisions with the reason %(code)s: taken as recorded, its facts were not")
        yield told % {"count": count, "code": code}
    if totals.unreported:
        told = _(
            "%(count)s decisions that would have been blocked or let through have no outcome: their profit is 0 here"
        )
        yield told % {"count": totals.unreported}
    if other.implausible:
        told = _("%(count)s equity points that these limits would have held for a ruling: taken as believed")
        yield told % {"count": other.implausible}
    if other.kept_stopped:
        told = _("%(count)s resumes that these limits would have refused: the account stays stopped")
        yield told % {"count": other.kept_stopped}


def _why(why: str) -> str:
    if why == OTHERWISE:
        return _(
            "%(count)s decisions not replayed: even under the limits in force they get another answer than they got"
        )
    return _("%(count)s decisions not replayed: what the rule %(rule)s needs was not recorded with them")


def money(value: Decimal) -> str:
    """An amount as the reader's language writes it."""
    return str(number_format(value, 2, force_grouping=True))
