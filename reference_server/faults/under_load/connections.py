"""CONN-01, CONN-02, CONN-04, CONN-05, CONN-07, AUTH-06, CLOSE: connections that begin or end wrong now and then."""

from collections.abc import Iterable
from dataclasses import replace

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Effect, Frame, SendText
from reference_server.core.handshake import Answer, Request, refusal
from reference_server.faults.authentication import KnowsTokens
from reference_server.faults.closing import ClosedByClient
from reference_server.faults.fault import changed, fault, is_event
from reference_server.faults.under_load.deliveries import CROWD
from reference_server.faults.under_load.now_and_then import NowAndThen
from wire.frames import Opcode

# The handshake


@fault("handshake-500-in-a-crowd", breaks="CONN-01", under_load=True)
class HandshakeRefused(ChatHook):
    """While ten connections are open, every further handshake is refused with 500."""

    def answer(self, request: Request, answer: Answer) -> Answer:
        return refusal(500) if answer.status == 101 and len(self.hub.sessions) >= CROWD else answer


@fault("handshake-hangs-in-20", breaks="CONN-01", under_load=True)
class HandshakeHangs(NowAndThen):
    """Every 20th handshake gets no answer."""

    every = 20

    def answers(self, request: Request) -> bool:
        return not self.is_due()


class _Accepted(NowAndThen):
    """Changes every nth response that accepts a handshake."""

    def answer(self, request: Request, answer: Answer) -> Answer:
        return self.change(answer) if answer.status == 101 and self.is_due() else answer

    def change(self, answer: Answer) -> Answer:
        raise NotImplementedError


@fault("accept-wrong-in-20", breaks="CONN-07", under_load=True)
class AcceptWrong(_Accepted):
    """Every 20th handshake is answered with the accept value of another key."""

    every = 20

    def change(self, answer: Answer) -> Answer:
        wrong = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        headers = [(name, wrong if name.lower() == "sec-websocket-accept" else value) for name, value in answer.headers]
        return replace(answer, headers=tuple(headers))


@fault("extension-unasked-in-20", breaks="CONN-07", under_load=True)
class ExtensionUnasked(_Accepted):
    """Every 20th handshake is answered with an extension that nobody offered."""

    every = 20

    def change(self, answer: Answer) -> Answer:
        return replace(answer, headers=(*answer.headers, ("Sec-WebSocket-Extensions", "x-unasked")))


# The acknowledgement


class _Acknowledged(NowAndThen):
    """Replaces every nth connection_ack."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        due = is_event(effect, "connection_ack") and self.is_due()
        return self.wrong(effect, now) if due and isinstance(effect, SendText) else (effect,)

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        raise NotImplementedError


@fault("ack-missing-in-20", breaks="CONN-02", under_load=True)
class AckMissing(_Acknowledged):
    """Every 20th connection gets no connection_ack."""

    every = 20

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        return ()


@fault("ack-late-in-20", breaks="CONN-02", under_load=True)
class AckLate(_Acknowledged):
    """Every 20th connection_ack comes half an ack_timeout too late."""

    every = 20

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        self.later(now + 1.5 * self.profile.ack_timeout, effect)
        return ()


@fault("ping-before-ack-in-20", breaks="CONN-04", under_load=True)
class PingBeforeAck(_Acknowledged):
    """A ping precedes every 20th connection_ack."""

    every = 20

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (SendText(effect.session, "ping", {}), effect)


@fault("ack-twice-in-20", breaks="CONN-05", under_load=True)
class AckTwice(_Acknowledged):
    """Every 20th connection_ack comes twice."""

    every = 20

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect, effect)


@fault("token-in-session-in-20", breaks="AUTH-06", under_load=True)
class TokenInSession(KnowsTokens, _Acknowledged):
    """Every 20th sessionId is made of the token."""

    every = 20

    def wrong(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (changed(effect, sessionId=f"{self.token_of(effect.session)}.{effect.session}"),)


# The end


class _Closing(ClosedByClient, NowAndThen):
    """Answers every nth close frame of a client otherwise."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        due = frame.opcode == Opcode.CLOSE and frame.session in self.closed and self.is_due()
        return self.wrong(frame) if due else (frame,)

    def wrong(self, frame: Frame) -> Iterable[Frame]:
        return ()


@fault("close-without-frame-in-10", breaks="CLOSE-01", under_load=True)
class CloseWithoutFrame(_Closing):
    """Every 10th close frame of a client is answered by the end of the TCP connection alone."""

    every = 10


@fault("close-unanswered-in-10", breaks="CLOSE-01", under_load=True)
class CloseUnanswered(_Closing):
    """Every 10th close frame of a client is not answered, and the TCP connection stays open."""

    every = 10

    def __init__(self) -> None:
        super().__init__()
        self._kept: set[int] = set()

    def wrong(self, frame: Frame) -> Iterable[Frame]:
        self._kept.add(frame.session)
        return ()

    def ends_tcp(self, session: int) -> bool:
        return session not in self._kept


@fault("close-code-1005-in-10", breaks="CLOSE-02", under_load=True)
class CloseCode1005(_Closing):
    """Every 10th close frame of a client is answered with 1005."""

    every = 10

    def wrong(self, frame: Frame) -> Iterable[Frame]:
        return (replace(frame, data=(1005).to_bytes(2, "big")),)
