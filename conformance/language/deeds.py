"""What an actor does: connecting, sending, leaving, and the waits of journeys."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from conformance.language.deed import Deed, Duration, Verbs, control_payload
from wire.deflate import Way
from wire.frames import Opcode

VERBS = Verbs()
"""The verbs of what an actor does."""

OPCODES = {
    "continuation": Opcode.CONT,
    **{one.name.lower(): one for one in (Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE, Opcode.PING, Opcode.PONG)},
}

Fragments = int | tuple[int, ...] | None


@VERBS.add("connect")
@dataclass(frozen=True, slots=True)
class Connect(Deed):
    """An opening handshake."""

    actor: str
    token: str | None = None
    token_text: str | None = None
    path: str | None = None
    headers: Mapping[str, str] | None = None
    subprotocols: tuple[str, ...] | None = None
    """What is offered in place of what the contract says; None: that."""
    deflate: bool | Mapping[str, Any] = False
    upgrade: bool = True
    accepted: bool = True
    narrow: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        offered = body.get("subprotocols")
        return cls(**{**body, "subprotocols": None if offered is None else tuple(offered)})

    @property
    def decides(self) -> bool:
        """A handshake that may be refused decides nothing."""
        return self.accepted


@VERBS.add("send", can_fail=False)
@dataclass(frozen=True, slots=True)
class SendMessage(Deed):
    """A message as JSON; its values are templates."""

    actor: str
    message: Any
    escape: bool = False
    fragments: Fragments = None
    interleave: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(
            body["actor"], message_of(body), bool(body.get("escape")), _fragments(body), bool(body.get("interleave"))
        )


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame as it is written, whatever RFC 6455 says of it.

    `part` 2 of 3: the second third of its payload, which is compressed before with `deflate`.
    """

    opcode: int
    text: Any = None
    hex: str | None = None
    final: bool = True
    reserved_bits: int = 0
    masked: bool = True
    deflate: Way | None = None
    part: tuple[int, int] = (1, 1)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """A frame of `send_raw`. Raises `ValueError` for what is not hexadecimal."""
        _check_hexadecimal(body.get("hex"))
        return cls(
            OPCODES.get(body["opcode"], body["opcode"]),
            body.get("text"),
            body.get("hex"),
            body.get("final", True),
            body.get("reserved_bits", 0),
            body.get("masked", True),
            body.get("deflate"),
            _part(body.get("part", [1, 1])),
        )


@VERBS.add("send_raw", can_fail=False)
@dataclass(frozen=True, slots=True)
class SendRaw(Deed):
    """A text, bytes or frames, as they are written. `from_text`: the first fragment's size counts from the byte at
    which the text of a probe begins."""

    actor: str
    text: Any = None
    binary: Any = None
    hex: str | None = None
    frames: tuple[RawFrame, ...] = ()
    fragments: Fragments = None
    interleave: bool = False
    opcode: Literal["text", "binary"] = "binary"
    deflate: Way | None = None
    pieces: int | None = None
    from_text: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        _check_hexadecimal(body.get("hex"))
        frames = tuple(map(RawFrame.read, body.get("frames", ())))
        plain = ("text", "binary", "hex", "interleave", "opcode", "deflate", "pieces")
        members = {name: body[name] for name in plain if name in body}
        fragments = body.get("fragments")
        if isinstance(fragments, dict):
            return cls(body["actor"], frames=frames, fragments=tuple(fragments["text"]), from_text=True, **members)
        return cls(body["actor"], frames=frames, fragments=_fragments(body), **members)


@VERBS.add("ping", can_fail=False)
@dataclass(frozen=True, slots=True)
class SendPing(Deed):
    """A ping frame."""

    actor: str
    payload: bytes = b""

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(body["actor"], control_payload(body))


@VERBS.add("close")
@dataclass(frozen=True, slots=True)
class CloseConnection(Deed):
    """A close frame, and the closing handshake if it is to be `answered`."""

    actor: str
    code: int | None = 1000
    reason: str = ""
    answered: bool = True

    @property
    def decides(self) -> bool:
        """A close frame whose answer is not awaited decides nothing."""
        return self.answered


@VERBS.add("drop", can_fail=False)
@dataclass(frozen=True, slots=True)
class DropConnection(Deed):
    """The end of TCP without a closing handshake: by a reset, or by silence."""

    actor: str
    how: Literal["reset", "silence"] = "reset"


@VERBS.add("stop_reading", can_fail=False)
@dataclass(frozen=True, slots=True)
class StopReading(Deed):
    """Take nothing more from the socket. What the server then does with this connection is free."""

    actor: str


@VERBS.add("read_on", can_fail=False)
@dataclass(frozen=True, slots=True)
class ReadOn(Deed):
    """Read again."""

    actor: str


@VERBS.add("pause", can_fail=False)
@dataclass(frozen=True, slots=True)
class Pause(Deed):
    """Journeys only: for so long, or to the next multiple of a duration on the run's clock."""

    actor: str
    duration: Duration
    to_next: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(body["actor"], body.get("for", body.get("to_next", 0)), "to_next" in body)


@VERBS.add("pace", can_fail=False)
@dataclass(frozen=True, slots=True)
class Pace(Deed):
    """Journeys only: passes per second (open model), or None: one after the other (closed model)."""

    actor: str
    rate: float | Literal["rate"] | None
    times: int | None
    steps: tuple[Any, ...]
    """`Step`s."""

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(body["actor"], body.get("rate"), body.get("times"), body["steps"])


@VERBS.add("backoff", can_fail=False)
@dataclass(frozen=True, slots=True)
class Backoff(Deed):
    """Journeys only: a client's wait before it connects again."""

    actor: str


HOW = frozenset({"actor", "escape", "fragments", "interleave", "members"})
"""What of a `send` is no member of its message."""


def message_of(body: Mapping[str, Any]) -> Any:
    """What a `send` sends, before its values are rendered."""
    if "message" in body:
        return body["message"]
    written = {name: value for name, value in body.items() if name not in HOW}
    first = {name: written[name] for name in ("event", "payload") if name in written}
    return {**first, **written, **body.get("members", {})}


def _fragments(body: Mapping[str, Any]) -> Fragments:
    value = body.get("fragments")
    if value == 1:
        return None  # one frame, as any message
    return tuple(value) if isinstance(value, list) else value


def _part(value: list[int]) -> tuple[int, int]:
    number, count = value
    if not 1 <= number <= count:
        raise ValueError(f"part: expected its number and how many there are, such as [1, 2]; got {value!r}")
    return number, count


def _check_hexadecimal(value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise ValueError(f"hex: expected a string of hexadecimal digits, in quotes; got {value!r}")
    bytes.fromhex(value or "")
