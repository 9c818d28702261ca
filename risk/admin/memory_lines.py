"""What an account's limits let market memory do, as lines of its page."""

from django.utils.translation import gettext as _

from mia_site.audit.admin.rendering import number
from risk.rules.limits import Limits


def memory_lines(limits: Limits) -> list[tuple[str, str]]:
    """(name, value) in the reader's language."""
    memory = limits.memory
    if memory.tightening_floor is None:
        return [(_("memory tightens"), _("nothing"))]
    told = {"floor": number(memory.tightening_floor), "volatile": number(memory.volatile_above)}
    recalled = {"days": memory.recall_days, "half_life": memory.half_life_days}
    return [
        (
            _("memory tightens"),
            _("down to %(floor)s of a limit; the pace by half above a stress of %(volatile)s") % told,
        ),
        (_("memory reaches back"), _("%(days)s days, half weight each %(half_life)s days") % recalled),
    ]
