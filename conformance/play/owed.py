"""Which deliveries an endpoint owes, and until when.

Protocols do not say when a join takes effect, so it is taken from what came: once any post to a channel has arrived on
a connection, its join is in force, and every later post to that channel is owed to it. Earlier ones may or may not
come.

A post is owed if it was accepted. It was if any connection received it. If none did, it was only if no server could
have refused it: a plain message that fits its schema, with no member that the contract does not declare, of a sender
that had joined, stayed, and got no error afterwards.

It is owed to connections that stayed, and read, for the response timeout after it was sent; what the tester was held up
meanwhile is added. Whoever left before, or stopped reading, is owed nothing. Nor is anybody once the endpoint has said
that it is sent too much.

The engine waits for what is owed at the end of a scenario (`outstanding`), and the check `delivered` judges it.
"""

import math
from collections.abc import Iterator
from itertools import chain

from conformance.play.attribution import is_rate_limited
from conformance.play.history import History
from conformance.play.posts import Deliveries, Post, collect
from conformance.play.record import Conversation
from conformance.play.replies import due as due_by
from conformance.play.replies import is_right, unanswered
from contract.paths import has


def outstanding(history: History, sent_by: float = math.inf) -> float | None:
    """When the last delivery or reply that is owed, and has not come, must have come; None: there is none.

    Of heartbeats only those that were sent by a time: they go on for as long as their answers are waited for.
    """
    deliveries = (
        due
        for _, conversation, due, arrived in owing(history, collect(history), math.inf)
        if not arrived and conversation.stayed(math.inf) >= due
    )
    return max(chain(deliveries, _replies(history, sent_by)), default=None)


def _replies(history: History, sent_by: float) -> Iterator[float]:
    roles = history.contract.roles
    if (roles.requests or roles.heartbeats) and not is_rate_limited(history.record, history.contract, history.profile):
        yield from unanswered(history, math.inf, sent_by)


def owing(history: History, found: Deliveries, ended: float) -> Iterator[tuple[Post, Conversation, float, bool]]:
    """Every post with each connection that it is owed to: when it must have come, and whether it has."""
    if is_rate_limited(history.record, history.contract, history.profile):
        return
    reached = {(one.post.nonce, id(one.message.conversation)) for one in found.arrivals}
    accepted = {one.post.nonce for one in found.arrivals}
    in_force: dict[tuple[int, str], float] = {}
    for one in found.arrivals:
        conversation = one.message.conversation
        if found.has_joined(conversation, one.post.channel, one.message.t):
            in_force.setdefault((id(conversation), one.post.channel), one.message.t)
    for post in found.posts:
        due = due_by(history, post.sent)
        if not (post.nonce in accepted or _owed(history, post, in_force, due, ended)):
            continue
        for conversation in history.record.conversations:
            since = in_force.get((id(conversation), post.channel))
            if since is not None and since < post.sent.t and found.is_owed(post, conversation):
                yield post, conversation, due, (post.nonce, id(conversation)) in reached


def _owed(history: History, post: Post, in_force: dict[tuple[int, str], float], due: float, ended: float) -> bool:
    """Whether a post that reached nobody should have: a plain one of a member that stayed and got no error."""
    sender = post.sent.conversation
    since = in_force.get((id(sender), post.channel))
    if since is None or since >= post.sent.t or sender.stayed(ended) < due:
        return False
    contract, value = history.contract, post.sent.value
    if not is_right(contract, post.sent) or any(has(value, number.at) for number in contract.roles.numbers):
        return False
    return not any(contract.reports_error(one.event) and one.t >= post.sent.t for one in sender.received)
