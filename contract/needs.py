"""What a requirement needs of a contract: a role that is not declared promises nothing, and is not asked for.

`needs` in requirements.yaml names roles, and parts of them, as `NEEDS` does. A requirement of which one is lacking is
left out: it is not untested, it is not made.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache

from contract.asyncapi.loading import load
from contract.errors import ContractError
from contract.folder import ContractFolder
from contract.roles import Flow, Roles

CAUSES = ("not-json", "malformed", "unknown-name", "invalid-payload", "other-direction", "binary")
"""What a generated invalid message is wrong in: the causes of `errors.reactions` that any contract can have."""


def _flow(roles: Roles) -> Flow | None:
    return next((one for one in roles.flows if one.post is not None and one.delivery.stamp is not None), None)


def _of_delivery(member: str) -> Callable[[ContractFolder], bool]:
    """Whether deliveries of the flow have this member."""

    def declared(folder: ContractFolder) -> bool:
        flow = _flow(folder.roles)
        return flow is not None and getattr(flow.delivery, member) is not None

    return declared


def _in_handshake(folder: ContractFolder) -> bool:
    role = folder.roles.authentication
    return role is not None and role.where not in ("message", "none")


def _refused(folder: ContractFolder) -> bool:
    role = folder.roles.authentication
    return _in_handshake(folder) and role is not None and bool(role.refused)


@cache
def _document_replies(folder: ContractFolder) -> bool:
    """Whether the document says of an operation what its reply is (AsyncAPI 3)."""
    try:
        value = load(folder.asyncapi).value if folder.asyncapi is not None else None
    except ContractError:
        return False  # that is the document's own matter
    operations = value.get("operations") if isinstance(value, dict) else None
    found = operations.values() if isinstance(operations, dict) else ()
    return any(isinstance(one, dict) and "reply" in one for one in found)


def _acknowledgement_id(folder: ContractFolder) -> bool:
    role = folder.roles.acknowledgement
    return role is not None and role.expect.id is not None


def _acknowledgement_says(member: str) -> Callable[[ContractFolder], bool]:
    """Whether an acknowledgement that the client asks for has these outcomes."""

    def declared(folder: ContractFolder) -> bool:
        role = folder.roles.acknowledgement
        return role is not None and role.send is not None and bool(getattr(role, member))

    return declared


def _subscribed(folder: ContractFolder) -> bool:
    flow = _flow(folder.roles)
    return flow is not None and flow.subscribe is not None and flow.owed == "subscribers"


NEEDS: Mapping[str, Callable[[ContractFolder], bool]] = {
    "messages": lambda one: one.asyncapi is not None,
    "envelope": lambda one: one.roles.messages.envelope is not None,
    "subprotocol": lambda one: one.roles.subprotocols.selected is not None,
    "credentials": lambda one: one.roles.authentication is not None and one.roles.authentication.where != "none",
    "handshake-credentials": _in_handshake,
    "refused": _refused,
    "acknowledgement": lambda one: one.roles.acknowledgement is not None,
    "acknowledgement-unasked": lambda one: (
        one.roles.acknowledgement is not None and one.roles.acknowledgement.send is None
    ),
    "acknowledgement-id": _acknowledgement_id,
    "acknowledgement-before": _acknowledgement_says("before"),
    "acknowledgement-due": _acknowledgement_says("due"),
    "acknowledgement-again": _acknowledgement_says("again"),
    "heartbeat": lambda one: any(beat.by != "client" and beat.every for beat in one.roles.heartbeats),
    "mute": lambda one: any(beat.by != "client" and beat.mute for beat in one.roles.heartbeats),
    "client-heartbeat": lambda one: any(beat.by != "server" and beat.answer for beat in one.roles.heartbeats),
    "document-replies": _document_replies,
    "requests": lambda one: any(request.by == "client" for request in one.roles.requests),
    "errors": lambda one: one.roles.errors.name is not None,
    "error-codes": lambda one: one.roles.errors.code is not None and bool(one.roles.errors.codes),
    "error-about": lambda one: one.roles.errors.about is not None,
    "reactions": lambda one: any(cause in one.roles.errors.reactions for cause in CAUSES),
    **{
        f"reaction-{cause}": lambda one, cause=cause: cause in one.roles.errors.reactions  # type: ignore[misc]
        for cause in CAUSES
    },
    "numbers": lambda one: bool(one.roles.counted),
    "number-step": lambda one: any(number.step is not None for number in one.roles.counted),
    "flow": lambda one: _flow(one.roles) is not None,
    "subscription": _subscribed,
    **{
        f"delivery-{member.replace('_', '-')}": _of_delivery(member)
        for member in ("id", "time", "author", "author_name")
    },
}
"""What may be needed, and whether a contract declares it."""


def are_met(needs: Collection[str], folder: ContractFolder) -> bool:
    """Whether a contract declares all of it."""
    return all(NEEDS[one](folder) for one in needs)
