"""The messages of a contract that may be sent to any endpoint, staging included."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract.json_text import dump_json
from contract.model import Contract, Event
from contract.paths import has
from contract.roles import Request
from contract.schemas import resolved
from contract.templates import replaced

TEXT, GROUP = "${nonce.text}", "${channel.group}"
"""What stands for `${text}` and `${group}` of a probe in a scenario."""


@dataclass(frozen=True, slots=True)
class Sendable:
    """A valid message of a client. `request`: the role that says what answers it, if any."""

    name: str
    message: Any
    request: Request | None = None


def examples(contract: Contract) -> Iterator[Sendable]:
    """An example of each message that has a declared reply, or may be generated."""
    requests = _requests(contract)
    for name in contract.named("client"):
        event = contract.events[name]
        generated = name in contract.roles.messages.generate
        if not (generated or name in requests or event.replies):
            continue
        for message in _written(contract, event) or ([contract.example(name)] if generated else []):
            request = requests.get(name)
            message = message if request is None else _with_id(message, request.id)
            if _is_valid(contract, name, message):
                yield Sendable(name, message, request)
                break


def bases(contract: Contract) -> dict[str, Sendable]:
    """What invalid messages may be made of, by name: the examples, and the probe."""
    found = {one.name: one for one in examples(contract)}
    probe = contract.roles.probe
    if probe is not None and probe.send is not None:
        message = replaced(probe.send, _standing_in)
        name = contract.name_of(message, "client")
        if name is not None and name in contract.events:
            found.setdefault(name, Sendable(name, message, _requests(contract).get(name)))
    return found


def _requests(contract: Contract) -> dict[str, Request]:
    return {one.name: one for one in contract.roles.requests if one.by == "client"}


def any_message(contract: Contract, name: str) -> Any:
    """A message of this name that is not meant to be understood; None where there is none."""
    written = _written(contract, contract.events[name])
    message = written[0] if written else contract.example(name)
    return None if message is None or "${" in dump_json(message) else message


def _standing_in(name: str) -> Any:
    """What stands for a reference of a probe."""
    return {"text": TEXT, "nonce": TEXT, "group": GROUP}.get(name, f"${{{name}}}")


def _written(contract: Contract, event: Event) -> list[Any]:
    """The examples that the document has, of the message or of its schema."""
    if event.examples:
        return list(event.examples)
    parts = resolved(event.message.schema, contract.registry) if isinstance(event.message.schema, Mapping) else ()
    return [one for part in parts if isinstance(part.get("examples"), list) for one in part["examples"]]


def _with_id(message: Any, path: str) -> Any:
    """The message with an id, where its example has none: a request without one asks for no reply."""
    if has(message, path) or "." in path or not isinstance(message, dict):
        return message
    return {**message, path: 1}


def _is_valid(contract: Contract, name: str, message: Any) -> bool:
    """Whether a message is the contract's, and says nothing that a scenario would take for a reference."""
    if contract.name_of(message, "client") != name or "${" in dump_json(message):
        return False
    return not contract.check_envelope(message) and not contract.check_payload(name, message)
