"""What happened in one scenario: connections, messages both ways, and the transcript for people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.play.transcript import Direction, Entry, Transcript
from conformance.transport.exchange import CloseReceived, Ended, Opened, Received, Refused
from contract.findings import Phrase, Text, phrase
from contract.json_text import JsonTextError
from contract.model import Contract
from contract.redaction import Redactor
from wire.frames import Opcode

OUTER = 200
"""Messages that are held against the schemas, which takes its time, from the start of a scenario and from its end.
A usual scenario has ten; a flood has too many."""

SMALLEST_BUFFER = 1_000
"""Bytes that every transport fills before it cuts a message into frames (ENV-01)."""

UNPARSED = object()
"""Stands for the value of a message that is not JSON."""


@dataclass(slots=True)
class Conversation:
    """One connection of an actor, from its handshake to its end."""

    actor: str
    user: str
    number: int
    token: str | None
    opened: Opened | None = None
    refused: Refused | None = None
    close_received: CloseReceived | None = None
    ended: Ended | None = None
    usual: bool = True
    """Nothing was done for which a server may end it."""
    left: float | None = None
    """When we closed it, or vanished."""
    unread_since: float | None = None
    """When we first stopped reading from it: from then on nothing is owed to it, and what it gets may have gaps."""
    received: list["Message"] = field(default_factory=list)
    sent: list["Sent"] = field(default_factory=list)
    subprotocols: tuple[str, ...] = ()
    heard: bool = False
    """Whether a message ever came."""

    @property
    def is_open(self) -> bool:
        """Whether messages may still arrive."""
        return self.opened is not None and self.close_received is None and self.ended is None

    @property
    def closing(self) -> bool:
        """Whether we closed it, or vanished."""
        return self.left is not None

    def leave(self, t: float) -> None:
        """We close the connection, or vanish from it."""
        self.left = t if self.left is None else self.left

    def stayed(self, until: float) -> float:
        """The time up to which both sides kept the connection and read from it, `until` at the latest."""
        if self.opened is None:
            return 0.0
        ends = [one.t for one in (self.close_received, self.ended) if one is not None]
        ends += [one for one in (self.left, self.unread_since) if one is not None]
        return min(ends, default=until)


@dataclass(slots=True)
class Message:
    """A message of the server. `value` is `UNPARSED` where `problem` says why it is no JSON text."""

    t: float
    conversation: Conversation
    opcode: int
    text: str
    value: Any
    problem: Phrase | None
    fragments: tuple[int, ...] = ()
    event: str | None = None
    """The message's name, where one can be told."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of ours; `value` is None where it was sent as raw text or bytes, `plain` where it was sent in the
    usual form: one text frame, uncompressed, without needless escapes. `event` is its name, where one can be told."""

    t: float
    conversation: Conversation
    value: Any
    text: str
    plain: bool = False
    event: str | None = None


def read_message(happening: Received, conversation: Conversation, contract: Contract) -> Message:
    """Decode and parse what the server sent; never raises."""
    try:
        text = happening.data.decode("utf-8")
    except UnicodeDecodeError as error:
        shown = happening.data.decode("utf-8", "backslashreplace")
        problem = phrase("not-utf-8", byte=error.start)
        return Message(happening.t, conversation, happening.opcode, shown, UNPARSED, problem, happening.fragments)
    try:
        value, wrong = contract.codec.decode(text), None
    except JsonTextError as error:
        value, wrong = UNPARSED, error.problem
    event = contract.name_of(value) if wrong is None else None
    return Message(happening.t, conversation, happening.opcode, text, value, wrong, happening.fragments, event)


class Record:
    """Collects one scenario's history; the secrets are masked in what people see of it."""

    def __init__(self, started: float, secrets: Iterable[str], minted: Sequence[str] = ()) -> None:
        self.started = started
        self.ended = started
        """When the scenario was over."""
        self.stalls: list[tuple[float, float]] = []
        """When a wait overslept, and for how many seconds: the machine held the tester up."""
        self.conversations: list[Conversation] = []
        self._redactor = Redactor(secrets, minted)
        self.transcript = Transcript(self._redactor)
        self.saw_messages = False

    @property
    def entries(self) -> list[Entry]:
        """The lines of the transcript that were kept."""
        return self.transcript.entries

    def held_up(self, since: float) -> float:
        """Seconds that this tester was held up after `since`, all in all."""
        return sum(seconds for at, seconds in self.stalls if at >= since)

    def mask(self, text: str) -> str:
        """The text without any token of the profile."""
        return self._redactor.redact(text)

    def shown(self, text: str) -> str:
        """The text as it is shown to people: bounded, and without any token of the profile."""
        return self.mask(cut(text))

    def note(
        self,
        t: float,
        actor: str | None,
        direction: Direction,
        kind: str,
        data: Text,
        event: str | None = None,
    ) -> None:
        """Add a line to the transcript."""
        self.transcript.add(Entry(round(max(t - self.started, 0.0), 6), actor, direction, kind, event, data))

    def release(self) -> None:
        """Give the messages' memory back; the transcript keeps what people see."""
        self.saw_messages = bool(self.messages)
        for conversation in self.conversations:
            conversation.received.clear()
            conversation.sent.clear()
            if conversation.opened is not None:
                conversation.opened = replace(conversation.opened, headers=())
            if conversation.refused is not None:
                conversation.refused = replace(conversation.refused, headers=(), body=b"")

    @property
    def messages(self) -> list[Message]:
        """Every message of the server, connection by connection."""
        return [message for conversation in self.conversations for message in conversation.received]


def close_frame(code: int | None, reason: str) -> Text:
    """What a close frame says."""
    return phrase("no-code") if code is None else f"{code} {reason}".rstrip()


def tcp_end(ended: Ended) -> Phrase:
    """How a TCP connection ended."""
    end = phrase(f"tcp-{ended.how}")
    return end if ended.detail is None else phrase("with-detail", what=end, detail=ended.detail)


def is_cut(fragments: tuple[int, ...]) -> bool:
    """Whether a message in frames of so many bytes was cut by its sender, and not by a transport's full buffer.

    Boost.Beast cuts at 4,096 bytes, gorilla just before, Tomcat at 8,192; what streams (nhooyr's `wsjson`) ends with
    an empty frame. An application has no say in it, and RFC 6455 §5.4 gives it no meaning.
    """
    filled = [size for size in fragments if size]
    return any(size < SMALLEST_BUFFER for size in filled[:-1])


def cut(text: str, limit: int = 2_000) -> str:
    """A text for people, bounded."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def outer(messages: list[Message]) -> list[Message]:
    """The first and the last ones, where there are very many."""
    return messages if len(messages) <= 2 * OUTER else messages[:OUTER] + messages[-OUTER:]


def kind_of(opcode: int) -> str:
    """The transcript's word for a frame."""
    names = {Opcode.TEXT: "message", Opcode.BINARY: "binary", Opcode.PING: "ping", Opcode.PONG: "pong"}
    return names.get(Opcode(opcode), "frame") if opcode in Opcode._value2member_map_ else "frame"
