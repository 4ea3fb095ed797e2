"""What the contract says a client may send, as schemas that strategies are made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from referencing import Registry

from conformance.fuzz.example import CHANNEL, NONCE, OTHER_CHANNEL
from contract.errors import ContractError
from contract.model import Contract, Delivery, resolved

PLAIN_TEXT = f"{NONCE} message"

_NO_RULES = frozenset({"$ref", "$schema", "$id", "allOf", "properties", "required", "title", "description", "examples"})


@dataclass(frozen=True, slots=True)
class Grammar:
    """The contract's events, and where a post carries its channel and its text."""

    contract: Contract
    delivery: Delivery
    message_bytes: int

    def payload(self, event: str) -> dict[str, Any]:
        """The schema of an event's payload without references, closed to members that it does not name."""
        return closed(self.contract.events[event].payload.schema, self.contract.registry)

    def fixtures(self, event: str) -> dict[str, str]:
        """What stands at certain members of an event's payload, by dotted path: a channel, a nonce."""
        names = self.delivery
        known: Mapping[str, Mapping[str, str]] = {
            names.join["event"]: {names.join["channel"]: OTHER_CHANNEL},
            names.post["event"]: {names.post["channel"]: CHANNEL, names.post["text"]: PLAIN_TEXT},
            names.delivery["event"]: {names.delivery["channel"]: CHANNEL, names.delivery["text"]: PLAIN_TEXT},
        }
        return dict(known.get(event, {}))

    def of_side(self, side: str) -> list[str]:
        """The events that one side may send."""
        return [event.name for event in self.contract.events.values() if event.sender == side]

    def members(self, event: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The declared members of an event's payload that are required, with their schemas."""
        schema = self.payload(event)
        for name in schema.get("required", ()):
            yield name, schema.get("properties", {}).get(name, {})


def grammar(contract: Contract, message_bytes: int) -> Grammar:
    """The grammar of a contract. Raises `ContractError` where it does not say how a post is delivered."""
    if contract.delivery is None:
        raise ContractError("--fuzz needs x-delivery in the contract: it names a post and its delivery")
    return Grammar(contract, contract.delivery, message_bytes)


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
