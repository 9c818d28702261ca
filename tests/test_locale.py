"""French as good as English: every text, in the form that French asks for, compiled beside its source."""

import gettext
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from tests.catalogue import Text, texts_marked, texts_of
from tests.environment import ROOT

SOURCE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
COMPILED = SOURCE.with_suffix(".mo")
HEADER, *TEXTS = texts_of(SOURCE)
FIELD = re.compile(r"%(?:\(\w+\))?[a-z%]|\{\w*\}|<[^>]+>")


def fields(text: str) -> Counter[str]:
    return Counter(FIELD.findall(text))


def compiled(path: Path) -> dict[str | tuple[str, int], str]:
    with path.open("rb") as file:
        catalogue: dict[str | tuple[str, int], str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    return catalogue


def by_ids(texts: list[Text]) -> list[Text]:
    return sorted(texts, key=lambda text: text.ids)


def as_compiled(text: Text) -> dict[str | tuple[str, int], str]:
    if len(text.ids) == 1:
        return {text.ids[0]: text.told[0]}
    return {(text.ids[0], form): told for form, told in enumerate(text.told)}


def test_every_text_is_translated_and_none_is_a_guess() -> None:
    assert [text.ids[0] for text in TEXTS if text.fuzzy or not all(text.told)] == []


def test_a_text_with_a_plural_has_both_forms() -> None:
    assert [text.ids[0] for text in TEXTS if len(text.told) != len(text.ids)] == []


def test_a_translation_holds_the_figures_and_tags_of_its_text() -> None:
    wrong = [
        text.ids[0]
        for text in TEXTS
        for form, told in enumerate(text.told)
        if fields(told) != fields(text.ids[min(form, len(text.ids) - 1)])
    ]

    assert wrong == []


def test_no_line_breaks_before_a_french_sign() -> None:
    """The space before a colon, a semicolon, a question or exclamation mark, and inside quotation marks."""
    breaking = re.compile(r" [:;?!»]|« |\w[;?!](?!\w)|[^\W\d]:(?= )")
    braces = re.compile(r"\{.*?\}")
    wrong = [told for text in TEXTS for told in text.told if breaking.search(braces.sub("", told))]

    assert wrong == []


def test_the_header_names_the_language_and_nobody_else() -> None:
    assert HEADER.ids == [""]
    assert "Language: fr\n" in HEADER.told[0]
    assert "plural=(n > 1)" in HEADER.told[0]
    assert "Date" not in HEADER.told[0]
    assert "@" not in HEADER.told[0]


def test_the_compiled_catalogue_is_the_source() -> None:
    expected: dict[str | tuple[str, int], str] = {}
    for text in (HEADER, *TEXTS):
        expected |= as_compiled(text)

    assert compiled(COMPILED) == expected


def test_gettexts_own_compiler_agrees(tmp_path: Path) -> None:
    """Where it is installed; the desk and the other tests need none of gettext's programs."""
    if (msgfmt := shutil.which("msgfmt")) is None:
        return
    subprocess.run([msgfmt, "--check-format", "--check-domain", "-o", tmp_path / "fr.mo", SOURCE], check=True)

    assert compiled(tmp_path / "fr.mo") == compiled(COMPILED)


def test_the_catalogue_holds_every_marked_text_and_no_other() -> None:
    marked, held = texts_marked(), {tuple(text.ids) for text in TEXTS}

    assert sorted(marked - held) == [], "run manage.py makemessages, translate them, run manage.py compilemessages"
    assert sorted(held - marked) == [], "run manage.py makemessages: nothing says these any more"


def test_makemessages_finds_nothing_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where gettext is installed: the command leaves the texts of a catalogue as they are that is up to date. In which
    file a text stands may change with any move of code, and is no matter of translation."""
    if shutil.which("xgettext") is None:
        return
    kept = shutil.ignore_patterns("__pycache__", "static")
    for room in ("decisions", "locale", "mia_site", "risk"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=kept)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(settings, "LOCALE_PATHS", [tmp_path / "locale"])

    call_command("makemessages", verbosity=0)

    assert by_ids(texts_of(tmp_path / SOURCE.relative_to(ROOT))) == by_ids([HEADER, *TEXTS])
