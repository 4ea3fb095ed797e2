"""Scenarios as frozen dataclasses. Values in steps are templates; `conformance.language.values` renders them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from conformance.language.places import Source
from contract.findings import Phrase, Text
from contract.requirements import Level
from wire.deflate import Way

Duration = float | str
"""Seconds, or the name of a duration of the profile (`Stage.seconds`)."""

DURATIONS = ("ack_timeout", "response_timeout", "quiet_period", "heartbeat_limit", "heartbeat_watch", "expiry_limit")
"""Names of durations that every profile has."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What a step's failure is charged to; `level` None means the first clause's."""

    requirements: tuple[str, ...] = ()
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A graded part of an expectation: a failure is charged, and the scenario goes on."""

    charge: Charge
    match: Mapping[str, Any]
    message: Phrase | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    actor: str
    token: str | None = None
    token_text: str | None = None
    path: str | None = None
    headers: Mapping[str, str] | None = None
    subprotocols: tuple[str, ...] = ()
    deflate: bool | Mapping[str, Any] = False
    upgrade: bool = True
    accepted: bool = True
    narrow: bool = False


@dataclass(frozen=True, slots=True)
class RawFrame:
    opcode: int
    text: Any = None
    hex: str | None = None
    final: bool = True
    reserved_bits: int = 0
    masked: bool = True


Fragments = int | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class SendMessage:
    actor: str
    message: Any
    escape: bool = False
    fragments: Fragments = None
    interleave: bool = False


@dataclass(frozen=True, slots=True)
class SendRaw:
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


@dataclass(frozen=True, slots=True)
class Expectation:
    event: str
    match: Mapping[str, Any]
    capture: Mapping[str, str]
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for messages: one, a set in any order, or a list in order."""

    actor: str
    of: tuple[Expectation, ...]
    listed: bool
    within: Duration


@dataclass(frozen=True, slots=True)
class Alternative:
    """One permitted outcome: a message, a close frame with one of some codes or with any, or the end of TCP."""

    event: str | None = None
    match: Mapping[str, Any] | None = None
    close: tuple[str | int, ...] = ()
    closed: bool = False
    end: bool = False
    enough: bool = False
    fails: Check | None = None


@dataclass(frozen=True, slots=True)
class ExpectOne:
    """Wait for the first of several outcomes; `next` judges only the first message of the named events."""

    actor: str
    of: tuple[Alternative, ...]
    within: Duration
    next: bool = False


@dataclass(frozen=True, slots=True)
class ExpectNothing:
    actors: tuple[str, ...]
    event: str | None
    match: Mapping[str, Any]
    duration: Duration


@dataclass(frozen=True, slots=True)
class ExpectClose:
    actor: str
    codes: tuple[str | int, ...]
    within: Duration
    optional: bool = False
    after: Literal["now", "first_ping"] = "now"


@dataclass(frozen=True, slots=True)
class ExpectRefusal:
    actor: str
    statuses: tuple[int, ...] = ()
    codes: tuple[str | int, ...] = ()
    graded: tuple[str, ...] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True)
class ExpectHandshake:
    actor: str


@dataclass(frozen=True, slots=True)
class ExpectDeclined:
    actor: str


@dataclass(frozen=True, slots=True)
class NeedCompression:
    actor: str


@dataclass(frozen=True, slots=True)
class ExpectPong:
    """`or_end`: the end of the connection will do as well."""

    actor: str
    payload: bytes
    within: Duration
    or_end: bool = False


@dataclass(frozen=True, slots=True)
class ExpectHeartbeat:
    """`meanwhile` is a message that is sent five times in each interval."""

    actor: str
    intervals: int
    meanwhile: Any = None


@dataclass(frozen=True, slots=True)
class ExpectOpen:
    actor: str
    duration: Duration


@dataclass(frozen=True, slots=True)
class SendPing:
    actor: str
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class CloseConnection:
    actor: str
    code: int | None = 1000
    reason: str = ""
    answered: bool = True


@dataclass(frozen=True, slots=True)
class DropConnection:
    actor: str
    how: Literal["reset", "silence"] = "reset"


@dataclass(frozen=True, slots=True)
class StopReading:
    """Take nothing more from the socket. What the server then does with this connection is free."""

    actor: str


@dataclass(frozen=True, slots=True)
class ReadOn:
    """Read again."""

    actor: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Journeys only: for so long, or to the next multiple of a duration on the run's clock."""

    actor: str
    duration: Duration
    to_next: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """Journeys only: passes per second (open model), or None: one after the other (closed model)."""

    actor: str
    rate: float | Literal["rate"] | None
    times: int | None
    steps: "tuple[Step, ...]"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Journeys only: a client's wait before it connects again."""

    actor: str


Deed = (
    Connect
    | SendMessage
    | SendRaw
    | Expect
    | ExpectOne
    | ExpectNothing
    | ExpectClose
    | ExpectRefusal
    | ExpectHandshake
    | ExpectDeclined
    | NeedCompression
    | ExpectPong
    | ExpectHeartbeat
    | ExpectOpen
    | SendPing
    | CloseConnection
    | DropConnection
    | StopReading
    | ReadOn
    | Pause
    | Pace
    | Backoff
)


@dataclass(frozen=True, slots=True)
class Written:
    """A step as its author wrote it, with variants and parameters put in; `source` is the place of the step."""

    verb: str
    body: Mapping[str, Any]
    source: Source


@dataclass(frozen=True, slots=True)
class Step:
    """One deed of the script. `label` names it to people. `written` is None for a step that no file has."""

    deed: Deed
    charge: Charge
    label: Text
    written: Written | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Actor:
    """One client. `heartbeat`: answer pings, ignore them, or answer late (at half of the timeout); `numbered` and
    `with-members` answer with a pong that has a sequence, or members in its payload."""

    name: str
    user: str
    heartbeat: Literal["answer", "ignore", "late", "numbered", "with-members"] = "answer"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A script for several actors, and the requirements that it decides.

    `level`: it decides only the clauses of this level; None: all.
    """

    id: str
    title: str
    group: str
    verifies: tuple[str, ...]
    needs: tuple[str, ...]
    tags: tuple[str, ...]
    actors: tuple[Actor, ...]
    steps: tuple[Step, ...]
    path: Path
    line: int
    level: Level | None = None
    weight: float = 1.0
    title_ja: str | None = None
    source: Source | None = field(default=None, repr=False, compare=False)


Decided = tuple[str, Level | None]
"""A requirement and the level of the clause that is meant; None: the requirement's own."""

_UNDECIDING = (
    *(SendMessage, SendRaw, SendPing, DropConnection, StopReading, ReadOn),
    *(NeedCompression, Pause, Pace, Backoff),
)
"""Deeds that no endpoint can fail."""


def decided(step: Step, scenario: Scenario) -> set[Decided]:
    """What a step decides once it has been played; its graded parts say themselves what they decide."""
    deed = step.deed
    deciding = not isinstance(deed, _UNDECIDING)
    if isinstance(deed, Connect):
        deciding = deed.accepted
    elif isinstance(deed, CloseConnection):
        deciding = deed.answered
    names = (step.charge.requirements or scenario.verifies) if deciding else ()
    return {(name, step.charge.level) for name in names}


def flat(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps, those inside of `pace` as well."""
    for step in steps:
        yield step
        if isinstance(step.deed, Pace):
            yield from flat(step.deed.steps)
