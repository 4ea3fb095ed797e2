"""What a failure is attributed to, and what people are shown of what came instead.

A step that fails is charged to the requirement that it names, or to those that its scenario verifies: what came is
wrong, or what was expected did not come. But an absence has causes that lie elsewhere, and the connection itself often
tells which. They are asked for in this order:

1. The endpoint closed the connection with the code for a missed heartbeat, although the actor answers pings. If
   this machine was held up for so long that the pongs may have been late, nothing is said (`excuse_if_stalled`). An
   actor that does not read, or does not answer, may be closed, and nobody is charged.
2. An error message came before the end, and an error is to leave the connection open.
3. Else the step's own requirement.

How something was absent (`absence`: a time-out, an end, a delivery, an acknowledgement) is noted with the failure:
`conformance.run.replays` confirms absences of each kind before they count. Once the endpoint has said that it gets too
much (`is_rate_limited`), what it leaves undone is free.
"""

from collections.abc import Callable
from typing import Any

from conformance.language.deed import Charge
from conformance.language.matching import matches
from conformance.language.values import DisturbedError
from conformance.play.context import Absence, ActorState, Context
from conformance.play.record import UNPARSED, Conversation, Message, Record, cut, outer, tcp_end
from contract.findings import Phrase, Text, phrase
from contract.model import Contract
from contract.profile import Profile
from contract.roles import Outcomes
from wire.close_codes import CloseCode
from wire.frames import Opcode

BURST = "burst"
"""The cause of what an endpoint answers that gets too much."""

CAUSELESS = (CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY)
"""Close codes of connections that end in the ordinary way."""

SHOWN = 3
"""Messages that are shown of what came."""


def ended_as(conversation: Conversation) -> Phrase:
    """How a connection stands, for people."""
    refused, close, ended = conversation.refused, conversation.close_received, conversation.ended
    if refused is not None:
        return phrase("handshake-refused-with", answer=refused.shown)
    if close is not None:
        code: Text = phrase("no-code") if close.code is None else f"{close.code}"
        return phrase("closed-because", code=code, reason=close.reason) if close.reason else phrase("closed", code=code)
    return phrase("still-open") if ended is None else phrase("no-close-frame", end=tcp_end(ended))


def is_over(state: ActorState) -> bool:
    return state.conversation is not None and not state.conversation.is_open


class Search:
    """Looks for the first message of an inbox that fits, while more arrive; it stays there.

    Each message is looked at once, so that a flood costs no quadratic time. To be made anew where something was
    taken from the inbox.
    """

    def __init__(self, state: ActorState, fits: Callable[[Message], bool]) -> None:
        self._state, self._fits = state, fits
        self._looked = state.arrived - len(state.inbox)
        self._found: Message | None = None

    def __call__(self) -> Message | None:
        """The message, or None as long as there is none."""
        if self._found is None:
            inbox = self._state.inbox
            start = max(len(inbox) - (self._state.arrived - self._looked), 0)
            self._found = next(filter(self._fits, inbox[start:]), None)
            self._looked = self._state.arrived
        return self._found


def search(context: Context, state: ActorState, event: str | None, match: Any) -> Search:
    """The search for a message of a name (None: any) that matches."""

    def fits(message: Message) -> bool:
        if event is not None and message.event != event:
            return False
        return message.value is not UNPARSED and matches(match, message.value, context.meanings)

    return Search(state, fits)


def what_came(context: Context, state: ActorState, event: str | None = None) -> Phrase:
    """What is there instead of what was expected, and how the connection stands.

    What tells most comes first: errors, then messages of the expected event, then what came last. Heartbeats are
    counted only.
    """
    contract = context.contract
    rank = {contract.errors.name: 0, event: 1, None: 2}
    others = [one for one in reversed(state.inbox) if not contract.pings(one.event) or contract.pings(event)]
    beats = len(state.inbox) - len(others)
    shown: list[Text] = [cut(one.text, 300) for one in sorted(others, key=lambda one: rank.get(one.event, 2))[:SHOWN]]
    if len(others) > SHOWN:
        shown.append(phrase("more-messages", number=len(others) - SHOWN))
    if beats:
        shown.append(phrase("heartbeats", number=beats, event=str(contract.ping_event)))
    if state.conversation is not None and not state.conversation.is_open:
        shown.append(ended_as(state.conversation))
    return phrase("came", items=shown) if shown else phrase("nothing-came")


def cause_of_end(context: Context, state: ActorState) -> Charge | None:
    """What an unexpected end is charged to, where the connection itself tells; None: to the step.

    An answering client was closed for its heartbeat, or an error came before the end.
    """
    conversation = state.conversation
    if conversation is None or conversation.is_open:
        return None
    heartbeat = closed_for_heartbeat(context, state)
    if heartbeat is not None:
        return heartbeat
    waiting = {id(one) for one in state.inbox}
    consumed = [one for one in conversation.received if id(one) not in waiting]
    if any(context.contract.reports_error(one.event) for one in consumed):
        return context.charge("alive-after-error")
    return None


def closed_for_heartbeat(context: Context, state: ActorState) -> Charge | None:
    """The charge, where an actor that answers pings was closed as if it did not."""
    conversation = state.conversation
    close = conversation.close_received if conversation is not None else None
    answers = state.actor.heartbeat != "ignore" and conversation is not None and conversation.unread_since is None
    if close is not None and close.code in mute_codes(context) and answers:
        excuse_if_stalled(context)
        return context.charge("alive-while-answering")
    return None


def mute_codes(context: Context) -> tuple[int, ...]:
    """The codes that say that a server closed a connection because it does not answer the heartbeat.

    A contract may name one that tells no cause: every connection may end with that.
    """
    mute = context.contract.heartbeat.mute if context.contract.heartbeat else ()
    return tuple(code for code in closing_codes(mute, context.profile) if code not in CAUSELESS)


def closing_codes(outcomes: Outcomes, profile: Profile) -> tuple[int, ...]:
    """The close codes among the outcomes that a contract permits, by number."""
    codes = (code for one in outcomes for code in one.close)
    return tuple(profile.close_codes[code] if isinstance(code, str) else code for code in codes)


def excuse_if_stalled(context: Context) -> None:
    """Raise `DisturbedError` where this machine was held up so long that our own pongs may have been too late."""
    beat = context.profile.heartbeat
    stalled = context.stalled(context.now - beat.interval - 2 * beat.timeout)
    if stalled > beat.timeout / 4:
        raise DisturbedError(phrase("stalled", seconds=stalled))


def is_rate_limited(record: Record, contract: Contract, profile: Profile) -> bool:
    """Whether the endpoint said on some connection that it gets too much: what it then left undone is free."""
    burst = contract.errors.reactions.get(BURST, ())
    closes = closing_codes(burst, profile)
    codes = {profile.error_codes.get(one.code) for one in burst if one.code is not None} - {None}
    for conversation in record.conversations:
        close = conversation.close_received
        if close is not None and close.code in closes:
            return True
        for message in conversation.received if codes else ():
            if contract.reports_error(message.event) and contract.error_code(message.value) in codes:
                return True
    return False


def absence(context: Context, state: ActorState, event: str | None) -> Absence:
    """What kind of absence it is that a message of this event (None: something else) did not come."""
    if is_over(state):
        return "ended"
    if context.contract.acknowledges(event):
        return "unacknowledged"
    return "undelivered" if context.contract.delivers(event) else "timeout"


def undelivered(context: Context, state: ActorState, event: str | None) -> Charge | None:
    """Where others arrived on this connection, its join is in force, and the post is lost."""
    charge = context.step_charge
    joined, delivered = context.charge("joined"), context.charge("delivered")
    if not context.contract.delivers(event) or joined is None or delivered is None:
        return None
    if {*charge.requirements} != {*joined.requirements, *delivered.requirements}:
        return None
    if any(one.event == event for one in context.conversation(state).received):
        return Charge(delivered.requirements, charge.level)
    return None


def broken_instead(context: Context, state: ActorState, event: str | None) -> Charge | None:
    """A delivery may have come, but broken beyond recognition: that is charged then."""
    if not context.contract.delivers(event):
        return None
    for message in outer(state.inbox):
        if message.value is UNPARSED or message.opcode != Opcode.TEXT:
            return context.charge("text")
        if context.contract.check_envelope(message.value):
            return context.charge("envelope")
        known = message.event is not None and message.event in context.contract.events
        if known and context.contract.check_payload(str(message.event), message.value):
            return context.charge("payload")
    return None
