"""Names of those who acted. Records hold numbers (``user:3``); pages show who that is, read in one query a kind."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from django.contrib.auth import get_user_model

Resolver = Callable[[Iterable[str]], Mapping[str, str]]


def _users(ids: Iterable[str]) -> Mapping[str, str]:
    numbers = [int(number) for number in ids if number.isdigit()]
    return {str(pk): name for pk, name in get_user_model().objects.filter(pk__in=numbers).values_list("pk", "username")}


_resolvers: dict[str, Resolver] = {"user": _users}


def actor_names_register(kind: str, resolver: Resolver) -> None:
    """`resolver(ids)` returns the names it knows; called by apps that have actors of their own."""
    _resolvers[kind] = resolver


def actor_names(actors: Iterable[str]) -> dict[str, str]:
    """Name of each actor text: ``alice (user:3)`` where the person is known, the text itself otherwise."""
    kinds: dict[str, set[str]] = defaultdict(set)
    texts = set(actors)
    for text in texts:
        kind, _, name = text.partition(":")
        kinds[kind].add(name)
    found = {kind: _resolvers[kind](ids) for kind, ids in kinds.items() if kind in _resolvers}
    return {text: _shown(text, found) for text in texts}


def _shown(text: str, found: Mapping[str, Mapping[str, str]]) -> str:
    kind, _, number = text.partition(":")
    name = found.get(kind, {}).get(number)
    return f"{name} ({text})" if name else text
