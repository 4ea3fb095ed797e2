"""What a settlement comes to: counts, when each of them came about, and examples."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from loadtest.delivery.course import Course
from loadtest.delivery.entries import Example

COUNTED = ("delivered", "lost", "duplicated", "reordered", "misdelivered", "undecided")


@dataclass(slots=True)
class Balance:
    """What it comes to. `undecided` were not delivered, and nobody can demand them.

    `course` says when: what came, by when it came; what did not, by when it was posted.
    """

    expected: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    reordered: int = 0
    misdelivered: int = 0
    posts: int = 0
    strangers: int = 0
    undecided: int = 0
    examples: list[Example] = field(default_factory=list)
    course: Course = field(default_factory=Course)

    @property
    def counts(self) -> dict[str, int]:
        """All counts by name."""
        names = ("expected", *COUNTED[:-1], "posts", "strangers", "undecided")
        return {name: getattr(self, name) for name in names}

    def times(self, kind: str, begin: float = 0.0, end: float = math.inf) -> tuple[float, float] | None:
        """When a kind of `COUNTED` was seen first and last, in seconds of the run; None if it never was.

        From second `begin` to before `end`, as in a phase.
        """
        return self.course.times(kind, begin, end)

    def phase(self, begin: float, end: float) -> dict[str, int]:
        """`expected` and all of `COUNTED` from second `begin` of the run to before `end`.

        Of whole seconds (in a run of more than two hours, of some more): consecutive phases add up to the whole.
        """
        counts = {kind: self.course.within(kind, begin, end) for kind in COUNTED}
        return {"expected": counts["delivered"] + counts["lost"], **counts}

    def phases(self, bounds: Iterable[float]) -> list[dict[str, int]]:
        """The phases between consecutive bounds, in seconds of the run."""
        return [self.phase(begin, end) for begin, end in itertools.pairwise(bounds)]
