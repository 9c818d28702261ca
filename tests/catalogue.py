"""Catalogues read without gettext's tools: what a .po file says, and which texts code and templates mark."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.utils.translation.template import templatize

from tests.environment import ROOT

ROOMS = ("decisions", "mia_site", "risk")
MARKS = {"_": 1, "gettext": 1, "gettext_lazy": 1, "gettext_noop": 1, "ngettext": 2, "ngettext_lazy": 2}
"""Function -> how many of its first arguments are texts."""
_LITERAL = r"""u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
_IN_TEMPLATE = re.compile(rf"\b(?:_|gettext|ngettext)\(\s*{_LITERAL}(?:\s*,\s*{_LITERAL})?")
_LINE = re.compile(r'(?:(msgid|msgid_plural|msgstr(?:\[\d\])?) )?(".*")')


@dataclass
class Text:
    """One entry of a .po file: `ids` is the text, and its plural where it has one; `told` its translations."""

    ids: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    fuzzy: bool = False


def texts_of(path: Path) -> list[Text]:
    """The entries of a .po file, its header (whose id is empty) first."""
    return [_text(block) for block in path.read_text(encoding="utf-8").split("\n\n")]


def _text(block: str) -> Text:
    text = Text()
    part = text.ids
    for line in block.splitlines():
        if line.startswith("#"):
            text.fuzzy |= line.startswith("#,") and "fuzzy" in line
            continue
        found = _LINE.fullmatch(line)
        assert found is not None, f"not a line of a catalogue: {line}"
        if found[1] is None:
            part[-1] += ast.literal_eval(found[2])
        else:
            part = text.ids if found[1].startswith("msgid") else text.told
            part.append(ast.literal_eval(found[2]))
    return text


def texts_marked() -> set[tuple[str, ...]]:
    """The texts that code and templates mark for translation, with their plurals."""
    found: set[tuple[str, ...]] = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            found.update(_in_code(ast.parse(path.read_text(encoding="utf-8"))))
        for path in (ROOT / room).rglob("*.html"):
            found.update(_in_template(path.read_text(encoding="utf-8")))
    return found


def _in_code(tree: ast.AST) -> Iterator[tuple[str, ...]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            texts = [part.value for part in node.args[: MARKS[node.func.id]] if isinstance(part, ast.Constant)]
            if texts:
                yield tuple(str(text) for text in texts)


def _in_template(source: str) -> Iterator[tuple[str, ...]]:
    for found in _IN_TEMPLATE.finditer(templatize(source)):
        yield tuple(ast.literal_eval(literal) for literal in found.groups() if literal)
