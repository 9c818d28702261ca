"""Words and colours of verdicts and effects."""

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from decisions.models import Verdict
from mia_site.audit.admin.rendering import EMPTY, badge
from risk.admin.shared import EFFECT_WORDS

VERDICT_TONES = {Verdict.ALLOW: "good", Verdict.REDUCE: "warn", Verdict.BLOCK: "bad"}
VERDICT_WORDS = dict(Verdict.choices)


def verdict_badge(verdict: str) -> SafeString:
    """The verdict by word and colour; what was only recorded has none."""
    if not verdict:
        return badge(gettext_lazy("recorded"), "plain")
    return badge(VERDICT_WORDS.get(verdict, verdict), VERDICT_TONES.get(Verdict(verdict), "plain"))


def effect_word(effect: str) -> str:
    return str(EFFECT_WORDS.get(effect, effect)) or EMPTY
