"""Transcript checks of what a contract declares: names, sides and members of messages, and the subprotocol."""

from collections.abc import Callable, Iterator

from conformance.judge.findings import Finding
from conformance.play.history import History
from conformance.play.record import UNPARSED, Message, outer
from contract.findings import phrase
from contract.model import Contract


def check_declared(history: History) -> Iterator[Finding]:
    """`named`: a message bears a name; `direction`: it is none of a client's; `undeclared`: the contract names all."""
    contract = history.contract
    for message in outer(history.record.messages) if contract.events else ():
        if message.value is UNPARSED:
            continue
        history.chance("named")
        history.chance("direction")
        clients = of_client(contract, message)
        if clients is not None:
            text, expected = phrase("other-direction", event=clients), phrase("message-of-server")
            yield Finding("direction", message.conversation, text, expected, message.text, otherwise="undeclared")
        elif message.event is None:
            yield Finding("named", message.conversation, phrase("nameless"), phrase("message-of-server"), message.text)
        if message.event is None:
            continue
        history.chance("undeclared")
        if clients is None:
            yield from _undeclared(contract, message)


def _undeclared(contract: Contract, message: Message) -> Iterator[Finding]:
    event = contract.events.get(str(message.event))
    if event is None:
        found = [phrase("undeclared-event", event=str(message.event)[:80])]
    else:
        members = contract.undeclared_members(event.name, message.value)
        found = [phrase("undeclared-member", member=pointer[:200]) for pointer in members]
    for text in found:
        yield Finding("undeclared", message.conversation, text, None, message.text)


def of_client(contract: Contract, message: Message) -> str | None:
    """The name of a server's message that only clients may send; None: it is no such message."""
    event = contract.events.get(message.event) if message.event is not None else None
    if event is not None:
        return None if event.from_server else event.name
    # By its own side's rules it may bear no name, or none that is known.
    name = contract.name_of(message.value, "client")
    other = contract.events.get(name) if name is not None else None
    if other is None or other.from_server or contract.check_payload(other.name, message.value):
        return None
    return other.name


def check_subprotocol(history: History) -> Iterator[Finding]:
    """The server selects the subprotocol that the contract names, where it is offered."""
    wanted = history.contract.roles.subprotocols.selected
    for conversation in history.record.conversations if wanted is not None else ():
        opened = conversation.opened
        if opened is None or wanted not in conversation.subprotocols:
            continue
        history.chance("subprotocol")
        if opened.subprotocol != wanted:
            text = phrase("other-subprotocol")
            received = phrase("no-subprotocol") if opened.subprotocol is None else opened.subprotocol
            yield Finding("subprotocol", conversation, text, wanted, received)


DECLARED_CHECKS: tuple[Callable[[History], Iterator[Finding]], ...] = (check_declared, check_subprotocol)
