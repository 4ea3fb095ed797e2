"""What a contract does not declare, and what is therefore only observed: said by `wsproof lint`, never a problem."""

from collections.abc import Callable, Iterator

from contract.model import Contract
from contract.roles import CAUSES, Roles

_Lacking = Callable[[Roles], bool]

_ROLES: tuple[tuple[str, _Lacking, str], ...] = (
    ("authentication", lambda one: one.authentication is None, "connections are opened without credentials"),
    ("acknowledgement", lambda one: one.acknowledgement is None, "a connection is established by its handshake alone"),
    ("heartbeats", lambda one: not one.heartbeats, "no heartbeat is expected or answered"),
    ("requests", lambda one: not one.requests, "messages are not matched to replies"),
    ("errors.message", lambda one: one.errors.name is None, "error messages are not recognised"),
    ("close_codes", lambda one: not one.close_codes, "any close code that is legal may be used"),
    ("probe", lambda one: one.probe is None, "scenarios that need an exchange are inconclusive"),
    ("flows", lambda one: not one.flows, "deliveries are not checked, and load tests do not measure them"),
)
"""Roles, how to tell that one is lacking, and what that means."""


def observations(contract: Contract) -> Iterator[str]:
    """One line for each role that is not declared."""
    roles = contract.roles
    if not contract.events:
        yield "no asyncapi.yaml: the names and contents of messages are not checked"
    for name, is_lacking, meaning in _ROLES:
        if is_lacking(roles):
            yield f"no `{name}`: {meaning}"
    open_causes = [cause for cause in CAUSES if cause not in roles.errors.reactions]
    if len(open_causes) == len(CAUSES):
        yield "no `errors.reactions`: what mistakes lead to is observed and not judged"
    elif open_causes:
        yield f"no `errors.reactions` to {', '.join(open_causes)}: observed and not judged"


def indistinct(contract: Contract) -> Iterator[str]:
    """One line for each pair of messages that cannot be told apart."""
    asyncapi = contract.folder.asyncapi
    for first, second in contract.naming.alike:
        told = f"messages {first!r} and {second!r} cannot be told apart: both count as {first!r}"
        yield f"{asyncapi}: {told}; tell them apart with `messages.name` in contract.yaml"
