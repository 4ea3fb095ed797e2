"""The contract: an AsyncAPI document and its schemas as events with compiled validators."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin

from referencing import Registry
from referencing.exceptions import Unresolvable

from contract.choices import Limits
from contract.errors import ContractError
from contract.files import DATA_ROOT, Document, load_yaml
from contract.mistakes import check_document
from contract.schemas import (
    Validator,
    Violation,
    compile_schema,
    file_registry,
    pointer,
    schema_problem,
    violations,
)

Side = Literal["server", "client"]


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of message; `sender` is the side that may send it."""

    name: str
    sender: Side
    message: Validator = field(repr=False, compare=False)
    payload: Validator = field(repr=False, compare=False)
    declared: "Declared" = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a post and its deliveries carry what they are about (`x-delivery`): dotted paths into messages."""

    join: Mapping[str, str]
    post: Mapping[str, str]
    delivery: Mapping[str, str]
    error: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contract:
    """What the API promises. All validators are compiled once."""

    title: str
    version: str
    events: Mapping[str, Event]
    extensions: Mapping[str, Any]
    delivery: Delivery | None
    envelope: Validator = field(repr=False, compare=False)
    registry: Registry[Any] = field(repr=False, compare=False)

    @property
    def ack_event(self) -> str:
        """The event that acknowledges a connection."""
        return str(self.extensions["x-acknowledgement"]["event"])

    @property
    def ping_event(self) -> str:
        """The heartbeat's event that the server sends."""
        return str(self.extensions["x-heartbeat"]["ping"])

    @property
    def pong_event(self) -> str:
        """The heartbeat's event that the client answers with."""
        return str(self.extensions["x-heartbeat"]["pong"])

    def check_envelope(self, value: Any) -> tuple[Violation, ...]:
        """How a parsed message breaks the envelope; empty where it does not."""
        return violations(self.envelope, value)

    def check_payload(self, event: str, payload: Any) -> tuple[Violation, ...]:
        """How a payload breaks its event's schema; pointers start at the payload. KeyError: unknown event."""
        return violations(self.events[event].payload, payload)

    def undeclared_members(self, message: Any) -> tuple[str, ...]:
        """JSON pointers of the members that the contract does not name, in a message of a known event."""
        return tuple(_undeclared(message, self.events[message["event"]].declared, ()))


def value_at(message: Any, path: str) -> Any:
    """The value at a dotted path such as `payload.message.id`; None where there is none."""
    for name in path.split("."):
        if not isinstance(message, dict) or name not in message:
            return None
        message = message[name]
    return message


def resolved(schema: Any, registry: Registry[Any]) -> Iterator[Mapping[str, Any]]:
    """The schema and all that it draws in through `$ref` and `allOf`."""
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from resolved(registry.resolver().lookup(schema["$ref"]).contents, registry)
    for part in schema.get("allOf", ()):
        yield from resolved(part, registry)


class Declared:
    """What the contract names at one place of a message. Places further in are looked up once, when first asked for."""

    def __init__(self, schemas: Iterable[Any], registry: Registry[Any]) -> None:
        self._parts = [part for schema in schemas for part in resolved(schema, registry)]
        self._registry = registry
        self._inside: dict[str | None, Declared] = {}
        self.names = frozenset(name for part in self._parts for name in part.get("properties", ()))
        self.anything = not any("properties" in part for part in self._parts)

    def member(self, name: str) -> "Declared":
        """Inside the member of that name."""
        return self._at(name, (part["properties"][name] for part in self._parts if name in part.get("properties", ())))

    def permits(self, value: Any) -> bool:
        """Whether a valid message may have this value here."""
        return not any(any(compile_schema(part, self._registry).iter_errors(value)) for part in self._parts)

    def permits_type(self, name: str) -> bool:
        """Whether a valid message may have a value of this JSON type here."""
        names = {name, "number"} if name == "integer" else {name}
        types = (part["type"] for part in self._parts if "type" in part)
        return all(names & {*([known] if isinstance(known, str) else known)} for known in types)

    def items(self) -> "Declared":
        """Inside an item of a list."""
        return self._at(None, (part["items"] for part in self._parts if "items" in part))

    def _at(self, key: str | None, schemas: Iterable[Any]) -> "Declared":
        if key not in self._inside:
            self._inside[key] = Declared(schemas, self._registry)
        return self._inside[key]


def _undeclared(value: Any, declared: Declared, path: tuple[str | int, ...]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in declared.names:
                yield from _undeclared(inner, declared.member(name), (*path, name))
            elif not declared.anything:
                yield pointer((*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _undeclared(inner, declared.items(), (*path, index))


def _reason(error: BaseException) -> BaseException:
    """What a failed lookup failed for: the library wraps our own error, which knows the file and the line."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ContractError):
            return inner
        inner = inner.__cause__
    return error


class _Reader:
    """Turns an AsyncAPI document into a `Contract`."""

    def __init__(self, document: Document, limits: Limits | None) -> None:
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
        check_document(self.document, "asyncapi-extensions")
        value = self._with_limits(self._absolute(value, self.document.path.resolve().as_uri()))
        events = {event.name: event for event in self._events(value)}
        self._check_names(value, events)
        delivery = value.get("x-delivery")
        return Contract(
            title=value["info"]["title"],
            version=value["info"]["version"],
            events=events,
            extensions={name: member for name, member in value.items() if name.startswith("x-")},
            delivery=Delivery(**delivery) if delivery else None,
            envelope=compile_schema(value["components"]["schemas"]["envelope"], self.registry),
            registry=self.registry,
        )

    def _events(self, value: Mapping[str, Any]) -> Iterator[Event]:
        senders: dict[str, Side] = {}
        for operation in value["operations"].values():
            side: Side = "server" if operation["action"] == "send" else "client"
            for message in operation["messages"]:
                senders[message["$ref"].rpartition("/")[2]] = side
        for name, message in value["components"]["messages"].items():
            where = ("components", "messages", name)
            if name not in senders:
                raise self.document.error(f"no operation sends or receives the message {name!r}", where)
            yield self._event(name, senders[name], message["payload"], where)

    def _event(self, name: str, sender: Side, schema: Any, where: tuple[str, ...]) -> Event:
        problem = schema_problem(schema)
        if problem is not None:
            raise self.document.error(f"message {name!r}: {problem}", where)
        try:
            parts = list(resolved(schema, self.registry))
            payloads = [part["properties"]["payload"] for part in parts if "payload" in part.get("properties", {})]
            message = compile_schema(schema, self.registry)
            payload = compile_schema({"allOf": payloads}, self.registry)
            # References are looked up lazily: one dry run shows a broken one now and not at the first message.
            violations(message, {"event": name, "payload": {}})
            violations(payload, {})
        except (Unresolvable, ContractError) as error:
            raise self.document.error(f"message {name!r}: {_reason(error)}", where) from None
        return Event(name, sender, message, payload, Declared([schema], self.registry))

    def _check_names(self, value: Mapping[str, Any], events: Mapping[str, Event]) -> None:
        named = [("x-acknowledgement", "event"), ("x-heartbeat", "ping"), ("x-heartbeat", "pong")]
        for extension, member in named:
            name = value[extension][member]
            if name not in events:
                raise self.document.error(f"{extension}.{member}: no message {name!r}", (extension, member))


@cache
def load_contract(folder: Path | None = None, limits: Limits | None = None) -> Contract:
    """Read `asyncapi.yaml` of a folder; without one, the bundled contract.

    `limits` replaces the lengths that the schemas mark with `x-limit`. Raises `ContractError`.
    """
    path = (folder or DATA_ROOT / "spec" / "chat") / "asyncapi.yaml"
    return _Reader(load_yaml(path), limits).read()
