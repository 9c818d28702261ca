"""Limits as people write them: YAML whose numbers stay text, and single assignments. Pure."""

import copy
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import yaml

from risk.inputs import InputError
from risk.rules.limits import RuleMode, RuleName
from risk.rules.limits_own import Source, Sourced, sourced
from risk.rules.messages import gettext_noop

MAX_DEPTH = 8
Rule = Mapping[str, Any]
FIRST_DRAWDOWN = {"name": "max_drawdown", "mode": "trailing_intraday"}


class _TextLoader(yaml.SafeLoader):
    """Mappings, lists, texts, true, false and null; all else, numbers first, is the text it was written in: 0.05 never
    becomes a float. Raises `InputError` for aliases and depth, which grow without end, and for a key that stands twice.
    """

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise InputError("limits", "*alias", gettext_noop("YAML without aliases"))
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise InputError("limits", f"{self.depth} levels", f"YAML of at most {MAX_DEPTH} levels")
        node = super().compose_node(parent, index)  # type: ignore[arg-type]
        self.depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            raise InputError("limits", Counter(keys).most_common(1)[0][0][:80], gettext_noop("each key once"))
        return super().construct_mapping(node, deep=deep)


_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("map", "seq", "str", "bool", "null")}
_TextLoader.yaml_implicit_resolvers = {
    key: [(tag, pattern) for tag, pattern in resolvers if tag in _TAGS]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_TextLoader.yaml_constructors = {
    tag: construct for tag, construct in yaml.SafeLoader.yaml_constructors.items() if tag in _TAGS or tag is None
}


def document_read(text: str) -> dict[str, Any]:
    """A limits document from YAML (or JSON). Raises `InputError`."""
    try:
        document = yaml.load(text, Loader=_TextLoader)  # noqa: S506 - a SafeLoader with fewer types
    except (yaml.YAMLError, KeyError) as error:  # KeyError: a text tagged as true or false
        raise InputError("limits", " ".join(str(error).split())[:200], "YAML") from error
    if not isinstance(document, dict):
        raise InputError("limits", type(document).__name__, "a mapping of limits")
    return document


def document_text(body: Mapping[str, Any], own: Mapping[str, Any] | None, defaults: Mapping[str, Any]) -> str:
    """Limits in force as YAML: what the account set itself stands, what it inherits is a comment that says from where.
    So read back it says the same, and keeps inheriting."""
    lines: list[str] = []
    for section, found in groupby(sourced(body, own, defaults), key=lambda item: item.section):
        items = list(found)
        lines.append(_line(f"{section}:", commented=all(item.source is not Source.OWN for item in items)))
        for item in items:
            lines += _item_lines(item)
    if not own and own is not None:
        lines.append("{}  # the account itself sets nothing\n")
    return "".join(lines)


def _item_lines(item: Sourced) -> Iterator[str]:
    told = [item.value] if item.section == "drawdown" else {item.name: item.value}
    first, *rest = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100).splitlines()
    inherited = item.source is not Source.OWN
    yield _line(f"  {first}{f'  # {item.source}' if inherited else ''}", commented=inherited)
    for line in rest:
        yield _line(f"  {line}", commented=inherited)


def _line(text: str, *, commented: bool) -> str:
    return f"# {text}\n" if commented else f"{text}\n"


def document_own(body: Mapping[str, Any], own: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """What somebody who changes an account's limits starts from: its own part, where it tells which that is."""
    return body if own is None else own


def assignments_apply(
    document: Mapping[str, Any], assignments: Iterable[str], *, reason: str, inherited: Iterable[Rule] = ()
) -> dict[str, Any]:
    """`document` with `name=value` texts applied: a drawdown rule's allowance by the rule's name, a rule's mode
    (`features=off`, with `reason`), or a dotted path (`pace.max_openings_per_hour=5`). Raises `InputError`.

    `inherited`: drawdown rules in force; one that is changed becomes the account's own.
    """
    changed = copy.deepcopy(dict(document))
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator or not name or not value:
            raise InputError("assignment", assignment[:80], "NAME=VALUE")
        _assign(changed, name, value, reason, inherited)
    return changed


def _assign(document: dict[str, Any], name: str, value: str, reason: str, inherited: Iterable[Rule]) -> None:
    if value in set(RuleMode) and name in set(RuleName):
        document.setdefault("rules", {})[name] = {"mode": value, "reason": reason}
    elif "." in name:
        section, _, field = name.partition(".")
        target = document.setdefault(section, {})
        if not isinstance(target, dict) or "." in field:
            raise InputError(name, value, "section.field, for example pace.max_openings_per_hour")
        target[field] = _bool(value)
    else:
        _drawdown(document, name, value, inherited)


def _bool(value: str) -> str | bool:
    return {"true": True, "false": False}.get(value, value)


def _drawdown(document: dict[str, Any], name: str, value: str, inherited: Iterable[Rule]) -> None:
    rules = document.setdefault("drawdown", [])
    owned = {rule["name"] for rule in rules}
    rules += [{**rule} for rule in inherited if rule["name"] == name and name not in owned]
    for rule in rules:
        if rule["name"] == name:
            rule["allowance"] = {**rule["allowance"], "value": value}
            return
    if name != FIRST_DRAWDOWN["name"]:
        known = [rule["name"] for rule in rules] or ["max_drawdown"]
        raise InputError(name, value, f"one of {', '.join(known)}, or section.field; new rules come by limits import")
    rules.append({**FIRST_DRAWDOWN, "allowance": {"of": "reference", "value": value}})
