"""Where a value of an expanded step stands in its author's file: behind variants, parameters and calls."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from contract.errors import ContractError
from contract.files import Document
from contract.templates import REFERENCE

Where = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a file.

    `given` has the places of what a variant or a call gives names to. Inside a procedure, `call` is the step that
    called it; of a value that a call gives, `used` is the place in the procedure where it is used.
    """

    document: Document
    where: Where
    given: "Mapping[str, Source]" = field(default_factory=dict)
    procedure: str = ""
    call: "Source | None" = None
    used: "Source | None" = None

    def at(self, *path: str | int) -> "Source":
        """The place that a path of names and indices leads to, as it is written."""
        # One for every step and parameter: with `dataclasses.replace`, loading took a tenth longer.
        return Source(self.document, (*self.where, *path), self.given, self.procedure, self.call, self.used)

    def origin(self, *path: str | int) -> "Source":
        """The place of the value at the path: where `${name}` stands for it, what gives the name its value."""
        here = self
        for number, part in enumerate(path):
            given = here._given_whole()
            if given is not None:
                return given.origin(*path[number:])
            here = here.at(part)
        given = here._given_whole() or here._given_in_part()
        return given.origin() if given is not None else here

    def error(self, message: str, *path: str | int) -> ContractError:
        """An error at the origin of the value at the path; it says where a procedure was called or uses the value."""
        place = self.origin(*path)
        if place.used is not None:
            message += f" (used in procedure {place.used.procedure!r}, {place.used.spot})"
        elif place.call is not None:
            message += f" (in procedure {place.procedure!r}, called at {place.call.outermost.spot})"
        return place.document.error(message, place.where)

    def names(self, member: str) -> bool:
        """Whether the mapping that is written here has the member."""
        value = self._written()
        return isinstance(value, dict) and member in value

    @property
    def outermost(self) -> "Source":
        """The place in the scenario itself."""
        return self.call.outermost if self.call is not None else self

    @property
    def spot(self) -> str:
        """File, line and column."""
        line, column = self.document.position(self.where)
        return f"{self.document.path}:{line}:{column}"

    def _written(self) -> Any:
        value = self.document.value
        for part in self.where:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def _given_whole(self) -> "Source | None":
        value = self._written()
        found = REFERENCE.fullmatch(value) if isinstance(value, str) else None
        return self._of(found[1]) if found else None

    def _given_in_part(self) -> "Source | None":
        value = self._written()
        names = REFERENCE.findall(value) if isinstance(value, str) else []
        return next((found for found in map(self._of, names) if found is not None), None)

    def _of(self, name: str) -> "Source | None":
        found = self.given.get(name)
        if found is None or self.call is None:
            return found
        return replace(found, used=found.used or self)


def once(errors: Iterable[ContractError]) -> list[ContractError]:
    """Each error once: a step that is played many times is written once."""
    return list({str(error): error for error in errors}.values())
