"""What an AsyncAPI document declares: messages, channels, servers, and notes on what could not be read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Action = Literal["send", "receive"]
"""What the described application does with a message. In 2.x, it sends what others `subscribe` to."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that could not be told, is broken or is not checked. Line and column count from 1; None: unknown."""

    text: str
    path: Path
    line: int | None
    column: int | None

    def __str__(self) -> str:
        place = [str(part) for part in (self.path, self.line, self.column) if part is not None]
        return f"{':'.join(place)}: {self.text}"


@dataclass(frozen=True, slots=True)
class Example:
    """An example of a message, whose payload fits the message's schema."""

    name: str
    payload: Any
    line: int | None


@dataclass(frozen=True, slots=True)
class DeclaredMessage:
    """A message of the document."""

    name: str
    """Unique in the document: its key if it has one, or else what it calls itself."""
    actions: frozenset[Action]
    """Empty if no operation mentions it."""
    schema: Any = field(repr=False)
    """JSON Schema 2020-12 of the payload. Every `$ref` is absolute. True if nothing is known."""
    checked: bool
    """False for payloads that are not described by a JSON Schema, such as Avro."""
    examples: tuple[Example, ...] = field(repr=False)
    replies: tuple[str, ...]
    """Names of the messages that may answer it."""
    correlation: str | None
    """Where the payload holds the correlation id: a dotted path."""
    channels: tuple[str, ...]
    """Keys of the channels that carry it."""
    title: str
    description: str
    where: tuple[str | int, ...]
    """Its place in the document."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A `{parameter}` of a channel's address."""

    enum: tuple[str, ...]
    default: str | None
    examples: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Handshake:
    """A channel's WebSocket binding: the HTTP method, and schemas of the query and the headers; None: not given."""

    method: str | None
    query: Any = field(repr=False)
    headers: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """How a client authenticates. Members that a type does not have are empty."""

    key: str
    type: str
    in_: str
    """`query`, `header` or `cookie`; `user` or `password` for the type `apiKey`."""
    name: str
    """The name of the query parameter, header or cookie."""
    scheme: str
    """The scheme of HTTP authentication, such as `bearer`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel. `address` may have `{parameters}`; None: it is known only at run time."""

    key: str
    address: str | None
    parameters: Mapping[str, Parameter]
    ws: Handshake | None
    servers: tuple[str, ...]
    """Keys of the servers that have it; empty: all."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server. Variables in its URL are replaced by their defaults."""

    key: str
    url: str
    protocol: str
    security: tuple[SecurityScheme, ...]
