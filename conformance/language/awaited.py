"""What an actor expects: messages, silence, refusals, pongs, heartbeats, and the end of its connection."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from conformance.language.deed import Charge, Deed, Duration, Verbs, control_payload, event_of, names, said
from conformance.language.deeds import message_of
from conformance.language.matching import ANYTHING
from contract.findings import Phrase

VERBS = Verbs()
"""The verbs of what an actor expects."""


@dataclass(frozen=True, slots=True)
class Check:
    """A graded part of an expectation: a failure is charged, and the scenario goes on."""

    charge: Charge
    match: Any = field(default_factory=lambda: ANYTHING)
    message: Phrase | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """A check of an expectation, or what an outcome fails."""
        return cls(Charge(names(body["requirement"]), body.get("level")), body.get("match", ANYTHING), said(body))


@dataclass(frozen=True, slots=True)
class Expectation:
    """A message that is expected, and what of it is kept and checked.

    `event` is its name; None: any. `optional`: it need not come.
    """

    event: str | None
    match: Any = field(default_factory=lambda: ANYTHING)
    capture: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    optional: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """One of `expect_all`, or the whole of `expect`."""
        checks = tuple(map(Check.read, body.get("checks", ())))
        match, capture = body.get("match", ANYTHING), body.get("capture", {})
        return cls(event_of(body), match, capture, checks, bool(body.get("optional")))


@VERBS.add("expect", "expect_all")
@dataclass(frozen=True, slots=True)
class Expect(Deed):
    """Wait for messages: one, a set in any order, or a list in order."""

    actor: str
    of: tuple[Expectation, ...]
    listed: bool
    within: Duration

    @property
    def decides(self) -> bool:
        """Messages that need not come decide nothing."""
        return not all(one.optional for one in self.of)

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        of = tuple(map(Expectation.read, body.get("of", (body,))))
        usual = "quiet_period" if all(one.optional for one in of) else "response_timeout"
        return cls(body["actor"], of, body.get("order") == "listed", body.get("within", usual))


@VERBS.add("request")
@dataclass(frozen=True, slots=True)
class SendRequest(Deed):
    """Send a request, and wait for its replies in order; `of` empty: for all up to the last."""

    actor: str
    message: Any
    of: tuple[Expectation, ...]
    within: Duration

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        reply = body.get("reply", ())
        of = map(Expectation.read, reply if isinstance(reply, list | tuple) else [reply])
        return cls(body["actor"], message_of(body), tuple(of), body.get("within", "response_timeout"))


@dataclass(frozen=True, slots=True)
class Alternative:
    """One permitted outcome: a message, a close frame with one of some codes or with any, or the end of TCP.

    A message has a name or a match at least.
    """

    event: str | None = None
    match: Any = field(default_factory=lambda: ANYTHING)
    close: tuple[str | int, ...] = ()
    closed: bool = False
    end: bool = False
    enough: bool = False
    fails: Check | None = None

    @property
    def message(self) -> bool:
        """Whether it is a message."""
        return self.event is not None or self.match is not ANYTHING

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """One of `expect_one`."""
        return cls(
            event_of(body),
            body.get("match", ANYTHING),
            tuple(body.get("close", ())),
            bool(body.get("closed")),
            bool(body.get("end")),
            bool(body.get("enough")),
            Check.read(body["fails"]) if body.get("fails") else None,
        )


@VERBS.add("expect_one")
@dataclass(frozen=True, slots=True)
class ExpectOne(Deed):
    """Wait for the first of several outcomes; `next` judges only the first message of the named events."""

    actor: str
    of: tuple[Alternative, ...]
    within: Duration
    next: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        of = tuple(map(Alternative.read, body["of"]))
        return cls(body["actor"], of, body.get("within", "response_timeout"), bool(body.get("next")))


@VERBS.add("expect_nothing")
@dataclass(frozen=True, slots=True)
class ExpectNothing(Deed):
    """No such message comes, to any of these actors."""

    actors: tuple[str, ...]
    event: str | None
    match: Any
    duration: Duration

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        pattern, duration = body.get("match", ANYTHING), body.get("for", "quiet_period")
        return cls(tuple(body["actors"]), event_of(body), pattern, duration)


@VERBS.add("expect_close")
@dataclass(frozen=True, slots=True)
class ExpectClose(Deed):
    """A close frame with one of these codes."""

    actor: str
    codes: tuple[str | int, ...]
    within: Duration
    optional: bool = False
    after: Literal["now", "first_ping"] = "now"

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(
            body["actor"],
            tuple(body["codes"]),
            body.get("within", "response_timeout"),
            bool(body.get("optional")),
            body.get("after", "now"),
        )


@VERBS.add("expect_refusal")
@dataclass(frozen=True, slots=True)
class ExpectRefusal(Deed):
    """The handshake is refused with one of these statuses, or the connection closed with one of these codes."""

    actor: str
    statuses: tuple[int, ...] = ()
    codes: tuple[str | int, ...] = ()
    graded: tuple[str, ...] = ()
    plain: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(
            body["actor"],
            tuple(body.get("statuses", ())),
            tuple(body.get("codes", ())),
            names(body.get("graded")),
            bool(body.get("plain")),
        )


@VERBS.add("expect_handshake")
@dataclass(frozen=True, slots=True)
class ExpectHandshake(Deed):
    """The answer to the handshake is a right one (RFC 6455 §4.2.2).

    `selected`: the subprotocols that it may select (None: none); empty: any that was offered.
    """

    actor: str
    selected: tuple[str | None, ...] = ()

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(body["actor"], (body["subprotocol"],) if "subprotocol" in body else ())


@VERBS.add("expect_declined")
@dataclass(frozen=True, slots=True)
class ExpectDeclined(Deed):
    """The offered extension is declined."""

    actor: str


@VERBS.add("need_compression", can_fail=False)
@dataclass(frozen=True, slots=True)
class NeedCompression(Deed):
    """The rest is tried only if compression was agreed on."""

    actor: str


@VERBS.add("expect_pong")
@dataclass(frozen=True, slots=True)
class ExpectPong(Deed):
    """`or_end`: the end of the connection will do as well."""

    actor: str
    payload: bytes
    within: Duration
    or_end: bool = False

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        within = body.get("within", "response_timeout")
        return cls(body["actor"], control_payload(body), within, bool(body.get("or_end")))


@VERBS.add("expect_heartbeat")
@dataclass(frozen=True, slots=True)
class ExpectHeartbeat(Deed):
    """`meanwhile` is a message that is sent five times in each interval."""

    actor: str
    intervals: int
    meanwhile: Any = None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(body["actor"], body["intervals"], body.get("meanwhile"))


@VERBS.add("expect_open")
@dataclass(frozen=True, slots=True)
class ExpectOpen(Deed):
    """The connection stays open for so long."""

    actor: str
    duration: Duration

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Self:
        """`Deed.read`."""
        return cls(body["actor"], body["for"])
