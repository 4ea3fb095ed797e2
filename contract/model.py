"""The contract: an AsyncAPI document and the roles of its messages, as events with compiled validators."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

from referencing import Registry
from referencing.exceptions import Unresolvable

from contract.asyncapi.declarations import DeclaredMessage, Note
from contract.asyncapi.document import read_asyncapi
from contract.choices import Limits
from contract.codec import Codec, JsonCodec, codec_of
from contract.declared import Declared, undeclared
from contract.errors import ContractError
from contract.findings import Phrase, phrase
from contract.folder import ContractFolder
from contract.instances import NONE, instance
from contract.json_text import code_text
from contract.naming import Naming, kind_of
from contract.paths import agrees, by_index, value_at
from contract.role_check import check_roles
from contract.roles import Acknowledgement, Errors, Flow, Heartbeat, Roles, Side
from contract.schemas import (
    Validator,
    Violation,
    compile_schema,
    file_registry,
    pointer,
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
    notes: tuple[Note, ...] = field(default=(), repr=False, compare=False)
    """What of the document could not be told, is broken, or is not checked."""
    schemas: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The document's schemas that have names (`components.schemas`)."""

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
        at = self.name_member
        if at is None or not isinstance(value, dict) or self.name_of(value, "client") == name:
            return value
        return {**value, at: name}

    @property
    def name_member(self) -> str | None:
        """The member that has a message's name, whatever the message; None: it is told otherwise."""
        at = next((one.at for one in self.roles.messages.name if one.at is not None and not one.match), None)
        return at if at is not None and "." not in at and not by_index([at]) else None

    @property
    def errors(self) -> Errors:
        """How errors are reported."""
        return self.roles.errors

    def reports_error(self, event: str | None) -> bool:
        """Whether a message of this name is the error message."""
        return event is not None and event == self.roles.errors.name

    def error_code(self, value: Any) -> str | None:
        """The code that an error message carries, as text; None where it has none.

        A number is one only where the contract's own codes are numbers.
        """
        found = value_at(value, self.errors.code) if self.errors.code is not None else None
        if isinstance(found, str) or any(one.lstrip("-").isdecimal() for one in self.errors.codes):
            return code_text(found)
        return None

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

    def keeps(self, name: str, value: Any) -> bool:
        """Whether a value is valid for the document's schema, or its message, of a name; False: there is neither."""
        validator = _validator_of(self, name)
        return validator is not None and not any(validator.iter_errors(value))

    def has_schema(self, name: str) -> bool:
        """Whether the document has a schema that can be read, or a message, of this name."""
        return _validator_of(self, name) is not None

    def undeclared_members(self, event: str, value: Any) -> tuple[str, ...]:
        """JSON pointers of the members that the contract does not name. KeyError: unknown event."""
        path, part = self.part_of(value)
        found = undeclared(part, self.events[event].declared, tuple(path.split(".")) if path else ())
        # A group of the codec's pattern stands in every message: the endpoint did not add it.
        return tuple(one for one in found if path or one.removeprefix("/") not in self.codec.members)


@cache
def _validator_of(contract: Contract, name: str) -> Validator | None:
    if name in contract.events:
        return contract.events[name].message
    if name not in contract.schemas:
        return None
    validator = compile_schema(contract.schemas[name], contract.registry)
    try:
        violations(validator, {})
    except (Unresolvable, ContractError):
        return None  # the document's reader has noted what is broken in it
    return validator


class _Reader:
    """Turns a contract folder into a `Contract`."""

    def __init__(self, folder: ContractFolder, path: Path, limits: Limits | None) -> None:
        self.folder = folder
        self.limits = limits
        self.api = read_asyncapi(path, self._with_limits)
        self.registry = self.api.registry

    def _with_limits(self, schema: Any) -> Any:
        """A profile may change a limit: the schema marks the place with `x-limit`."""
        if isinstance(schema, list):
            return [self._with_limits(one) for one in schema]
        if not isinstance(schema, dict):
            return schema
        changed = {name: self._with_limits(member) for name, member in schema.items()}
        name = schema.get("x-limit")
        if isinstance(name, str) and self.limits is not None and hasattr(self.limits, name):
            changed["maxLength"] = getattr(self.limits, name)
        return changed

    def read(self) -> Contract:
        declared = [one for one in self.api.messages.values() if one.actions and self._is_served(one)]
        events = {one.name: self._event(one) for one in declared}
        naming = self._naming(declared)
        return Contract(
            self.folder,
            title=self.folder.roles.title or self.api.title,
            version=self.api.version,
            events=events,
            naming=naming,
            registry=self.registry,
            codec=self._codec(),
            envelope=self._envelope(),
            notes=self.api.notes,
            schemas=self._schemas(),
        )

    def _schemas(self) -> Mapping[str, Any]:
        """References to the schemas that have names."""
        components = self.api.document.value.get("components")
        found = components.get("schemas") if isinstance(components, dict) else None
        names = found if isinstance(found, dict) else {}
        place = f"{self.api.document.path.resolve().as_uri()}#/components/schemas"
        return {name: {"$ref": f"{place}{quote(pointer((name,)))}"} for name in names}

    def _is_served(self, one: DeclaredMessage) -> bool:
        """Whether a message belongs to the channels of this endpoint."""
        channels = self.folder.roles.channels
        return not channels or not one.channels or bool({*channels} & {*one.channels})

    def _senders(self, one: DeclaredMessage) -> frozenset[Side]:
        """The sides that send a message: the described application `send`s, and its peer what it `receive`s."""
        described = self.folder.roles.describes
        other: Side = "client" if described == "server" else "server"
        return frozenset(described if action == "send" else other for action in one.actions)

    def _naming(self, declared: Iterable[DeclaredMessage]) -> Naming:
        under = {one.at for one in self.folder.roles.messages.payload}
        kinds = [
            kind_of(
                one.name,
                self._senders(one),
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
        reference = urljoin(self.api.document.path.resolve().as_uri(), envelope.schema)
        validator = compile_schema({"$ref": reference}, self.registry)
        try:
            violations(validator, {})
        except (Unresolvable, ContractError) as error:
            where = ("messages", "envelope", "schema")
            raise self.folder.error(f"messages.envelope.schema: {_reason(error)}", *where) from None
        return validator

    def _event(self, one: DeclaredMessage) -> Event:
        name, schema = one.name, one.schema
        problem = schema_problem(schema) if isinstance(schema, dict) else None
        if problem is not None:
            raise self.api.document.error(f"message {name!r}: {problem}", one.where)
        try:
            message = compile_schema(schema, self.registry)
            payload = self._payload(schema, message)
            # References are looked up lazily: one dry run shows a broken one now and not at the first message.
            violations(message, {})
            violations(payload, {})
        except (Unresolvable, ContractError) as error:
            raise self.api.document.error(f"message {name!r}: {_reason(error)}", one.where) from None
        declared = Declared([schema], self.registry)
        examples = tuple(example.payload for example in one.examples)
        return Event(name, self._senders(one), message, payload, declared, examples, one.replies)

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
    if folder.asyncapi is not None:
        reader = _Reader(folder, folder.asyncapi, limits)
        contract = reader.read()
        check_roles(contract, reader.api.channels)
        return contract
    try:
        codec = codec_of(folder.roles.messages)
    except ValueError as error:
        raise folder.error(f"messages.codec: {error}", "messages", "codec") from None
    naming = Naming((), folder.roles.messages.name)
    contract = Contract(folder, folder.roles.title or folder.name, "", {}, naming, file_registry(), codec)
    check_roles(contract, {})
    return contract
