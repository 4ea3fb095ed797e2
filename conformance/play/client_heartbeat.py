"""The heartbeat that a client begins: an actor sends it by itself, and no step asks for its answers."""

from typing import Any

from conformance.play.record import UNPARSED, Message
from contract.model import Contract
from contract.paths import value_at
from contract.roles import Heartbeat

AGAIN = 0.25
"""Seconds after which a ping is tried again that would come amid a message in fragments."""


def client_heartbeat(contract: Contract) -> Heartbeat | None:
    """The heartbeat that a client begins at intervals; None: there is none."""
    return next((one for one in contract.roles.heartbeats if one.by != "server" and one.every is not None), None)


def template_of(contract: Contract, beat: Heartbeat) -> Any:
    """What a ping is made of; None: nobody can tell."""
    return contract.example(beat.ping.name) if beat.ping_message is None else beat.ping_message


def answered(contract: Contract, beat: Heartbeat, pings: list[Any], message: Message) -> Any:
    """The ping among `pings`, oldest first, that a message answers; None: it answers none of them."""
    if message.value is UNPARSED:
        return None
    if beat.answer is not None:
        return pings[0] if pings and message.event == beat.answer.name else None
    asked = (one for one in contract.roles.requests if one.name == beat.ping.name and one.by == "client")
    role = next(asked, None) if beat.replied else None
    if role is None:
        return None
    ids = [value_at(message.value, reply.id) for reply in role.replies if reply.name == message.event]
    return next((ping for ping in pings if value_at(ping, role.id) in ids), None)
