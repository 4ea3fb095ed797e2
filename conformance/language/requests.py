"""Requests: which message asks for replies, the id that its replies repeat, and what is wrong with a step about one."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from conformance.language.expectations import declared_of, replies
from conformance.language.matching import ANYTHING, has_operators
from conformance.language.samples import Samples
from conformance.language.satisfiable import Flaw
from conformance.language.values import ScenarioError
from contract.declared import Declared
from contract.model import Contract
from contract.paths import by_index, nested, set_at, value_at
from contract.plain_words import near
from contract.roles import Reply, Request

SAMPLE_ID: Final = "00000000-0000-4000-8000-000000000000"


def role_of(contract: Contract, message: Any) -> Request | None:
    """The role of a client's message that asks for replies; None: it is no request."""
    name = contract.name_of(message, "client")
    return next((one for one in contract.roles.requests if one.by == "client" and one.name == name), None)


def possible_replies(contract: Contract, role: Request) -> tuple[Reply, ...]:
    """What may answer a request: its replies, and the error message if it says which request it is about."""
    errors = contract.errors
    if errors.name is None or errors.about_id is None or any(one.name == errors.name for one in role.replies):
        return role.replies
    return (*role.replies, Reply(errors.name, errors.about_id, last=True, failure=True))


def last_replies(role: Request) -> list[Reply]:
    """The replies that end a request which succeeds."""
    good = [one for one in role.replies if not one.failure]
    return [one for one in good if one.last] or good


def wants_text(contract: Contract, role: Request) -> bool:
    """Whether the id of a request may be a text; else it is a number."""
    declared = declared_of(contract, role.name if role.name in contract.events else None)
    for name in role.id.split("."):
        declared = _inside(declared, name)
    return declared.permits_type("string")


def _inside(declared: Declared, name: str) -> Declared:
    return declared.item(int(name)) if by_index([name]) else declared.member(name)


def identified(message: Any, role: Request, fresh: Any) -> Any:
    """A request with an id: its own, or else the fresh one. Raises `ScenarioError` where it has no place for one."""
    if value_at(message, role.id) is not None:
        return message
    try:
        return set_at(message, role.id, fresh)
    except LookupError:
        raise ScenarioError(f"the request has no place for its id, which the contract expects at {role.id}") from None


def as_sent(contract: Contract, message: Any) -> Any:
    """A message with an id such as `request` gives it; without a place for one, or if it is no request, unchanged."""
    role = role_of(contract, message)
    if role is None:
        return message
    try:
        return identified(message, role, SAMPLE_ID if wants_text(contract, role) else 1)
    except ScenarioError:
        return message


def with_id(path: str, key: Any, match: Any = ANYTHING) -> Any:
    """An expectation of what a match asks for, and of an id at a path."""
    return _merged(nested(path, key), match)


def _merged(pattern: Any, match: Any) -> Any:
    if match is ANYTHING:
        return pattern
    if not all(isinstance(one, Mapping) and not has_operators(one) for one in (pattern, match)):
        return {"$all": [pattern, match]}
    both = {name: _merged(pattern[name], match[name]) for name in pattern if name in match}
    return {**pattern, **match, **both}


def request_flaws(body: Mapping[str, Any], message: Any, contract: Contract) -> Iterator[Flaw]:
    """What is wrong with a request that sends a message, by the contract's roles."""
    rendered = Samples(contract.roles.probe).render(message)
    name = contract.name_of(rendered, "client")
    role = role_of(contract, rendered)
    if role is None:
        known = [one.name for one in contract.roles.requests if one.by == "client"]
        requests = (
            f"clients' requests: {', '.join(known)}" if known else "contract.yaml declares no `requests` of clients"
        )
        yield (), f"{name or 'the message'} is not a request; {requests}"
        return
    names = [one.name for one in possible_replies(contract, role)]
    for where, one in replies(body):
        reply = one.get("name")
        if reply in contract.events and reply not in names:
            yield (
                (*where, "name"),
                f"{reply!r} does not reply to {name}{near(reply, names) or '; replies: ' + ', '.join(names)}",
            )
    if "reply" not in body and len(last_replies(role)) > 1:
        last = ", ".join(one.name for one in last_replies(role))
        yield (), f"expected `reply`: several messages may end {name} ({last})"
    try:
        identified(rendered, role, "")
    except ScenarioError as error:
        yield (), str(error)
