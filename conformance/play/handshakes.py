"""Opening handshakes: the request, overload, and the control beside a refusal.

That a bad token is refused shows something only if good ones were accepted just before and just after: an edge that is
overloaded, or an endpoint that is gone, refuses everybody. So a handshake that need not be accepted has a control on
either side of it: another connection, with the actor's own token, that must be acknowledged. Without both, what looks
like a refusal leaves the scenario undecided.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from conformance.language.deeds import Connect
from conformance.language.scenario import Actor
from conformance.language.values import DisturbedError, Enough, InconclusiveError
from conformance.play.admission import BAD_ATTEMPTS, GOOD_SECONDS, retry_after
from conformance.play.attribution import Search, ended_as, is_over
from conformance.play.context import ActorState, Context, Script
from conformance.play.deadlines import owed
from conformance.play.record import Conversation
from conformance.transport.exchange import Close, Open, Refused, Request
from conformance.transport.urls import escaped
from contract.access import token_problem
from contract.findings import Phrase, phrase
from contract.profile import Profile
from contract.templates import owned
from wire.deflate import Deflate

SWITCHING = "101 Switching Protocols"

CONTROL = "control"
"""The actor of the connections beside a refusal."""


def connect(context: Context, deed: Connect) -> Script[None]:
    """Connect an actor. A handshake that must be accepted raises `StepFailedError` where it is not."""
    state = context.actors[deed.actor]
    token = _token(context, deed.token or state.actor.user)
    if deed.token_text is not None:
        token = context.values.render(deed.token_text)
    if token == "" and context.profile.auth.where == "subprotocol":
        raise InconclusiveError(phrase("empty-subprotocol"))
    where = context.profile.auth.where
    if token is not None and token_problem(token, where) is not None:
        raise InconclusiveError(phrase("token-not-carried", where=where))
    if not deed.accepted:
        context.controlled = state.actor.user
        context.control_problem = yield from _control(context)
    request = handshake_request(context, deed, token, auto_pong=state.actor.heartbeat == "answer")
    settled = yield from _admitted(context, state, request, token, good=deed.accepted)
    if not deed.accepted:
        return
    if not settled:
        context.note(deed.actor, "none", "timeout", phrase("note-no-answer"))
        raise context.fail(phrase("handshake-late"), deed.actor, expected=SWITCHING, absent="timeout")
    conversation = context.conversation(state)
    if conversation.refused is not None:
        raise _refused(context, deed, conversation.refused)


def _token(context: Context, name: str) -> str | None:
    """The token of this name that the handshake carries; None: none. Raises `InconclusiveError`."""
    if name == "none" or not context.profile.auth.in_handshake:
        return None
    return context.values.token(name)


def _own_token(profile: Profile, user: str) -> str | None:
    """What a user's handshakes carry in general."""
    known = profile.users.get(user)
    return known.token if known is not None and profile.auth.in_handshake else None


def _admitted(context: Context, state: ActorState, request: Request, token: str | None, *, good: bool) -> Script[bool]:
    """Shake hands, again and more slowly while the endpoint says that it is overloaded; whether an answer came."""
    admission, breaker = context.setting.admission, context.setting.breaker
    patience = GOOD_SECONDS * context.setting.time_scale
    start, attempts = context.now, 0
    while True:
        attempts += 1
        turn = admission.turn(context.now)
        if turn > context.now:
            yield from context.until(lambda: False, turn, "its turn for a handshake")
        conversation = yield from _shake_hands(context, state, request, token, good=good)
        settled = bool(conversation.opened or conversation.refused)
        if conversation.refused is not None and conversation.refused.problem == "proxy":
            raise DisturbedError(phrase("proxy-in-the-way", detail=conversation.refused.detail))
        if conversation.opened is not None and good:
            admission.accepted()
            breaker.accepted()
        pause = retry_after(conversation.refused)
        if pause is None:
            return settled
        if not good:
            # It counts only where a good token is not refused for load at the same moment.
            shed = yield from _is_refused_for_load(context)
            attempts -= shed
            if attempts >= BAD_ATTEMPTS:
                return settled
            if not shed:
                continue
        if context.now - start > patience:
            if not good:
                raise DisturbedError(not_controlled(ended_as(conversation)))
            breaker.refused()
            return settled
        admission.overloaded(context.now, pause)


def _shake_hands(
    context: Context, state: ActorState, request: Request, token: str | None, *, good: bool
) -> Script[Conversation]:
    name = state.actor.name
    number = sum(one.actor == name for one in context.record.conversations) + 1
    conversation = Conversation(name, state.actor.user, number, token)
    conversation.subprotocols = request.subprotocols
    # One that may be refused, whose pings go unanswered or whose token expires, may be ended at any time.
    own = token == _own_token(context.profile, state.actor.user)
    conversation.usual = good and _answers_as_usual(state.actor) and own
    context.record.conversations.append(conversation)
    state.conversation = conversation
    state.inbox, state.controls, state.heartbeats, state.echoes = [], [], [], []
    state.amid_message, state.pongs_due, state.beats = False, [], None
    context.note(name, "out", "handshake", f"GET {request.target}")
    watch = context.setting.watch
    watch.sent(context.scenario.id, context.now)
    if conversation.usual:
        watch.opened(context.scenario.id, id(conversation), context.now)
    deadline = context.now + context.seconds("response_timeout")
    yield from context.act(Open(name, request, deadline))

    def answered() -> bool:
        return bool(conversation.opened or conversation.refused)

    yield from owed(context, answered, deadline, "the handshake's answer")
    return conversation


def _answers_as_usual(actor: Actor) -> bool:
    return actor.heartbeat == "answer" and actor.answer is None


def _control(context: Context) -> Script[Phrase | None]:
    """Connect with a good token, and leave: None where it was acknowledged, else how it ended."""
    state, request, token = _controlling(context)
    yield from _admitted(context, state, request, token, good=True)
    conversation = context.conversation(state)
    acknowledged = conversation.opened is not None and (yield from _acknowledged(context, state))
    problem = None if acknowledged else ended_as(conversation)
    yield from _dismiss(context, conversation)
    return problem


def _acknowledged(context: Context, state: ActorState) -> Script[bool]:
    """Whether an open connection is acknowledged: by its handshake, or by what the contract says."""
    role = context.contract.acknowledgement
    if role is None:
        return True
    if role.send is not None:
        message = context.values.render(owned(role.send, context.controlled))
        yield from context.act(context.message_action(state, message))
    found = Search(state, lambda message: context.contract.acknowledges(message.event))
    deadline = context.now + context.seconds("ack_timeout")
    yield from owed(context, lambda: found() is not None or is_over(state), deadline, "an acknowledgement", state)
    return found() is not None


def _is_refused_for_load(context: Context) -> Script[bool]:
    """Whether a good handshake, tried once, gets an answer that speaks of load."""
    conversation = yield from _shake_hands(context, *_controlling(context), good=True)
    yield from _dismiss(context, conversation)
    return conversation.refused is not None


def _controlling(context: Context) -> tuple[ActorState, Request, str | None]:
    """The control's actor, its request, and the token of whoever is controlled."""
    state = context.actors.setdefault(CONTROL, ActorState(Actor(CONTROL, context.controlled)))
    token = _token(context, context.controlled)
    return state, handshake_request(context, Connect(CONTROL), token, auto_pong=True), token


def _dismiss(context: Context, conversation: Conversation) -> Script[None]:
    """Close a control's connection, where it is open."""
    if conversation.is_open:
        context.leave(conversation)
        yield from context.act(Close(CONTROL, 1000))


def not_controlled(answer: Phrase) -> Phrase:
    """The reason of a refusal that shows nothing."""
    return phrase("not-controlled", answer=answer)


def confirm_refusal(context: Context) -> Script[None]:
    """A refusal came: hold it against the controls. Raises `DisturbedError` where one of them was refused as well."""
    problem = context.control_problem or (yield from _control(context))
    if problem is not None:
        raise DisturbedError(not_controlled(problem))


def _refused(context: Context, deed: Connect, refused: Refused) -> Exception:
    actor = deed.actor
    if refused.problem == "tls":
        # What either side trusts is a matter of the set-up.
        return DisturbedError(phrase("tls-failed", problem=refused.detail))
    if deed.deflate and refused.detail.code == "answer-extension":
        # What was offered is not what CONN-07 forbids; the step says what an answer to it is charged to.
        return context.fail(
            phrase("answer-unfit"),
            actor,
            expected=phrase("answer-to-offer"),
            received=refused.detail,
        )
    if isinstance(deed.deflate, Mapping) and refused.problem == "status" and refused.status in range(400, 500):
        # `ws` and Autobahn refuse demands that they cannot meet. WIRE-09 begins where compression is negotiated.
        context.note(actor, "none", "note", phrase("note-demands-refused"))
        return Enough()
    if refused.problem in ("accept", "negotiation"):
        # The answer is wrong in itself (RFC 6455 §4.2.2), and no refusal.
        return context.fail(
            phrase("handshake-wrong"),
            actor,
            charge=context.charge("upgrade"),
            expected=phrase("handshake-prescribed"),
            received=refused.detail,
        )
    # An answer that speaks of load was asked for again, for as long as is granted: that is no accident.
    return context.fail(
        phrase("handshake-refused"),
        actor,
        expected=SWITCHING,
        received=refused.shown,
        absent=None if retry_after(refused) is not None else "refused",
    )


def handshake_request(context: Context, deed: Connect, token: str | None, *, auto_pong: bool) -> Request:
    """The request of a scenario's actor."""
    answer = auto_pong or context.profile.heartbeat.form != "control"
    state = context.actors[deed.actor]
    made = request_for(deed, context.profile, context.setting.target, token, lambda one: context.own(state, one))
    return replace(made, answer_control_pings=answer)


def request_for(
    deed: Connect, profile: Profile, target: str, token: str | None, render: Callable[[Any], Any]
) -> Request:
    """The request with the token where the profile says it travels (CLIENT-01)."""
    target, carried, protocols = authorised(profile, target, token)
    standing = standing_headers(profile)
    headers = {**standing, **carried}
    if "Cookie" in standing and "Cookie" in carried:
        # A request has one such header (RFC 6265 §5.4).
        headers["Cookie"] = f"{standing['Cookie']}; {carried['Cookie']}"
    if deed.path is not None:
        parts = urlsplit(target)
        target = escaped(render(deed.path)) + (f"?{parts.query}" if parts.query else "")
    elif profile.path is not None:
        target = _followed(target, escaped(render(profile.path)))
    headers.update({name: render(value) for name, value in (deed.headers or {}).items()})
    offered = profile.offered if deed.subprotocols is None else render(list(deed.subprotocols))
    # RFC 6455 section 4.1: none of them twice.
    protocols = tuple(dict.fromkeys((*profile.access.subprotocols, *protocols, *offered)))
    deflate = _deflate(deed.deflate)
    return Request(target, tuple(headers.items()), protocols, deflate, upgrade=deed.upgrade, narrow=deed.narrow)


def _followed(target: str, more: str) -> str:
    """A request target with another path behind its own, and the queries of both."""
    (path, _, query), (behind, _, asked) = target.partition("?"), more.partition("?")
    queries = "&".join(one for one in (query, asked) if one)
    return path.rstrip("/") + behind + (f"?{queries}" if queries else "")


def standing_headers(profile: Profile) -> dict[str, str]:
    """The headers of every request, whoever makes it."""
    headers = dict(profile.access.headers)
    if profile.origin is not None:
        headers["Origin"] = profile.origin
    if profile.access.basic is not None:
        headers["Authorization"] = basic_credentials(profile.access.basic)
    if profile.access.cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in profile.access.cookies)
    return headers


def basic_credentials(text: str) -> str:
    """The value of `Authorization` for `user:password` (RFC 7617); without a colon, the password is empty."""
    name, _, password = text.partition(":")
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def _deflate(offer: bool | Mapping[str, Any]) -> Deflate | None:
    if isinstance(offer, bool):
        return Deflate() if offer else None
    return Deflate(**offer)


def authorised(profile: Profile, target: str, token: str | None) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Request target, headers and subprotocols that carry the token."""
    if token is None:
        return target, {}, ()
    name = profile.auth.name
    match profile.auth.where:
        case "query":
            # What is there stays as it was written: an endpoint may tell + from %20.
            path, _, query = target.partition("?")
            return f"{path}?{query}{'&' if query else ''}{urlencode({name: token}, quote_via=quote)}", {}, ()
        case "header":
            return target, {name: f"Bearer {token}" if name.lower() == "authorization" else token}, ()
        case "basic":
            return target, {name: basic_credentials(token)}, ()
        case "cookie":
            return target, {"Cookie": f"{name}={token}"}, ()
        case "subprotocol":
            return target, {}, (name, token)
        case _:  # in a message, or nowhere
            return target, {}, ()
