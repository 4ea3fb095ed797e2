"""Requests of an actor, and the replies that repeat their ids."""

from collections.abc import Sequence

from conformance.language.awaited import Expectation, SendRequest
from conformance.language.requests import identified, last_replies, possible_replies, role_of, wants_text, with_id
from conformance.language.values import ScenarioError
from conformance.play.attribution import Search
from conformance.play.context import ActorState, Context, Script
from conformance.play.receiving import Wanted, receive
from conformance.play.record import UNPARSED, Message
from contract.paths import value_at
from contract.roles import Reply


def request(context: Context, deed: SendRequest) -> Script[None]:
    """Send a request with an id of its own, and take its replies.

    A last reply that is none of the expected ones ends the wait.
    """
    state, contract = context.actors[deed.actor], context.contract
    message = context.own(state, deed.message)
    role = role_of(contract, message)
    if role is None:
        raise ScenarioError(f"contract.yaml has no request {contract.name_of(message, 'client') or message!r}")
    values = context.values
    message = identified(message, role, values.uuid("") if wants_text(contract, role) else values.counter(""))
    key = value_at(message, role.id)
    replies = _Replies(context, state, possible_replies(contract, role), key)
    of = deed.of or tuple(Expectation(one.name) for one in last_replies(role))
    wanted = [replies.wanted(one) for one in of]
    deadline = context.now + context.seconds(deed.within)
    yield from context.act(context.message_action(state, message))
    yield from receive(context, state, wanted, deadline, listed=True, otherwise=replies.other(wanted))
    if not deed.of:
        state.inbox = [one for one in state.inbox if not replies.has(one)]


class _Replies:
    """The replies to one request: which of an actor's messages they are."""

    def __init__(self, context: Context, state: ActorState, replies: Sequence[Reply], key: object) -> None:
        self._context, self._state, self._replies, self._key = context, state, replies, key

    def wanted(self, one: Expectation) -> Wanted:
        """A reply that is awaited: it has the request's id as well."""
        paths = {reply.id for reply in self._replies if one.event in (None, reply.name)}
        match = self._context.values.render(one.match)
        found = [with_id(path, self._key, match) for path in sorted(paths)]
        return Wanted(one, found[0] if len(found) == 1 else {"$in": found})

    def has(self, message: Message, *, last: bool = False) -> bool:
        """Whether a message replies to the request; `last`: and none follows it."""
        return message.value is not UNPARSED and any(
            message.event == one.name
            and value_at(message.value, one.id) == self._key
            and (not last or one.last or one.failure)
            for one in self._replies
        )

    def other(self, wanted: Sequence[Wanted]) -> Search:
        """The search for a last reply that is none of those that are awaited."""
        return Search(
            self._state,
            lambda message: (
                self.has(message, last=True) and not any(one.fits(self._context, message) for one in wanted)
            ),
        )
