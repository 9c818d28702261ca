"""Withdrawn feeds and feature sets in code and settings."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from decisions.compliance.found import Found
from risk.sources.feature_importance import FEATURE_COUNT
from risk.sources.withdrawn import withdrawn_in

CODE = ("mia_site", "risk", "decisions", "locale", "manage.py", "pyproject.toml", "requirements.txt")
TEXT = {".cfg", ".css", ".html", ".js", ".json", ".po", ".py", ".svg", ".toml", ".txt", ".yaml", ".yml"}
EXPECTED_COUNT = 150


def withdrawn_words(base_dir: Path) -> Found:
    """Every text file of the product, line by line; tests and documents speak of them in order to refuse them."""
    files = list(code_files(base_dir))
    wrong = [place for path in files for place in _places(path, base_dir)]
    if not files:
        wrong = [_("no code in %(path)s") % {"path": base_dir}]
    fine = _("no withdrawn feed and no set of 320 or 81; files read: %(count)d") % {"count": len(files)}
    return Found(wrong, fine, _("take these words out of the code"))


def code_files(base_dir: Path) -> Iterator[Path]:
    """The product's own text files, without caches."""
    for name in CODE:
        root = base_dir / name
        found = sorted(root.rglob("*")) if root.is_dir() else [root]
        yield from (path for path in found if path.suffix in TEXT and path.is_file())


def _places(path: Path, base_dir: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if word := withdrawn_in(line):
            yield f"{path.relative_to(base_dir)}:{number} {word}"


def withdrawn_settings() -> Found:
    """Names and values of the settings; a value is never shown, since it may be a secret."""
    wrong = [name for name in dir(settings) if name.isupper() and _holds(name, getattr(settings, name))]
    if FEATURE_COUNT != EXPECTED_COUNT:
        wrong.append(f"FEATURE_COUNT = {FEATURE_COUNT}")
    fine = _("they name no withdrawn feed; a feature set has the top %(count)d") % {"count": FEATURE_COUNT}
    return Found(wrong, fine, _("correct the variable of that name (docs/operations.md)"))


def _holds(name: str, value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(f"{name} {key}", item) for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return any(_holds(name, item) for item in value)
    return withdrawn_in(f"{name} = {value}") is not None
