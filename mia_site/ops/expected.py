"""What a field expects, in words for whoever sent something else: said once, at its type."""

import functools
import re
from typing import Any

from msgspec import inspect

_STEP = re.compile(r"[^.\[\]]+|\[\.\.\.\]")


def expected_words(type_: Any, path: str, *, key: bool = False) -> str:
    """The words of the type at `path` of `type_` (of the names there, with `key`); empty where it has none.

    A choice says what there is to choose from, any other type its description (`msgspec.Meta`).
    """
    info: tuple[inspect.Type | None, str] = _unwrapped(_inspected(type_))
    for step in _STEP.findall(path):
        info = _inside(info[0], step)
    if key and isinstance(info[0], inspect.DictType):
        info = _unwrapped(info[0].key_type)
    return _choices(info[0]) or info[1]


@functools.cache
def _inspected(type_: Any) -> inspect.Type:
    return inspect.type_info(type_)


def _inside(info: inspect.Type | None, step: str) -> tuple[inspect.Type | None, str]:
    """What stands at one step of a path: a field's name, an index, or any value of a mapping."""
    if isinstance(info, inspect.StructType):
        found = next((field.type for field in info.fields if field.encode_name == step), None)
        return (None, "") if found is None else _unwrapped(found)
    if isinstance(info, inspect.ListType | inspect.VarTupleType):
        return _unwrapped(info.item_type)
    return _unwrapped(info.value_type) if isinstance(info, inspect.DictType) else (None, "")


def _unwrapped(info: inspect.Type) -> tuple[inspect.Type, str]:
    """The type without what is around it, and its description. Of what may be null, the other one."""
    words = ""
    while isinstance(info, inspect.Metadata | inspect.UnionType):
        if isinstance(info, inspect.Metadata):
            words = words or (info.extra_json_schema or {}).get("description", "")
            info = info.type
        else:
            info = next(one for one in info.types if not isinstance(one, inspect.NoneType))
    return info, words


def _choices(info: inspect.Type | None) -> str:
    if isinstance(info, inspect.LiteralType):
        return "one of " + ", ".join(map(str, info.values))
    if isinstance(info, inspect.EnumType):
        return "one of " + ", ".join(str(one.value) for one in info.cls)
    return ""
