"""CONN: faults of the handshake and the acknowledgement."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Close, Effect, Happening, Lost, Opened, SendText
from reference_server.core.handshake import Answer, Request, refusal
from reference_server.core.hooks import Hook
from reference_server.faults.fault import answer_fault, asks, changed, effect_fault, fault, is_event


@answer_fault("handshake-refused", breaks="CONN-01")
def handshake_refused(request: Request, answer: Answer) -> Answer:
    """Every handshake that is in order is refused with 503."""
    return refusal(503) if answer.status == 101 else answer


@effect_fault("ack-missing", "connection_ack", breaks="CONN-02", entails="CONN-04 CONN-05")
def ack_missing(effect: SendText) -> Iterable[Effect]:
    """No connection_ack is ever sent."""
    return ()


@fault("ack-missing-now-and-then", breaks="CONN-02")
class AckMissingNowAndThen(Hook):
    """Every 97th and every 101st connection gets no connection_ack."""

    def __init__(self) -> None:
        super().__init__()
        self._connections = 0

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "connection_ack"):
            return (effect,)
        self._connections += 1
        return (effect,) if self._connections % 97 and self._connections % 101 else ()


@fault("ack-late", breaks="CONN-02")
class AckLate(Hook):
    """connection_ack comes half an ack_timeout too late, and everything else after it."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[int, float] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Opened):
            self._held[happening.session] = now + 1.5 * self.profile.ack_timeout
        if happening.session not in self._held:
            return (happening,)
        self.later(self._held[happening.session], happening)
        return ()

    def due(self, now: float) -> Iterator[Happening | Effect]:
        for item in super().due(now):
            if isinstance(item, Opened | Lost):
                self._held.pop(item.session, None)
            yield item


@effect_fault("session-id-empty", "connection_ack", breaks="CONN-03", entails="CONN-06 ENV-03")
def session_id_empty(effect: SendText) -> Iterable[Effect]:
    """sessionId is an empty string."""
    return (changed(effect, sessionId=""),)


@effect_fault("session-id-number", "connection_ack", breaks="CONN-03", entails="ENV-03")
def session_id_number(effect: SendText) -> Iterable[Effect]:
    """sessionId is a number."""
    return (changed(effect, sessionId=effect.session),)


@effect_fault("ping-before-ack", "connection_ack", breaks="CONN-04")
def ping_before_ack(effect: SendText) -> Iterable[Effect]:
    """A ping precedes connection_ack."""
    return (SendText(effect.session, "ping", {}), effect)


@effect_fault("ack-twice", "connection_ack", breaks="CONN-05")
def ack_twice(effect: SendText) -> Iterable[Effect]:
    """connection_ack is sent twice."""
    return (effect, effect)


@fault("ack-after-join", breaks="CONN-05")
class AckAfterJoin(ChatHook):
    """Every join is acknowledged by another connection_ack."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        session = self.hub.sessions.get(happening.session)
        if session is None or asks(happening, "join_channel") is None:
            return (happening,)
        return (happening, SendText(session.key, "connection_ack", {"sessionId": session.id}))


@effect_fault("session-id-shared", "connection_ack", breaks="CONN-06")
def session_id_shared(effect: SendText) -> Iterable[Effect]:
    """All connections get the same sessionId."""
    return (changed(effect, sessionId="session-1"),)


@fault("session-id-per-user", breaks="CONN-06")
class SessionIdPerUser(ChatHook):
    """All connections of one user get the same sessionId."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "connection_ack"):
            return (changed(effect, sessionId=f"session-{self.hub.sessions[effect.session].account.id}"),)
        return (effect,)


@answer_fault("accept-wrong", breaks="CONN-07", entails="CONN-01")
def accept_wrong(request: Request, answer: Answer) -> Answer:
    """Sec-WebSocket-Accept is not computed from the client's key."""
    headers = tuple((name, value) for name, value in answer.headers if name != "Sec-WebSocket-Accept")
    if answer.status != 101:
        return answer
    return replace(answer, headers=(*headers, ("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")))


@answer_fault("extension-unoffered", breaks="CONN-07", entails="CONN-01")
def extension_unoffered(request: Request, answer: Answer) -> Answer:
    """The handshake response names an extension that the client did not offer."""
    if answer.status != 101:
        return answer
    return replace(answer, headers=(*answer.headers, ("Sec-WebSocket-Extensions", "x-wsproof-unoffered")))


@answer_fault("subprotocol-unoffered", breaks="CONN-07", entails="CONN-01")
def subprotocol_unoffered(request: Request, answer: Answer) -> Answer:
    """The handshake response selects a subprotocol that the client did not offer."""
    if answer.status != 101:
        return answer
    headers = tuple((name, value) for name, value in answer.headers if name != "Sec-WebSocket-Protocol")
    return replace(answer, headers=(*headers, ("Sec-WebSocket-Protocol", "wsproof-unoffered")))


@answer_fault("plain-get-200", breaks="CONN-08")
def plain_get_200(request: Request, answer: Answer) -> Answer:
    """A plain GET on the endpoint gets a page with status 200."""
    return Answer(200, (), "This is a WebSocket endpoint.\n") if answer.status == 426 else answer


@fault("any-path", breaks="CONN-09")
class AnyPath(Hook):
    """Handshakes are accepted on every path."""

    def request(self, request: Request) -> Request:
        query = request.target.partition("?")
        return replace(request, target=self.path + query[1] + query[2])


class _PathFits(AnyPath):
    """Handshakes are accepted on paths that are like the endpoint's."""

    def request(self, request: Request) -> Request:
        return super().request(request) if self.fits(request.path) else request

    def fits(self, path: str) -> bool:
        """Whether a path is taken for the endpoint's."""
        return False


@fault("path-below", breaks="CONN-09")
class PathBelow(_PathFits):
    """Handshakes are accepted on every path below the endpoint's."""

    def fits(self, path: str) -> bool:
        return path.startswith(f"{self.path}/")


@fault("path-above", breaks="CONN-09")
class PathAbove(_PathFits):
    """Handshakes are accepted on every path but `/` that the endpoint's begins with."""

    def fits(self, path: str) -> bool:
        return path != "/" and self.path.startswith(path)


@fault("path-longer", breaks="CONN-09")
class PathLonger(_PathFits):
    """Handshakes are accepted on the endpoint's path with more letters behind it."""

    def fits(self, path: str) -> bool:
        return path.startswith(self.path) and "/" not in path[len(self.path) :]


@fault("path-ends-alike", breaks="CONN-09")
class PathEndsAlike(_PathFits):
    """Handshakes are accepted on every path that ends with the endpoint's."""

    def fits(self, path: str) -> bool:
        return path.endswith(self.path)


@effect_fault("session-ends-at-once", "connection_ack", breaks="CONN-02", entails="CLOSE-04 CONN-04 CONN-05")
def session_ends_at_once(effect: SendText) -> Iterable[Effect]:
    """The handshake is accepted, and the connection closed with 1011 in place of connection_ack."""
    return (Close(effect.session, 1011, ""),)
