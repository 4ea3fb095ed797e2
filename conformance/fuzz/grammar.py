"""What the contract says a client may send, as schemas that strategies are made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from referencing import Registry

from conformance.fuzz.example import CHANNEL, NONCE, OTHER_CHANNEL
from contract.errors import ContractError
from contract.model import Contract
from contract.roles import Delivery, Post, Side, Subscription
from contract.schemas import resolved

PLAIN_TEXT = f"{NONCE} message"

_NO_RULES = frozenset({"$ref", "$schema", "$id", "allOf", "properties", "required", "title", "description", "examples"})


@dataclass(frozen=True, slots=True)
class Grammar:
    """The contract's events, and where a post carries its channel and its text.

    `name`, `body` and `number` are the members of the envelope: the event's name, its payload, and the number that it
    may carry (None: none).
    """

    contract: Contract
    name: str
    body: str
    number: str | None
    join: Subscription
    post: Post
    delivery: Delivery
    message_bytes: int

    def payload(self, event: str) -> dict[str, Any]:
        """The schema of an event's payload without references, closed to members that it does not name."""
        return closed(self.contract.events[event].payload.schema, self.contract.registry)

    @property
    def envelope(self) -> set[str]:
        """The members of the envelope."""
        return {self.name, self.body, *([self.number] if self.number is not None else [])}

    def event_of(self, message: Mapping[str, Any]) -> str:
        """The event's name in a message that has one."""
        return str(message[self.name])

    def fixtures(self, event: str) -> dict[str, str]:
        """What stands at certain members of an event's payload, by dotted path: a channel, a nonce."""
        post, delivery = self.post, self.delivery
        known: Mapping[str, Mapping[str | None, str]] = {
            self.join.name: {self.join.group: OTHER_CHANNEL},
            post.name: {post.group: CHANNEL, post.stamp: PLAIN_TEXT},
            delivery.name: {delivery.group: CHANNEL, delivery.stamp: PLAIN_TEXT},
        }
        return {path: value for path, value in known.get(event, {}).items() if path is not None}

    def of_side(self, side: Side) -> list[str]:
        """The events that one side may send."""
        return [event.name for event in self.contract.events.values() if side in event.senders]

    @property
    def pong(self) -> str:
        """The answer to the server's ping; empty: there is none."""
        beat = self.contract.heartbeat
        return beat.answer.name if beat is not None and beat.answer is not None else ""

    def members(self, event: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The declared members of an event's payload that are required, with their schemas."""
        schema = self.payload(event)
        for name in schema.get("required", ()):
            yield name, schema.get("properties", {}).get(name, {})


def grammar(contract: Contract, message_bytes: int) -> Grammar:
    """The grammar of a contract. Raises `ContractError` where it does not say how a post is delivered."""
    flow = contract.flow
    if flow is None or flow.post is None or flow.subscribe is None:
        raise ContractError("--fuzz needs `flows` in contract.yaml: a subscription, a post and its delivery")
    envelope = contract.roles.messages.envelope
    name = next((rule.at for rule in contract.roles.messages.name if rule.at is not None), None)
    if envelope is None or name is None:
        raise ContractError("--fuzz needs `messages` in contract.yaml: an envelope, and where a message has its name")
    numbers = [one.at for one in contract.roles.numbers if one.per is None and "." not in one.at]
    members = (name, envelope.payload, next(iter(numbers), None))
    return Grammar(contract, *members, flow.subscribe, flow.post, flow.delivery, message_bytes)


def closed(schema: Any, registry: Registry[Any]) -> dict[str, Any]:
    """One schema in place of all that it draws in; its objects have no members but the declared ones."""
    merged: dict[str, Any] = {}
    properties: dict[str, list[Any]] = {}
    required: list[str] = []
    for part in resolved(schema, registry):
        merged.update({key: one for key, one in part.items() if key not in _NO_RULES and not key.startswith("x-")})
        for name, member in part.get("properties", {}).items():
            properties.setdefault(name, []).append(member)
        required += [name for name in part.get("required", ()) if name not in required]
    if properties or merged.get("type") == "object":
        merged["properties"] = {name: closed({"allOf": members}, registry) for name, members in properties.items()}
        merged["required"] = required
        merged["additionalProperties"] = False
    return merged


def with_value(value: Mapping[str, Any], path: str, member: Any) -> dict[str, Any]:
    """The object with another value at a dotted path."""
    name, _, rest = path.partition(".")
    inner = value.get(name)
    below = inner if isinstance(inner, dict) else {}
    return {**value, name: with_value(below, rest, member) if rest else member}
