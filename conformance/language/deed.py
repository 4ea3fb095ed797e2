"""What a step does. A verb of the scenario language is one class: what it has, how it is read, whether it decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

from contract.findings import Phrase, phrase
from contract.requirements import Level

Duration = float | str
"""Seconds, or the name of a duration of the profile (`Context.seconds`)."""


class Deed:
    """What one step does."""

    __slots__ = ()
    can_fail: ClassVar[bool] = True
    """Whether there is an endpoint that can fail it."""

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """The deed that a step's members, expanded, describe. Raises `ValueError` where they cannot be meant."""
        return cls(**body)

    @property
    def decides(self) -> bool:
        """Whether the step decides its requirement once it has been run."""
        return self.can_fail


Registered = TypeVar("Registered", bound=type[Deed])


class Verbs(dict[str, type[Deed]]):
    """Verbs, and what they mean."""

    def add(self, *names: str, can_fail: bool = True) -> Callable[[Registered], Registered]:
        """Decorate the class that these verbs mean."""

        def added(deed: Registered) -> Registered:
            deed.can_fail = can_fail
            self.update(dict.fromkeys(names, deed))
            return deed

        return added


@dataclass(frozen=True, slots=True)
class Charge:
    """What a step's failure is charged to; `level` None means the first clause's."""

    requirements: tuple[str, ...] = ()
    level: Level | None = None


def event_of(body: Mapping[str, Any]) -> str | None:
    """The name of an expected message, which stands at `event` or at `name`; None: it may have any."""
    name: str | None = body.get("event", body.get("name"))
    return name


def names(value: str | list[str] | None) -> tuple[str, ...]:
    """One name or several, as the files write them."""
    return (value,) if isinstance(value, str) else tuple(value or ())


def control_payload(body: Mapping[str, Any]) -> bytes:
    """What a ping or pong frame holds."""
    return bytes.fromhex(body["hex"]) if "hex" in body else str(body.get("payload", "")).encode()


def said(body: Mapping[str, Any]) -> Phrase | None:
    """What a scenario's author has to say of a failure, in English and, if given, in Japanese."""
    english = body.get("message")
    return phrase("said", en=english, ja=body.get("message_ja", english)) if english else None
