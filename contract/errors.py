"""The one error for a file, line or option that is not what it should be."""

from collections.abc import Sequence
from pathlib import Path


class ContractError(Exception):
    """A file of a contract, a scenario or a profile is broken.

    `str()` gives `file:line:column: message`; line and column count from 1 and are left out where unknown. Where more
    than this is wrong, `others` has it, and `str()` a line for each.
    """

    def __init__(
        self, message: str, file: Path | str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = str(file) if file is not None else None
        self.line = line
        self.column = column
        self.others: tuple[ContractError, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """Each thing that is wrong, in one line."""
        place = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        own = ":".join([*place, f" {self.message}"]) if place else self.message
        return (own, *(line for other in self.others for line in other.lines))

    def __str__(self) -> str:
        return "\n".join(self.lines)


def together(errors: Sequence[ContractError]) -> ContractError:
    """Several errors (at least one) as one."""
    first, *others = errors
    first.others = tuple(others)
    return first
