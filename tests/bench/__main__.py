"""Benchmarks: `python -m tests.bench NAME [OPTIONS]`; without a name it lists them.

Each module of this package with a function `run(arguments: Sequence[str]) -> int` is one, its name is the module's.
It prints a table and answers 0 where every promised ratio held. A ratio compares two sides of the same run on the same
machine: the figures themselves say little elsewhere.
"""

import importlib
import pkgutil
import sys
from collections.abc import Sequence

import tests.bench

HOUSE = frozenset({"__main__", "burst_desk", "database", "ledger_rows", "peers", "table"})


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(module.name for module in pkgutil.iter_modules(tests.bench.__path__) if module.name not in HOUSE)


def main(arguments: Sequence[str]) -> int:
    known = names()
    if not arguments or arguments[0] not in known:
        print(f"usage: python -m tests.bench NAME, one of: {', '.join(known) or 'none yet'}")
        return 2
    module = importlib.import_module(f"tests.bench.{arguments[0]}")
    answer: int = module.run(arguments[1:])
    return answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
