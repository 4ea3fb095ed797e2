"""What AsyncAPI cannot say of an API: the roles of its messages (`contract.yaml`, format wsproof.contract/1).

Every role is optional. One that is declared switches its checks on; what is not declared is observed and never judged.
A list of outcomes has the permitted alternatives, the best one first. Durations are in seconds, sizes in bytes; paths
are dotted (`contract.paths`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

Side = Literal["server", "client"]
By = Literal["server", "client", "either"]
Owed = Literal["sender", "subscribers", "others", "all"]

NOTHING: Mapping[str, Any] = MappingProxyType({})

CAUSES = (
    "not-json",
    "malformed",
    "unknown-name",
    "invalid-payload",
    "other-direction",
    "forbidden",
    "not-subscribed",
    "binary",
    "too-large",
    "burst",
)
"""What `errors.reactions` may be about; `schemas/contract.schema.json` says what each is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way in which the endpoint may react: it closes with one of these codes, refuses the handshake with one of
    these statuses, or sends the error message (`error`), with this code if there is one.

    A close code is a number or a name of `close_codes`.
    """

    close: tuple[int | str, ...] = ()
    status: tuple[int, ...] = ()
    error: bool = False
    code: str | None = None


Outcomes = tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A message that is awaited: its name, what it must match, and the path of its id if it has one."""

    name: str
    match: Any = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Subprotocols:
    """What a client offers, and what the server selects; `otherwise`: what an offer without it leads to."""

    offer: tuple[str, ...] = ()
    selected: str | None = None
    otherwise: Outcomes = ()


@dataclass(frozen=True, slots=True)
class Authentication:
    """Where credentials travel, and how bad ones are refused.

    `where` is query, header, cookie, basic, subprotocol, message (the acknowledgement's own request carries them) or
    none. `expired`: what happens to a connection whose credentials expire.
    """

    where: str
    name: str | None = None
    refused: Outcomes = ()
    expired: Outcomes = ()


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What tells a client that its connection is established.

    `send` is what the client says first, if anything. `before`: what a message that comes too early leads to; `due`:
    what happens to a client that does not say it within `due_within` seconds; `again`: what a second one leads to.
    """

    expect: Awaited
    send: Any = None
    within: float | None = None
    before: Outcomes = ()
    due_within: float | None = None
    due: Outcomes = ()
    again: Outcomes = ()


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """One heartbeat. `every` None: it is answered and never awaited. `tolerance` is a fraction of `every`.

    `answer` is the answering message; None: none is due, or `replied`: the ping is a request, whose last reply answers
    it. `mute`: what happens to a side that does not answer within `timeout`.
    """

    by: By
    ping: Awaited
    ping_message: Any = None
    answer: Awaited | None = None
    replied: bool = False
    answer_message: Any = None
    every: float | None = None
    tolerance: float | None = None
    timeout: float | None = None
    mute: Outcomes = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A message that answers a request, found by its id. `last`: no other one follows; `failure`: it says no."""

    name: str
    id: str
    last: bool = False
    failure: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A message that asks for replies. `id` is the path of what its replies repeat; `within` None: the profile's
    response timeout. `outstanding`: how many a connection may have at once; `id_in_use`: what one more with the same id
    leads to."""

    by: Side
    name: str
    id: str
    replies: tuple[Reply, ...]
    cancel: Awaited | None = None
    outstanding: int | None = None
    id_in_use: Outcomes = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a well-behaved client replies by itself: `send` is a template over the message, `${message.PATH}`."""

    to: str
    send: Any


@dataclass(frozen=True, slots=True)
class Errors:
    """The error message: paths of its code, its text, and of the offending message's name and id.

    `codes` are the known ones with their meanings, all as texts. `reactions` say what a cause (one of `CAUSES`) leads
    to; one that is absent is observed, never judged.
    """

    name: str | None = None
    code: str | None = None
    text: str | None = None
    about: str | None = None
    about_id: str | None = None
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NOTHING)
    reactions: Mapping[str, Outcomes] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that messages carry at a path: strictly increasing, by `step` (None: by anything).

    `of` are the names of the messages that carry it; empty: any. `per` None: one count for the connection; else the
    path of what each count belongs to, such as a product or a topic.
    """

    at: str
    step: int | None = None
    per: str | None = None
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """The smallest exchange that shows that a message was understood; `${text}` in it is new each time.

    `prepare` has messages that make it possible. `most` is the longest text that it carries, in Unicode code points.
    `send_text`, `expect_text`: an endpoint that speaks no messages, such as an echo.
    """

    send: Any = None
    expect: tuple[Awaited, ...] = ()
    prepare: tuple[Mapping[str, Any], ...] = ()
    send_text: str | None = None
    expect_text: str | None = None
    most: int = 4_096

    @property
    def message(self) -> Any:
        """What is sent, whichever it is."""
        return self.send if self.send_text is None else self.send_text


@dataclass(frozen=True, slots=True)
class Subscription:
    """What asks for a flow. `send` is the message, a template over `${group}`; its `name` and the path of its group.

    `in_force`: what shows that it is: `own-delivery`, `reply`, or the name of a message.
    """

    name: str
    group: str | None = None
    send: Any = None
    in_force: str = "own-delivery"


@dataclass(frozen=True, slots=True)
class Post:
    """What a client posts: the paths of its group, and of the text (`stamp`) that tells it from others."""

    name: str
    stamp: str
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """What arrives of a post, and the paths of what it says."""

    name: str
    group: str | None = None
    stamp: str | None = None
    id: str | None = None
    time: str | None = None
    author: str | None = None
    author_name: str | None = None
    number: str | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """What is posted by one side and delivered to others. `post` None: the server posts."""

    key: str
    delivery: Delivery
    post: Post | None = None
    subscribe: Subscription | None = None
    unsubscribe: Subscription | None = None
    owed: Owed = "subscribers"
    metrics: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    """What a load test calls its latencies `reply` and `receive`, where not by the flow's key."""

    def metric(self, kind: str) -> str:
        """What a load test calls this latency."""
        return self.metrics.get(kind, f"{self.key}.{kind}")


@dataclass(frozen=True, slots=True)
class CloseCode:
    """A close code of the API and what it means."""

    code: int
    meaning: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class NameRule:
    """How a message's name is told: where `match` agrees (path → value), and `has` is there, it is `name`, or what
    stands at `at`."""

    match: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    has: str | None = None
    name: str | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class PartRule:
    """Where a message has the part that the document's schema describes; `at` None: it describes the whole."""

    at: str
    match: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Envelope:
    """A schema that all messages share, as a reference into the document, and the member that has the rest."""

    schema: str
    payload: str


@dataclass(frozen=True, slots=True)
class Messages:
    """How messages are told and read (`contract.codec`, `contract.naming`)."""

    name: tuple[NameRule, ...] = ()
    payload: tuple[PartRule, ...] = ()
    envelope: Envelope | None = None
    codec: Literal["json", "text", "pattern"] = "json"
    pattern: str | None = None
    """A regular expression whose groups become members, those of `json` parsed as JSON."""
    json: tuple[str, ...] = ()
    generate: frozenset[str] = frozenset()
    """Messages of which generated ones may be sent."""


@dataclass(frozen=True, slots=True)
class Roles:
    """A contract's roles. `title` and `description` are for people; without a title, it is the document's."""

    title: str | None = None
    description: str | None = None
    describes: Side = "server"
    include: tuple[str, ...] = ()
    path: str | None = None
    channels: tuple[str, ...] = ()
    """The document's channels that this endpoint serves; empty: all."""
    subprotocols: Subprotocols = field(default_factory=Subprotocols)
    authentication: Authentication | None = None
    sessions_per_user: int | None = None
    history: str = "none"
    messages: Messages = field(default_factory=Messages)
    limits: Mapping[str, int] = field(default_factory=lambda: NOTHING)
    """`message_bytes` of a whole message in bytes, `text_length` in Unicode code points."""
    reconnect: Mapping[str, Any] | None = None
    acknowledgement: Acknowledgement | None = None
    heartbeats: tuple[Heartbeat, ...] = ()
    requests: tuple[Request, ...] = ()
    answers: tuple[Answer, ...] = ()
    errors: Errors = field(default_factory=Errors)
    numbers: tuple[Number, ...] = ()
    close_codes: Mapping[str, CloseCode] = field(default_factory=lambda: NOTHING)
    probe: Probe | None = None
    flows: tuple[Flow, ...] = ()

    @property
    def counted(self) -> tuple[Number, ...]:
        """The numbers of messages, those of flows among them."""
        flows = (one.delivery for one in self.flows if one.delivery.number is not None)
        of_flows = (Number(one.number or "", one.step, one.group, (one.name,)) for one in flows)
        known = {(one.at, name) for one in self.numbers for name in one.of}
        return (*self.numbers, *(one for one in of_flows if (one.at, one.of[0]) not in known))

    @property
    def ends_of_one(self) -> Outcomes:
        """How the server ends the connection of a client that breaks the order of an otherwise valid exchange."""
        ack, refused = self.acknowledgement, self.authentication.refused if self.authentication is not None else ()
        return (
            *((*ack.before, *ack.due, *ack.again) if ack is not None else ()),
            *(outcome for one in self.requests for outcome in one.id_in_use),
            *(refused if ack is not None and ack.send is not None else ()),
        )
