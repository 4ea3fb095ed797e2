"""The contract: an AsyncAPI document and the roles of its messages, as events with compiled validators."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urljoin

from referencing import Registry
from referencing.exceptions import Unresolvable

from contract.choices import Limits
from contract.codec import Codec, JsonCodec, codec_of
from contract.declared import Declared, undeclared
from contract.errors import ContractError
from contract.files import Document, load_yaml
from contract.findings import Phrase, phrase
from contract.folder import ContractFolder
from contract.instances import NONE, instance
from contract.naming import Naming, kind_of
from contract.paths import agrees, value_at
from contract.roles import Acknowledgement, Errors, Flow, Heartbeat, Roles, Side
from contract.schemas import (
    Validator,
    Violation,
    compile_schema,
    file_registry,
    resolved,
    schema_problem,
    violations,
)
from contract.templates import filled


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of message; `senders` are the sides that may send it.

    `message` validates what the document describes: the whole, or the part that the contract says (`Contract.part_of`).
    `payload` validates what stands in the envelope, where there is one; else it is the same.
    """

    name: str
    senders: frozenset[Side]
    message: Validator = field(repr=False, compare=False)
    payload: Validator = field(repr=False, compare=False)
    declared: Declared = field(repr=False, compare=False)
    examples: tuple[Any, ...] = field(default=(), repr=False, compare=False)
    replies: tuple[str, ...] = ()

    @property
    def from_server(self) -> bool:
        """Whether the server may send it."""
        return "server" in self.senders

    @property
    def from_client(self) -> bool:
        """Whether a client may send it."""
        return "client" in self.senders


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """What the API promises. All validators are compiled once."""

    folder: ContractFolder
    title: str
    version: str
    events: Mapping[str, Event]
    naming: Naming = field(repr=False, compare=False)
    registry: Registry[Any] = field(repr=False, compare=False)
    codec: Codec = field(default_factory=JsonCodec, repr=False, compare=False)
    envelope: Validator | None = field(default=None, repr=False, compare=False)

    @property
    def roles(self) -> Roles:
        """The roles of its messages."""
        return self.folder.roles

    # Names

    def name_of(self, value: Any, side: Side = "server") -> str | None:
        """The name of a message of a side; None where it bears none, and a text where it bears an unknown one."""
        return self.naming(value, side)

    def named(self, side: Side) -> list[str]:
        """The names of the messages of a side, sorted."""
        return sorted(one.name for one in self.events.values() if side in one.senders)

    # Roles

    @property
    def acknowledgement(self) -> Acknowledgement | None:
        """What acknowledges a connection; None: its handshake does."""
        return self.roles.acknowledgement

    @property
    def ack_event(self) -> str | None:
        """The name of the acknowledgement; None: there is none."""
        return self.roles.acknowledgement.expect.name if self.roles.acknowledgement is not None else None

    def acknowledges(self, event: str | None) -> bool:
        """Whether a message of this name acknowledges a connection."""
        return event is not None and event == self.ack_event

    @property
    def heartbeat(self) -> Heartbeat | None:
        """The heartbeat that a server begins; None: there is none."""
        return next((one for one in self.roles.heartbeats if one.by != "client"), None)

    @property
    def ping_event(self) -> str | None:
        """The name of the server's ping; None: there is none."""
        return self.heartbeat.ping.name if self.heartbeat is not None else None

    def pings(self, event: str | None) -> bool:
        """Whether a message of this name is the server's ping."""
        return event is not None and event == self.ping_event

    def pong(self, ping: Any) -> Any:
        """The answer to a ping of the server; None: none is due."""
        beat = self.heartbeat
        if beat is None or beat.answer is None:
            return None
        if beat.answer_message is not None:
            return filled(beat.answer_message, ping)
        return self.example(beat.answer.name)

    def example(self, name: str) -> Any:
        """A valid message of this name, the smallest where the document has none; None where none is found."""
        event = self.events.get(name)
        if event is None:
            return None
        if event.examples:
            return event.examples[0]
        found = instance(event.message.schema, self.registry, event.message)
        return None if found is NONE else self._named(found, name)

    def _named(self, value: Any, name: str) -> Any:
        """A message that bears its name, where a schema leaves that open."""
        at = next((rule.at for rule in self.roles.messages.name if rule.at is not None and not rule.match), None)
        if at is None or "." in at or not isinstance(value, dict) or self.name_of(value, "client") == name:
            return value
        return {**value, at: name}

    @property
    def errors(self) -> Errors:
        """How errors are reported."""
        return self.roles.errors

    def reports_error(self, event: str | None) -> bool:
        """Whether a message of this name is the error message."""
        return event is not None and event == self.roles.errors.name

    def error_code(self, value: Any) -> Any:
        """The code that an error message carries; None where it has none."""
        return value_at(value, self.errors.code) if self.errors.code is not None else None

    @property
    def flow(self) -> Flow | None:
        """What clients post and others receive; None: there is no such flow."""
        return next((one for one in self.roles.flows if one.post is not None and one.delivery.stamp is not None), None)

    def delivers(self, event: str | None) -> bool:
        """Whether a message of this name is a delivery of the flow."""
        return self.flow is not None and event == self.flow.delivery.name

    # Validity

    def part_of(self, value: Any) -> tuple[str, Any]:
        """The part of a message that the document describes, behind its path (empty: the whole)."""
        for rule in self.roles.messages.payload:
            if agrees(value, rule.match):
                return rule.at, value_at(value, rule.at)
        return "", value

    def check_envelope(self, value: Any) -> tuple[Violation, ...]:
        """How a parsed message breaks the envelope; empty where it does not, or there is none."""
        return violations(self.envelope, value) if self.envelope is not None else ()

    def check_payload(self, event: str, value: Any) -> tuple[Violation, ...]:
        """How a message breaks its event's schema, its envelope apart.

        Pointers start at what `payload_path` names. KeyError: unknown event.
        """
        found = self.events[event]
        envelope = self.roles.messages.envelope
        if self.envelope is None or envelope is None:
            return violations(found.message, self.part_of(value)[1])
        if not isinstance(value, dict) or envelope.payload not in value:
            return ()  # that is the envelope's matter
        return violations(found.payload, value[envelope.payload])

    def payload_path(self, value: Any) -> str:
        """The path at which a message has what `check_payload` judges; empty: it is the whole."""
        envelope = self.roles.messages.envelope
        return envelope.payload if envelope is not None else self.part_of(value)[0]

    def placed(self, violation: Violation, value: Any) -> Phrase:
        """Where a violation of `check_payload` is in a message, and what is wrong there."""
        path = self.payload_path(value)
        place = path.replace(".", "/") + violation.pointer
        return phrase("at", place=place or phrase("the-message"), problem=violation.problem)

    def undeclared_members(self, event: str, value: Any) -> tuple[str, ...]:
        """JSON pointers of the members that the contract does not name. KeyError: unknown event."""
        path, part = self.part_of(value)
        return tuple(undeclared(part, self.events[event].declared, tuple(path.split(".")) if path else ()))


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A message of the document."""

    name: str
    senders: frozenset[Side]
    schema: Any
    where: tuple[str, ...]
    examples: tuple[Any, ...] = ()
    replies: tuple[str, ...] = ()


class _Reader:
    """Turns a contract folder into a `Contract`."""

    def __init__(self, folder: ContractFolder, document: Document, limits: Limits | None) -> None:
        self.folder = folder
        self.document = document
        self.limits = limits
        self.registry = file_registry(self._with_limits)

    def _with_limits(self, schema: Any) -> Any:
        """A profile may change a limit: the schema marks the place with `x-limit`."""
        if isinstance(schema, list):
            return [self._with_limits(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        changed = {name: self._with_limits(member) for name, member in schema.items()}
        name = schema.get("x-limit")
        if isinstance(name, str) and self.limits is not None:
            changed["maxLength"] = getattr(self.limits, name)
        return changed

    def _absolute(self, schema: Any, base: str) -> Any:
        """Make every relative `$ref` absolute, so that a part of the document can be compiled alone."""
        if isinstance(schema, list):
            return [self._absolute(one, base) for one in schema]
        if not isinstance(schema, dict):
            return schema
        return {
            name: urljoin(base, member) if name == "$ref" and isinstance(member, str) else self._absolute(member, base)
            for name, member in schema.items()
        }

    def read(self) -> Contract:
        value = self.document.value
        value = self._with_limits(self._absolute(value, self.document.path.resolve().as_uri()))
        declared = list(self._declarations(value))
        events = {one.name: self._event(one) for one in declared}
        return Contract(
            self.folder,
            title=value["info"]["title"],
            version=value["info"]["version"],
            events=events,
            naming=self._naming(declared),
            registry=self.registry,
            codec=self._codec(),
            envelope=self._envelope(),
        )

    def _naming(self, declared: Iterable[_Declaration]) -> Naming:
        under = {one.at for one in self.folder.roles.messages.payload}
        kinds = [
            kind_of(
                one.name,
                one.senders,
                one.schema,
                lambda schema: resolved(schema, self.registry),
                next(iter(under)) if len(under) == 1 else "",
            )
            for one in declared
        ]
        return Naming(kinds, self.folder.roles.messages.name)

    def _codec(self) -> Codec:
        try:
            return codec_of(self.folder.roles.messages)
        except ValueError as error:
            raise self.folder.error(f"messages.codec: {error}", "messages", "codec") from None

    def _envelope(self) -> Validator | None:
        envelope = self.folder.roles.messages.envelope
        if envelope is None:
            return None
        reference = urljoin(self.document.path.resolve().as_uri(), envelope.schema)
        validator = compile_schema({"$ref": reference}, self.registry)
        try:
            violations(validator, {})
        except (Unresolvable, ContractError) as error:
            raise self.folder.error(
                f"messages.envelope.schema: {_reason(error)}", "messages", "envelope", "schema"
            ) from None
        return validator

    def _declarations(self, value: Mapping[str, Any]) -> Iterator[_Declaration]:
        senders: dict[str, Side] = {}
        for operation in value["operations"].values():
            side: Side = "server" if operation["action"] == "send" else "client"
            for message in operation["messages"]:
                senders[message["$ref"].rpartition("/")[2]] = side
        for name, message in value["components"]["messages"].items():
            where = ("components", "messages", name)
            if name not in senders:
                raise self.document.error(f"no operation sends or receives the message {name!r}", where)
            yield _Declaration(name, frozenset({senders[name]}), message["payload"], where)

    def _event(self, one: _Declaration) -> Event:
        name, schema = one.name, one.schema
        problem = schema_problem(schema)
        if problem is not None:
            raise self.document.error(f"message {name!r}: {problem}", one.where)
        try:
            message = compile_schema(schema, self.registry)
            payload = self._payload(schema, message)
            # References are looked up lazily: one dry run shows a broken one now and not at the first message.
            violations(message, {"event": name, "payload": {}})
            violations(payload, {})
        except (Unresolvable, ContractError) as error:
            raise self.document.error(f"message {name!r}: {_reason(error)}", one.where) from None
        declared = Declared([schema], self.registry)
        return Event(name, one.senders, message, payload, declared, one.examples, one.replies)

    def _payload(self, schema: Any, whole: Validator) -> Validator:
        """The schema of what stands in the envelope."""
        envelope = self.folder.roles.messages.envelope
        if envelope is None:
            return whole
        parts = list(resolved(schema, self.registry))
        inside = [
            part["properties"][envelope.payload] for part in parts if envelope.payload in part.get("properties", {})
        ]
        return compile_schema({"allOf": inside}, self.registry)


def _reason(error: BaseException) -> BaseException:
    """What a failed lookup failed for: the library wraps our own error, which knows the file and the line."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ContractError):
            return inner
        inner = inner.__cause__
    return error


@cache
def load_contract(folder: ContractFolder, limits: Limits | None = None) -> Contract:
    """Read a contract. `limits` replaces the lengths that its schemas mark with `x-limit`. Raises `ContractError`."""
    if folder.asyncapi is None:
        reader_codec = codec_of(folder.roles.messages)
        return Contract(folder, folder.name, "", {}, Naming(()), file_registry(), reader_codec)
    return _Reader(folder, load_yaml(folder.asyncapi), limits).read()
