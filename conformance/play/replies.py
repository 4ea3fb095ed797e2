"""What an endpoint owes to one client alone: replies to its requests, and answers to its heartbeats.

A reply belongs to the request whose id it repeats, in whatever JSON type. It is owed if no server could have refused
the request: a plain message that fits its schema and has no undeclared member, sent after the acknowledgement where
there is one, with an id that no other open request has, and no error followed that may be about it. As with deliveries
(`owed`), nothing is owed to a connection that did not stay until it was due.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.play.history import History
from conformance.play.record import UNPARSED, Conversation, Message, Sent
from contract.json_text import dump_json
from contract.model import Contract
from contract.paths import has, value_at
from contract.roles import Heartbeat, Reply, Request


@dataclass(slots=True, eq=False)
class Asked:
    """A request of ours, what came back, and what came although its last reply had come."""

    sent: Sent
    request: Request
    key: str
    owed: bool
    replies: list[Message] = field(default_factory=list)
    last: Message | None = None
    excess: list[Message] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Beat:
    """A heartbeat of ours, and its answer."""

    sent: Sent
    heartbeat: Heartbeat
    due: float
    answer: Message | None


@dataclass(slots=True)
class Replies:
    """The requests of one connection, and the replies to none of them."""

    asked: list[Asked] = field(default_factory=list)
    strays: list[Message] = field(default_factory=list)
    count: int = 0
    """Replies that came, to whatever."""

    @property
    def open(self) -> list[Asked]:
        """The requests that a last reply is owed to. One that came with another id may have been meant: that id is what
        is wrong then."""
        return [
            one
            for one in self.asked
            if one.owed and one.last is None and not any(stray.t >= one.sent.t for stray in self.strays)
        ]


def due(history: History, sent: Sent, seconds: float | None = None) -> float:
    """When the answer to a message must have come; what held up the tester is added."""
    within = history.profile.response_timeout if seconds is None else seconds
    return sent.t + within * history.scale + 3 * history.record.held_up(sent.t)


def is_right(contract: Contract, sent: Sent) -> bool:
    """Whether a message of ours is plain, and as the contract describes it, with no member that it does not name."""
    if not sent.plain or sent.event is None or sent.event not in contract.events:
        return False
    if contract.undeclared_members(sent.event, sent.value) or contract.check_payload(sent.event, sent.value):
        return False
    return not contract.check_envelope(sent.value)


def replies_of(history: History, conversation: Conversation) -> Replies:
    """The requests of a connection with their replies, in the order sent."""
    requests = [one for one in history.contract.roles.requests if one.by == "client"]
    found = Replies()
    if not requests:
        return found
    for sent in conversation.sent:
        for request in requests:
            if sent.event == request.name and has(sent.value, request.id):
                key = _key(value_at(sent.value, request.id))
                found.asked.append(Asked(sent, request, key, _is_owed(history, found.asked, sent, request, key)))
    names = {reply.name for request in requests for reply in request.replies}
    for message in conversation.received:
        if message.event in names and message.value is not UNPARSED:
            _place(found, message, requests, conversation.sent)
    return found


def _place(found: Replies, message: Message, requests: Sequence[Request], sent: Sequence[Sent]) -> None:
    """Give a reply to the request that it answers.

    What is sent because a message was read has that message's time, and is not what it answers.
    """
    candidates = [
        (one, reply)
        for one in found.asked
        for reply in one.request.replies
        if reply.name == message.event and one.sent.t < message.t and _key_at(message.value, reply.id) == one.key
    ]
    found.count += 1
    if not candidates:
        if not _answers_something_else(message, requests, sent):
            found.strays.append(message)
        return
    one, reply = next(((one, reply) for one, reply in candidates if one.last is None), candidates[-1])
    if one.last is not None:
        one.excess.append(message)
        return
    one.replies.append(message)
    if ends(one.request, reply):
        one.last = message


def ends(request: Request, reply: Reply) -> bool:
    """Whether no other reply follows this one."""
    return reply.last or reply.failure or not (reply.many or any(one.last for one in request.replies))


def _answers_something_else(message: Message, requests: Sequence[Request], sent: Sequence[Sent]) -> bool:
    """Whether a reply may be about a message of ours that is no right request, or is no reply at all."""
    before = [one for one in sent if one.t <= message.t]
    paths = {request.id for request in requests}
    for request in requests:
        for reply in request.replies:
            if reply.name != message.event:
                continue
            unread = not before or any(not any(has(one.value, path) for path in paths) for one in before)
            if not has(message.value, reply.id) or value_at(message.value, reply.id) is None:
                return unread  # without an id it can mean only what had none that could be read
            key = _key_at(message.value, reply.id)
            if any(_key_at(one.value, request.id) == key for one in before):
                return True
            if reply.failure and before and unread:
                return True  # some protocols have an id for what had none: the empty one, or -1
    return False


def _is_owed(history: History, earlier: Sequence[Asked], sent: Sent, request: Request, key: str) -> bool:
    contract, received = history.contract, sent.conversation.received
    if not is_right(contract, sent) or any(one.key == key for one in earlier):
        return False
    if request.outstanding is not None and len(earlier) >= request.outstanding:
        return False
    if contract.acknowledgement is not None:
        acknowledged = [one.t for one in received if contract.acknowledges(one.event)]
        if not acknowledged or acknowledged[0] > sent.t:
            return False
    if any(one.t >= sent.t and _may_mean(contract, one, sent, key) for one in received):
        return False
    return not (request.cancel is not None and _is_cancelled(request, sent, key))


def _may_mean(contract: Contract, message: Message, sent: Sent, key: str) -> bool:
    """Whether a message is an error that may be about this request."""
    errors = contract.errors
    if not contract.reports_error(message.event) or message.value is UNPARSED:
        return False
    if errors.about_id is not None and has(message.value, errors.about_id):
        return _key_at(message.value, errors.about_id) == key
    if errors.about is not None and has(message.value, errors.about):
        return bool(value_at(message.value, errors.about) == sent.event)
    return not any(reply.name == message.event for one in contract.roles.requests for reply in one.replies)


def _is_cancelled(request: Request, sent: Sent, key: str) -> bool:
    cancel = request.cancel
    assert cancel is not None
    return any(
        one.event == cancel.name and one.t >= sent.t and _key_at(one.value, cancel.id or request.id) == key
        for one in sent.conversation.sent
    )


def beats_of(history: History, conversation: Conversation) -> Iterator[Beat]:
    """The heartbeats of ours on a connection that are to be answered, each with an answer of its own."""
    contract = history.contract
    for beat in contract.roles.heartbeats:
        answer = beat.answer
        if beat.by == "server" or answer is None or answer.name not in contract.events:
            continue
        waiting = [one for one in conversation.received if one.event == answer.name]
        for sent in conversation.sent:
            if sent.event != beat.ping.name or not is_right(contract, sent):
                continue
            came = next((one for one in waiting if one.t >= sent.t and _repeats(beat, sent, one)), None)
            if came is not None:
                waiting.remove(came)
            yield Beat(sent, beat, due(history, sent, beat.timeout), came)


def _repeats(beat: Heartbeat, sent: Sent, answer: Message) -> bool:
    """Whether an answer has the id of its heartbeat, where there are ids."""
    if beat.ping.id is None or beat.answer is None or beat.answer.id is None:
        return True
    return _key_at(sent.value, beat.ping.id) == _key_at(answer.value, beat.answer.id)


def unanswered(history: History, ended: float, sent_by: float) -> Iterator[float]:
    """When what is owed to single clients for what they sent by a time, and has not come, must have come."""
    roles = history.contract.roles
    if not roles.requests and not roles.heartbeats:
        return
    for conversation in history.record.conversations:
        late = [due(history, one.sent) for one in replies_of(history, conversation).open]
        late += [one.due for one in beats_of(history, conversation) if one.answer is None and one.sent.t <= sent_by]
        yield from (moment for moment in late if conversation.stayed(ended) >= moment)


def _key_at(value: Any, path: str) -> str | None:
    return _key(value_at(value, path)) if has(value, path) else None


def _key(identity: Any) -> str:
    """An id of any JSON type, so that equal ones are equal: 1 is 1.0, and no text."""
    if isinstance(identity, float) and identity.is_integer():
        identity = int(identity)
    return dump_json(identity)
