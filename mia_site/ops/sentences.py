"""Sentences that the desk itself writes into records, said again in a reader's language.

A record holds the English sentence, filled in. Apps register their templates, by which the figures are found again.
What a person wrote is nobody's template and stays as it is.
"""

import re
from collections.abc import Iterable

from django.utils.translation import gettext

NESTED = {"reason", "before", "allowance"}
"""Fields that hold a sentence of their own."""

NUMBER = r"[\d.]+"
"""What a field called `value` holds; any other may hold words."""

_patterns: dict[str, re.Pattern[str]] = {}


def sentences_register(templates: Iterable[str]) -> None:
    """Adds texts with `%(name)s` fields, marked by `gettext_noop` where they stand; called from `AppConfig.ready`."""
    _patterns.update({template: _pattern(template) for template in templates})


def _pattern(template: str) -> re.Pattern[str]:
    words = re.split(r"%\((\w+)\)s", template)
    parts = [_field(word) if place % 2 else re.escape(word) for place, word in enumerate(words)]
    return re.compile("".join(parts), re.DOTALL)


def _field(name: str) -> str:
    return f"(?P<{name}>{NUMBER if name == 'value' else '.+?'})"


def sentence_parts(text: str) -> tuple[str, dict[str, str]] | None:
    """The template that `text` was made of and what was filled in; None where it is none of ours."""
    for template, pattern in _patterns.items():
        if found := pattern.fullmatch(text):
            return template, found.groupdict()
    return None


def sentence_told(text: str) -> str:
    """A sentence or word of the desk itself in the active language, those inside it too; else `text` as it is."""
    if not text:
        return ""
    parts = sentence_parts(text)
    if parts is None:
        return gettext(text)
    template, figures = parts
    return gettext(template) % {
        name: sentence_told(value) if name in NESTED else value for name, value in figures.items()
    }
