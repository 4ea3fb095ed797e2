"""The one error for a file, line or option that is not what it should be."""

from pathlib import Path


class ContractError(Exception):
    """A file of a contract, a scenario or a profile is broken.

    `str()` gives `file:line:column: message`; line and column count from 1 and are left out where unknown.
    """

    def __init__(
        self, message: str, file: Path | str | None = None, line: int | None = None, column: int | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = str(file) if file is not None else None
        self.line = line
        self.column = column

    def __str__(self) -> str:
        place = [str(part) for part in (self.file, self.line, self.column) if part is not None]
        return ":".join([*place, f" {self.message}"]) if place else self.message
