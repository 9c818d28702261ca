"""The leaves of a YAML mapping as text, read without building any object of the file's choosing.

No number is ever made a float, no anchor is followed, no tag is obeyed, and no message repeats what the file
says: it may hold secrets.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import yaml

from risk.sources.bounds import MAX_CONFIG_LEAVES, MAX_DEPTH
from risk.sources.notes import Notes
from risk.sources.records import SourceError

_FENCE = "```"
_TOP_KEY = re.compile(r"[A-Za-z_][^\s:#]*[ ]*:")
_YAML_FENCE = re.compile(r"```(ya?ml)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One scalar, or one list (`value` None), and the keys that lead to it."""

    path: tuple[str, ...]
    value: str | None
    line: int

    @property
    def key(self) -> str:
        """The dotted path."""
        return ".".join(self.path)


class _Loader(yaml.SafeLoader):
    """Composes nodes only, to a bounded depth; an alias is an error, as it can multiply without end."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise SourceError(f"line {self.get_mark().line + 1}: YAML aliases are not read")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SourceError(f"the YAML is nested deeper than {MAX_DEPTH}")
        node = super().compose_node(parent, index)  # type: ignore[arg-type]
        self.depth -= 1
        return node


def yaml_leaves(text: str, vital: Collection[str], notes: Notes) -> tuple[Leaf, ...]:
    """The leaves of the mapping in `text`, which may stand inside a Markdown fence.

    MIA's own file has prose that is not YAML in its notes. Such a top-level section is left out with a note,
    unless it holds one of the `vital` keys. Raises SourceError.
    """
    document = unfenced(text)
    try:
        mappings = [_composed(document)]
    except yaml.MarkedYAMLError as error:
        mappings = list(_readable_sections(document, vital, notes, error))
    leaves = tuple(_leaves([pair for mapping in mappings for pair in mapping.value], ()))
    if len(leaves) > MAX_CONFIG_LEAVES:
        raise SourceError(f"the file has more than {MAX_CONFIG_LEAVES:,} settings")
    return leaves


def _composed(document: str) -> yaml.MappingNode:
    """The root of a YAML mapping. Raises MarkedYAMLError for broken syntax, SourceError for anything else."""
    try:
        root = yaml.compose(document, Loader=_Loader)
    except (yaml.MarkedYAMLError, SourceError):
        raise
    except (yaml.YAMLError, RecursionError, OverflowError, ValueError) as error:
        raise SourceError(f"the file is not YAML that can be read ({type(error).__name__})") from None
    if not isinstance(root, yaml.MappingNode):
        raise SourceError("the file is not a YAML mapping")
    return root


def _readable_sections(
    document: str, vital: Collection[str], notes: Notes, whole: yaml.MarkedYAMLError
) -> Iterator[yaml.MappingNode]:
    lines = document.split("\n")
    starts = [number for number, line in enumerate(lines) if _TOP_KEY.match(line)]
    if len(starts) < 2:
        raise SourceError(f"{_where(whole)}the file is not YAML that can be read") from None
    key = re.compile(rf"(?<![A-Za-z0-9_])({'|'.join(map(re.escape, vital))})[ \"']*:")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        section = lines[start:end]
        try:
            yield _composed("\n" * start + "\n".join(section))
        except yaml.MarkedYAMLError as error:
            if any(key.search(line) for line in section):
                raise SourceError(f"{_where(error)}the section of a limit is not YAML that can be read") from None
            notes.say(f"lines {start + 1} to {end} are not YAML and were left out: no limit is named there")


def _where(error: yaml.MarkedYAMLError) -> str:
    return f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""


def unfenced(text: str) -> str:
    """The first fenced block of a Markdown text, or `text` where there is none; lines keep their numbers."""
    lines = text.split("\n")
    opening = next((number for number, line in enumerate(lines) if _YAML_FENCE.fullmatch(line.strip())), None)
    if opening is None:
        return text
    inside = lines[opening + 1 :]
    closing = next((number for number, line in enumerate(inside) if line.startswith(_FENCE)), len(inside))
    return "\n" * (opening + 1) + "\n".join(inside[:closing])


def _leaves(pairs: list[tuple[yaml.Node, yaml.Node]], path: tuple[str, ...]) -> Iterator[Leaf]:
    seen: set[str] = set()
    for key, value in pairs:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or key.value in seen:
            raise SourceError(f"line {line}: every key must be plain and stand once in its mapping")
        seen.add(key.value)
        here = (*path, key.value)
        if isinstance(value, yaml.MappingNode):
            yield from _leaves(value.value, here)
        else:
            yield Leaf(here, value.value if isinstance(value, yaml.ScalarNode) else None, line)
