"""What the engine asks of the transport (actions), and what it is told (happenings).

Times are in seconds on the transport's monotonic clock.
"""

import math
from dataclasses import dataclass
from typing import Literal

from contract.findings import Phrase, phrase
from wire.deflate import Deflate
from wire.frames import RawFrame


@dataclass(frozen=True, slots=True)
class OutFrame(RawFrame):
    """A frame to send. `raw` frames bypass every check, so that they may be illegal."""

    raw: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An opening handshake. `deflate` offers compression; `upgrade` False makes it a plain GET. `narrow`: the sockets
    of both sides hold little of what is not read."""

    target: str
    headers: tuple[tuple[str, str], ...] = ()
    subprotocols: tuple[str, ...] = ()
    deflate: Deflate | None = None
    upgrade: bool = True
    answer_control_pings: bool = True
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """Connect an actor; the outcome arrives as `Opened`, `Refused`, or nothing at all.

    Where there is no TCP connection by `connect_by`, it is given up: nobody was there who could answer.
    """

    actor: str
    request: Request
    connect_by: float = math.inf


@dataclass(frozen=True, slots=True)
class Send:
    """Write frames, in order, without any other frame between them; in TCP pieces of so many bytes where asked."""

    actor: str
    frames: tuple[OutFrame, ...]
    pieces: int | None = None


@dataclass(frozen=True, slots=True)
class Close:
    """Send a close frame (RFC 6455 §5.5.1); `code` None sends one without a body."""

    actor: str
    code: int | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """Vanish without a close frame: by a TCP reset, or by silence (nothing is read or written any more)."""

    actor: str
    how: Literal["reset", "silence"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Take nothing more from the socket, which stays open and is written to; or read `on` again."""

    actor: str
    on: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """Give me the next happening, or a `Tick` once `deadline` has passed and nothing is left to read.

    It may be one of several that make up a longer wait; `ends` is the deadline of the whole.
    """

    deadline: float
    waiting_for: str = ""
    ends: float | None = None


Action = Open | Send | Close | Drop | Reading | Wait


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but the time."""

    t: float


@dataclass(frozen=True, slots=True)
class Opened:
    """The server accepted the handshake."""

    t: float
    actor: str
    headers: tuple[tuple[str, str], ...]
    subprotocol: str | None
    compressed: bool = False
    note: Phrase | None = None
    """What was read all the same, though it is not as it should be."""


Problem = Literal["status", "accept", "negotiation", "response", "lost", "tls", "unreachable", "not-listening", "proxy"]
"""Why a handshake failed; `unreachable`: no TCP connection came about, `not-listening`: TCP refused it, `proxy`: ours
made no way to the endpoint."""

LOST: tuple[Problem, ...] = ("lost", "tls", "unreachable", "not-listening", "proxy")
"""No answer at all: nothing was refused."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The handshake failed: another status than 101, a wrong answer, or the end of the connection."""

    t: float
    actor: str
    problem: Problem
    status: int | None
    headers: tuple[tuple[str, str], ...]
    body: bytes
    detail: Phrase
    more: Phrase | None = None
    """What else tells why."""
    note: Phrase | None = None
    """As that of `Opened`."""

    @property
    def shown(self) -> Phrase:
        """The answer for people."""
        return self.detail if self.more is None else phrase("answer-and-more", answer=self.detail, more=self.more)


@dataclass(frozen=True, slots=True)
class Received:
    """A whole message, reassembled and inflated. `fragments` has the bytes in each of its frames."""

    t: float
    actor: str
    opcode: int
    data: bytes
    fragments: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """A ping or pong frame of the server."""

    t: float
    actor: str
    opcode: int
    data: bytes


@dataclass(frozen=True, slots=True)
class CloseReceived:
    """A close frame of the server; `code` None where it has no body. `legal` by RFC 6455 §7.4."""

    t: float
    actor: str
    code: int | None
    reason: str
    legal: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """The TCP connection is over, or was ended by us because the server broke the rules or the bounds."""

    t: float
    actor: str
    how: Literal["eof", "reset", "violation", "flood"]
    detail: Phrase | None = None


Happening = Tick | Opened | Refused | Received | Control | CloseReceived | Ended
