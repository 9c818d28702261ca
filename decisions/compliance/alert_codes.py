"""Which alert codes the code raises, read from its syntax: a code is nearly always a literal near its call.

Followed are literals, constants, both sides of an `if`, local names, and arguments of a function that raises what it
is given. What is worked out at run time is not seen; the rows of the alert table show that.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

RAISING = {"alert_raise", "alert_raise_outside"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


def codes_raised(files: Iterable[Path]) -> set[str]:
    """Every alert code that the Python `files` name where they raise one."""
    trees = [ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in files]
    constants = {name: value for tree in trees for name, value in _constants(tree)}
    return {code for tree in trees for code in _Module(tree, constants).codes()}


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from ((name.id, node.value.value) for name in node.targets if isinstance(name, ast.Name))


class _Module:
    """One module, with the constants of all of them (it may import some)."""

    def __init__(self, tree: ast.Module, constants: dict[str, str]) -> None:
        self._constants = {**constants, **dict(_constants(tree))}
        self._functions = [node for node in ast.walk(tree) if isinstance(node, Function)]

    def codes(self) -> Iterator[str]:
        for function, call in self._calls(RAISING):
            yield from self._values(_argument(call, 0, "code"), function, frozenset())

    def _calls(self, names: set[str]) -> Iterator[tuple[Function, ast.Call]]:
        for function in self._functions:
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                    yield function, node

    def _values(self, node: ast.expr | None, function: Function, seen: frozenset[str]) -> Iterator[str]:
        """What text `node` may be, inside `function`; nothing where it cannot be said."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.IfExp):
            yield from self._values(node.body, function, seen)
            yield from self._values(node.orelse, function, seen)
        elif isinstance(node, ast.Name) and f"{function.name}.{node.id}" not in seen:
            seen |= {f"{function.name}.{node.id}"}
            for value in _assigned(node.id, function):
                yield from self._values(value, function, seen)
            if node.id in self._constants:
                yield self._constants[node.id]
            yield from self._passed(node.id, function, seen)

    def _passed(self, name: str, function: Function, seen: frozenset[str]) -> Iterator[str]:
        """What this module's calls of `function` pass as its parameter `name`."""
        parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
        if name not in parameters:
            return
        for caller, call in self._calls({function.name}):
            yield from self._values(_argument(call, parameters.index(name), name), caller, seen)


def _argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == name]
    return call.args[place] if place < len(call.args) else named[0] if named else None


def _assigned(name: str, function: Function) -> Iterator[ast.expr]:
    """What `function` assigns to `name`, also as one of several names at once."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _matched(name, target, node.value)


def _matched(name: str, target: ast.expr, value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
        yield from _matched(name, target, value.body)
        yield from _matched(name, target, value.orelse)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, its in zip(target.elts, value.elts, strict=False):
            yield from _matched(name, one, its)
