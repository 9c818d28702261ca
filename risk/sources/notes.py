"""Notes on a file: what a person should know although no row was refused for it."""

from collections import Counter


class Notes:
    """Collects sentences, and counts of things that happened to many rows, in order of first appearance."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._counted: set[str] = set()

    def say(self, sentence: str) -> None:
        """Add `sentence` once."""
        self._counts[sentence] += 1

    def tally(self, what: str) -> None:
        """Count one more of `what`, shown as "what: 3"."""
        self._counted.add(what)
        self._counts[what] += 1

    def sentences(self) -> tuple[str, ...]:
        """All notes, each once."""
        return tuple(f"{text}: {n}" if text in self._counted else text for text, n in self._counts.items())
