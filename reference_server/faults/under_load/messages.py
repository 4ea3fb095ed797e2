"""ENV, HB-02, CONN-03, CONN-06: messages of whatever event that are wrong now and then."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference_server.core.exchange import Effect, Frame, Outgoing, SendText
from reference_server.faults.fault import changed, fault, is_event, rewritten, written
from reference_server.faults.posting import Deliveries
from reference_server.faults.under_load.now_and_then import NowAndThen
from wire.frames import Opcode


class _Written(NowAndThen):
    """Changes every nth message of one event as it is written."""

    event = "new_message"

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None or message["event"] != self.event or not self.is_due():
            return (outgoing,)
        assert isinstance(outgoing, Frame)
        return (self.wrong(outgoing, message),)

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        raise NotImplementedError


@fault("message-cut-in-200", breaks="ENV-01", entails="SEND-01", under_load=True)
class MessageCut(_Written):
    """Every 200th delivery ends in the middle of its JSON."""

    every = 200

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return replace(frame, data=frame.data[: len(frame.data) // 2])


@fault("message-binary-in-200", breaks="ENV-01", entails="SEND-01", under_load=True)
class MessageBinary(_Written):
    """Every 200th delivery is a binary message."""

    every = 200

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return replace(frame, opcode=Opcode.BINARY)


@fault("event-missing-in-200", breaks="ENV-02", entails="SEND-01", under_load=True)
class EventMissing(_Written):
    """Every 200th delivery has no event."""

    every = 200

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return rewritten(frame, {name: value for name, value in message.items() if name != "event"})


@fault("channel-number-in-200", breaks="ENV-03", entails="SEND-01", under_load=True)
class ChannelNumber(_Written):
    """Every 200th delivery has a number for its channel."""

    every = 200

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return rewritten(frame, {**message, "payload": {**message["payload"], "channelId": 7}})


@fault("sequence-stands-in-200", breaks="ENV-04", entails="ENV-05", under_load=True)
class SequenceStands(_Written):
    """Every 200th delivery has the sequence of the message before."""

    every = 200

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return rewritten(frame, {**message, "sequence": message["sequence"] - 1})


@fault("sequence-leaps-in-200", breaks="ENV-05", under_load=True)
class SequenceLeaps(NowAndThen):
    """At every 200th message, its connection's sequence leaves a number out."""

    every = 200

    def __init__(self) -> None:
        super().__init__()
        self._leapt: dict[int, int] = {}

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None:
            return (outgoing,)
        leapt = self._leapt[outgoing.session] = self._leapt.get(outgoing.session, 0) + self.is_due()
        return (rewritten(outgoing, {**message, "sequence": message["sequence"] + leapt}),)


@fault("member-undeclared-in-200", breaks="ENV-08", under_load=True)
class MemberUndeclared(_Written):
    """Every 200th delivery has a member that no schema names."""

    every = 200

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return rewritten(frame, {**message, "node": "b-7"})


@fault("event-undeclared-in-100", breaks="ENV-08", under_load=True)
class EventUndeclared(Deliveries, NowAndThen):
    """Every 100th delivery is preceded by an event that the contract does not name."""

    every = 100

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        notice = SendText(effect.session, "presence", {"members": self.receivers})
        return (notice, effect) if self.is_due() else (effect,)


class _Event(NowAndThen):
    """Changes every nth message of one event."""

    event = ""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return (self.change(effect),) if is_event(effect, self.event) and self.is_due() else (effect,)

    def change(self, effect: SendText) -> SendText:
        raise NotImplementedError


@fault("session-id-empty-in-20", breaks="CONN-03", entails="ENV-03", under_load=True)
class SessionIdEmpty(_Event):
    """Every 20th connection_ack has an empty sessionId."""

    event, every = "connection_ack", 20

    def change(self, effect: SendText) -> SendText:
        return changed(effect, sessionId="")


@fault("session-id-again-in-20", breaks="CONN-06", under_load=True)
class SessionIdAgain(_Event):
    """Every 20th connection gets the session of an earlier one."""

    event, every = "connection_ack", 20
    _former = ""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        out = tuple(super().effect(effect, now))
        if is_event(effect, self.event):
            self._former = effect.payload["sessionId"]
        return out

    def change(self, effect: SendText) -> SendText:
        return changed(effect, sessionId=self._former)


@fault("ping-payload-in-5", breaks="HB-02", entails="ENV-02", under_load=True)
class PingPayload(_Written):
    """Every 5th ping of all has a string for its payload."""

    event, every = "ping", 5

    def wrong(self, frame: Frame, message: dict[str, Any]) -> Outgoing:
        return rewritten(frame, {**message, "payload": "ping"})
