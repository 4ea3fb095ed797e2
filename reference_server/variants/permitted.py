"""Correct servers that do what the specification leaves open in other ways, always."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import (
    Abort,
    Account,
    Close,
    Effect,
    Frame,
    Happening,
    Lost,
    Opened,
    Outgoing,
    SendText,
)
from reference_server.core.exchange import Binary as BinaryMessage
from reference_server.core.exchange import Text as TextMessage
from reference_server.core.handshake import Answer, Request, Verdict
from reference_server.core.hooks import Hook
from reference_server.faults.fault import asks, channel_of, error, is_event, rewritten, with_message, written
from reference_server.variants.liberty import liberty
from wire.close_codes import is_legal_payload
from wire.frames import Opcode

# Time


@liberty("ack-late")
class AckLate(Hook):
    """A connection sleeps for four tenths of the acknowledgement's time before the server takes notice of it."""

    def __init__(self) -> None:
        super().__init__()
        self._asleep: dict[int, float] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Opened):
            self._asleep[happening.session] = now + 0.4 * self.profile.ack_timeout
        until = self._asleep.get(happening.session, 0.0)
        if now >= until:
            return (happening,)
        self.later(until, happening)
        return ()


@liberty("answers-slow")
class AnswersSlow(Hook):
    """Every message of a client waits for a quarter of a second before it is handled, and so does its leaving; pongs
    do not."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not isinstance(happening, TextMessage | BinaryMessage | Lost) or asks(happening, "pong") is not None:
            return (happening,)
        self.later(now + 0.25, happening)
        return ()


@liberty("receivers-apart")
class ReceiversApart(Hook):
    """Each connection's messages arrive with a delay of its own, of up to three tenths of a second."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not isinstance(effect, SendText | Close):
            return (effect,)
        self.later(now + effect.session % 4 / 10, effect)
        return ()


@liberty("heartbeat-jitter")
class HeartbeatJitter(Hook):
    """Pings are late by up to a seventh of the interval, by turns."""

    def __init__(self) -> None:
        super().__init__()
        self._pings: Counter[int] = Counter()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "ping"):
            return (effect,)
        self._pings[effect.session] += 1
        turn = self._pings[effect.session] + effect.session
        self.later(now + self.profile.heartbeat.interval / 7 * (turn % 2), effect)
        return ()


@liberty("ping-at-once")
class PingAtOnce(Hook):
    """The first ping comes right after the acknowledgement, and the rhythm goes on from there."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "connection_ack"):
            return (effect,)
        return (effect, SendText(effect.session, "ping", {}))


# The form of messages


class _Rewriting(Hook):
    def change(self, message: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        return (outgoing,) if message is None else (rewritten(outgoing, self.change(message)),)


@liberty("no-sequence")
class NoSequence(_Rewriting):
    """Messages have no sequence."""

    def change(self, message: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in message.items() if name != "sequence"}


@liberty("sequence-from-far")
class SequenceFromFar(_Rewriting):
    """The sequence of a connection begins with a large number."""

    def change(self, message: dict[str, Any]) -> dict[str, Any]:
        return {**message, "sequence": message["sequence"] + 2**52}


@liberty("members-reversed")
class MembersReversed(_Rewriting):
    """The members of an envelope come in another order."""

    def change(self, message: dict[str, Any]) -> dict[str, Any]:
        return dict(reversed(message.items()))


@liberty("json-escaped")
class JsonEscaped(Hook):
    """JSON is written in ASCII, with escapes, spaces and line ends."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None or not isinstance(outgoing, Frame):
            return (outgoing,)
        return (replace(outgoing, data=json.dumps(message, indent=3).replace("\n", "\r\n").encode()),)


@liberty("ids-numeric")
class IdsNumeric(Hook):
    """Message ids are strings of digits, and author ids are long and opaque."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, str] = {}

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "new_message"):
            return (effect,)
        message = effect.payload["message"]
        number = self._numbers.setdefault(message["id"], str(9_000_000_000 + len(self._numbers)))
        author = {**message["author"], "id": f"urn:user:{message['author']['id'].encode().hex():0>64}"}
        return (with_message(effect, id=number, author=author),)


class _Timestamp(Hook):
    def change(self, stamp: str) -> str:
        raise NotImplementedError

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "new_message"):
            return (effect,)
        return (with_message(effect, timestamp=self.change(effect.payload["message"]["timestamp"])),)


@liberty("timestamp-offset")
class TimestampOffset(_Timestamp):
    """Timestamps have the offset of Tokyo, and nine digits of a second."""

    def change(self, stamp: str) -> str:
        there = datetime.fromisoformat(stamp).astimezone(timezone(timedelta(hours=9)))
        return f"{there:%Y-%m-%dT%H:%M:%S}.{there.microsecond:06d}000+09:00"


@liberty("timestamp-lower-case")
class TimestampLowerCase(_Timestamp):
    """Timestamps have a lower-case `t` and `z`, and whole seconds."""

    def change(self, stamp: str) -> str:
        return stamp[:19].lower() + "z"


@liberty("errors-in-japanese")
class ErrorsInJapanese(Hook):
    """The messages of errors are in Japanese."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "error"):
            return (effect,)
        return (replace(effect, payload={**effect.payload, "message": "メッセージを受け付けられません。"}),)


# The handshake


@liberty("refused-after-accepting")
class RefusedAfterAccepting(Hook):
    """A bad token is refused by a close frame, after the handshake was accepted."""

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        return Account("refused", "refused") if isinstance(verdict, str) else verdict

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Opened) and happening.account.id == "refused":
            return (Close(happening.session, self.profile.close_codes["token_expired"], "who are you?"),)
        return (happening,)


@liberty("refused-with-403")
class RefusedWith403(Hook):
    """A bad token is refused with 403, and a bad request with 400."""

    def answer(self, request: Request, answer: Answer) -> Answer:
        return replace(answer, status={401: 403, 426: 400, 405: 400}.get(answer.status, answer.status))


@liberty("headers-added")
class HeadersAdded(Hook):
    """Answers have headers of their own, such as those of a proxy."""

    def answer(self, request: Request, answer: Answer) -> Answer:
        more = (("Via", "1.1 proxy"), ("X-Request-Id", "4bf92f3577b34da6"), ("Set-Cookie", "node=7; Path=/; HttpOnly"))
        return replace(answer, headers=(*answer.headers, *more))


@liberty("compression-declined")
class CompressionDeclined(Hook):
    """permessage-deflate is never negotiated."""

    def request(self, request: Request) -> Request:
        kept = tuple(one for one in request.headers if one[0].lower() != "sec-websocket-extensions")
        return replace(request, headers=kept)


# Control frames and closing


@liberty("control-pings-too")
class ControlPingsToo(Hook):
    """Before every ping message there is a ping frame as well."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None or message["event"] != "ping":
            return (outgoing,)
        return (Frame(outgoing.session, Opcode.PING, b"library"), outgoing)


class _ClosedByClient(Hook):
    """Knows the connections whose client has sent a close frame that a server may only answer."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: set[int] = set()

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode == Opcode.CLOSE and is_legal_payload(frame.data):
            self.closed.add(frame.session)
        return (frame,)


@liberty("close-answered-with-1000")
class CloseAnsweredWith1000(_ClosedByClient):
    """Whatever code a client closes with, it is answered by 1000."""

    answer_data = (1000).to_bytes(2, "big")

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode == Opcode.CLOSE and frame.session in self.closed:
            return (replace(frame, data=self.answer_data),)
        return (frame,)


@liberty("close-answered-without-code")
class CloseAnsweredWithoutCode(CloseAnsweredWith1000):
    """A client's close frame is answered by an empty one."""

    answer_data = b""


@liberty("close-reasons-long")
class CloseReasonsLong(Hook):
    """The server's close frames have reasons as long as they may be, beyond ASCII."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        return (replace(outgoing, reason="閉じる" * 13 + "。。"),) if isinstance(outgoing, Close) else (outgoing,)


@liberty("binary-refused-by-error")
class BinaryRefusedByError(Hook):
    """A binary message yields an error instead of a close."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, BinaryMessage):
            return (error(happening.session, self.profile, "INVALID_MESSAGE"),)
        return (happening,)


@liberty("violations-end-tcp")
class ViolationsEndTcp(_ClosedByClient):
    """Where the transport's rules are broken, the TCP connection ends without a close frame."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        violation = frame.data[:2] in (b"\x03\xea", b"\x03\xef") and frame.session not in self.closed
        return () if frame.opcode == Opcode.CLOSE and violation else (frame,)


@liberty("invalid-bursts-limited")
class InvalidBurstsLimited(Hook):
    """A client that sends three invalid messages within a tenth of a second is closed with `rate_limited`."""

    def __init__(self) -> None:
        super().__init__()
        self._errors: dict[int, list[float]] = {}

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "error"):
            return (effect,)
        recent = [one for one in self._errors.get(effect.session, []) if one > now - 0.1] + [now]
        self._errors[effect.session] = recent
        if len(recent) < 3:
            return (effect,)
        return (Close(effect.session, self.profile.close_codes["rate_limited"], "slow down"),)


@liberty("errors-by-another-way")
class ErrorsByAnotherWay(Hook):
    """Errors come a seventh of a second later than all else that was caused with them, in their own order."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "error"):
            return (effect,)
        self.later(now + 1 / 7, effect)
        return ()


# Members that do not read

UNREAD = 65_536
"""Bytes that may wait for one of them."""


@liberty("unread-messages-dropped")
class UnreadMessagesDropped(Hook):
    """While 64 KiB wait for a member that does not read, it gets no messages more."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return () if is_event(effect, "new_message") and self.waiting(effect.session) > UNREAD else (effect,)


@liberty("unread-messages-dropped-when-numbered")
class UnreadMessagesDroppedWhenNumbered(Hook):
    """While 64 KiB wait for a member that does not read, it gets nothing more; the sequence shows the gap."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        dropped = written(outgoing) is not None and self.waiting(outgoing.session) > UNREAD
        return () if dropped else (outgoing,)


class _Ending(Hook):
    """Ends the connection of a member for whom too much waits."""

    def end(self, session: int) -> Close | Abort:
        raise NotImplementedError

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        full = isinstance(effect, SendText) and self.waiting(effect.session) > UNREAD
        return (self.end(effect.session),) if full else (effect,)


@liberty("unread-connection-closed")
class UnreadConnectionClosed(_Ending):
    """A member that has 64 KiB waiting is closed with `policy`."""

    def end(self, session: int) -> Close | Abort:
        return Close(session, self.profile.close_codes["policy"], "too slow")


@liberty("unread-connection-cut")
class UnreadConnectionCut(_Ending):
    """A member that has 64 KiB waiting is cut off."""

    def end(self, session: int) -> Close | Abort:
        return Abort(session)


@liberty("expired-token-stays")
class ExpiredTokenStays(Hook):
    """A connection whose token expires stays open, as it may."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if isinstance(effect, Close) and effect.code == self.profile.close_codes["token_expired"]:
            return ()
        return (effect,)


# Joining


@liberty("history-on-join")
class HistoryOnJoin(ChatHook):
    """Who enters a channel gets what was said there before, up to fifty messages."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, list[SendText]] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel, session = channel_of(asks(happening, "join_channel")), self.hub.sessions.get(happening.session)
        channels = self.hub.channels
        if channel is None or session is None or channels.is_member(channel, session.key):
            return (happening,)
        if not (channels.permits(channel, session.account) and channels.exists(channel)):
            return (happening,)
        return (happening, *(replace(one, session=session.key) for one in self._said.get(channel, ())))

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message"):
            said = self._said.setdefault(effect.payload["channelId"], [])
            if not any(one.payload is effect.payload for one in said):
                said.append(effect)
                del said[:-50]
        return (effect,)
