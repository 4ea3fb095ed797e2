"""What a liberty is, and the table of all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from reference_server.core.hooks import Hook


@dataclass(frozen=True, slots=True)
class Liberty:
    """One permitted behaviour that is not the reference server's own.

    `under_load`: one of a server that has too much to do. A check cannot decide much about it, a load test has to.
    """

    name: str
    summary: str
    make: Callable[[], Hook]
    under_load: bool = False


ALL: dict[str, Liberty] = {}


def liberty(name: str, *, under_load: bool = False) -> Callable[[type[Hook]], type[Hook]]:
    """Register a hook; its docstring says what the server does."""

    def decorate(hook: type[Hook]) -> type[Hook]:
        ALL[name] = Liberty(name, " ".join((hook.__doc__ or "").split()), hook, under_load)
        return hook

    return decorate
