"""What goes into the sans-I/O core, and what comes out of it. All of it is plain, frozen data.

Connections are named by a number that the network gives; times are seconds of a monotonic clock and are passed
beside the happening, so that tests need no clock of their own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from wire.frames import Opcode


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token belongs to. `key` is the role in the profile; `expires_after` counts seconds from connecting."""

    id: str
    name: str
    key: str | None = None
    expires_after: float | None = None


# Happenings: what the network tells


@dataclass(frozen=True, slots=True)
class Opened:
    """The handshake was accepted for this account."""

    session: int
    account: Account


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text message, reassembled, inflated and decoded."""

    session: int
    text: str


@dataclass(frozen=True, slots=True)
class Binary:
    """A whole binary message."""

    session: int
    data: bytes


@dataclass(frozen=True, slots=True)
class ControlPong:
    """A pong frame; it counts where the heartbeat's form is `control`."""

    session: int


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection is over; `clean` means that the client said so with a close frame."""

    session: int
    clean: bool


@dataclass(frozen=True, slots=True)
class ShuttingDown:
    """The server stops: every connection is to be closed."""

    session: ClassVar[int] = 0
    """No connection has this number."""


Happening = Opened | Text | Binary | ControlPong | Lost | ShuttingDown


# Effects: what the core wants done


@dataclass(frozen=True, slots=True)
class SendText:
    """A message, not yet numbered and written; receivers of one broadcast share one `payload` object."""

    session: int
    event: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One message for several connections, in this order; short for a `SendText` to each of them."""

    sessions: tuple[int, ...]
    event: str
    payload: Mapping[str, Any]

    def each(self) -> Iterator[SendText]:
        """The messages, one by one."""
        return (SendText(session, self.event, self.payload) for session in self.sessions)


@dataclass(frozen=True, slots=True)
class SendPing:
    """A control ping (heartbeat form `control`)."""

    session: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """A close frame with a code of RFC 6455 §7.4; the TCP connection ends after it."""

    session: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Abort:
    """An end of the TCP connection without a close frame."""

    session: int


Effect = SendText | SendPing | Close | Abort
"""What concerns one connection, and is all that a hook sees."""

Effects = list[Effect | Broadcast]
"""What the core wants done, in this order."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame or a control frame, for one connection or from it."""

    session: int
    opcode: int
    data: bytes
    final: bool = True


@dataclass(frozen=True, slots=True)
class Copies:
    """A text message for several connections: the same `head` for all, and behind it a `number` of each one's own.

    `numbers` has the connections with theirs.
    """

    head: bytes
    numbers: tuple[tuple[int, int], ...]

    @staticmethod
    def tail(number: int) -> bytes:
        """What stands behind the head."""
        return b"%d}" % number

    def each(self) -> Iterator["Frame"]:
        """The messages, one by one."""
        return (Frame(session, Opcode.TEXT, self.head + self.tail(number)) for session, number in self.numbers)


Outgoing = Frame | Close | Abort
"""What the network is told to do for one connection."""
