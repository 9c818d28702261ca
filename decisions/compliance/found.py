"""What a check found, and the line that it becomes."""

from collections.abc import Sequence
from dataclasses import dataclass

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer; `fix` says what to do where `ok` is False."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What is `wrong`, nothing where the check holds; `fine` is what to say then."""

    wrong: Sequence[str]
    fine: str
    fix: str

    def check(self, name: str) -> Check:
        """The line, with the first few of what is wrong and how many more there are."""
        if not self.wrong:
            return Check(name, True, self.fine)
        more = len(self.wrong) - SHOWN
        shown = "; ".join(self.wrong[:SHOWN]) + (f"; +{more}" if more > 0 else "")
        return Check(name, False, shown, self.fix)
