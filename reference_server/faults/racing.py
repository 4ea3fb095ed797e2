"""SEND-01, SEND-07, SEND-08, ERR-08, ERR-10: what a server does side by side, or later, overtakes or is lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Effect, Frame, Happening, Lost, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import asks, channel_of, fault, is_event
from reference_server.faults.posting import Deliveries
from wire.frames import Opcode

LONG = 1_000
"""Code points of a text that takes a path of its own."""

ASIDE_SECONDS = 0.15
"""How long what takes another path is behind."""


def is_long(payload: Mapping[str, Any] | None) -> bool:
    """Whether a payload has a long text."""
    text = payload.get("text") if payload is not None else None
    return isinstance(text, str) and len(text) > LONG


class _Aside(ChatHook):
    """Handles some messages later. What waits when a connection ends is handled before that, or is lost."""

    loses = False

    def __init__(self) -> None:
        super().__init__()
        self._pending: dict[int, list[Happening]] = defaultdict(list)

    def is_late(self, happening: Text) -> bool:
        """Whether this one is handled later."""
        return True

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost):
            left = self._pending.pop(happening.session, [])
            return (happening,) if self.loses and happening.clean else (*left, happening)
        if not isinstance(happening, Text) or asks(happening, "pong") is not None or not self.is_late(happening):
            return (happening,)
        self._pending[happening.session].append(happening)
        self.later(now + ASIDE_SECONDS, happening)
        return ()

    def due(self, now: float) -> Iterator[Happening | Effect]:
        for item in super().due(now):
            pending = self._pending.get(item.session, ())
            if isinstance(item, Text) and not any(one is item for one in pending):
                continue
            if isinstance(item, Text):
                self._pending[item.session].remove(item)
            yield item


# Messages whose sender has gone


@fault("messages-lost-on-close", breaks="SEND-01", entails="CLOSE-01")
class MessagesLostOnClose(_Aside):
    """Messages wait 150 ms before they are handled; those that still wait when their sender closes are lost."""

    loses = True


@fault("long-posts-lost-on-close", breaks="SEND-01")
class LongPostsLostOnClose(_Aside):
    """Posts over 1,000 characters, and what is behind them, wait 150 ms; if the poster closes, they are lost."""

    loses = True

    def is_late(self, happening: Text) -> bool:
        return bool(self._pending[happening.session]) or is_long(asks(happening, "send_message"))


# Posts that are overtaken


@fault("long-posts-overtaken", breaks="SEND-07")
class LongPostsOvertaken(_Aside):
    """Posts of more than 1,000 characters are handled 150 ms later, and what is behind them is handled at once."""

    def is_late(self, happening: Text) -> bool:
        return is_long(asks(happening, "send_message"))


@fault("fragmented-posts-overtaken", breaks="SEND-07")
class FragmentedPostsOvertaken(_Aside):
    """Messages in several frames are handled 150 ms later, and what is behind them is handled at once."""

    def __init__(self) -> None:
        super().__init__()
        self._fragmented: set[int] = set()

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode == Opcode.CONT:
            self._fragmented.add(frame.session)
        elif frame.opcode == Opcode.TEXT:
            self._fragmented.discard(frame.session)
        return (frame,)

    def is_late(self, happening: Text) -> bool:
        return happening.session in self._fragmented


@fault("posts-behind-an-error-overtaken", breaks="SEND-07")
class PostsBehindAnErrorOvertaken(_Aside):
    """The post behind an error is handled 150 ms later, and what is behind it is handled at once."""

    def __init__(self) -> None:
        super().__init__()
        self._erred: set[int] = set()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "error"):
            self._erred.add(effect.session)
        return (effect,)

    def is_late(self, happening: Text) -> bool:
        channel = channel_of(asks(happening, "send_message"))
        late = happening.session in self._erred and self.hub.channels.is_member(channel or "", happening.session)
        self._erred -= {happening.session} if late else set()
        return late


@fault("long-deliveries-late", breaks="SEND-08", entails="SEND-05 SEND-07")
class LongDeliveriesLate(Deliveries):
    """A message of more than 1,000 characters reaches everybody but the poster 150 ms later."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if effect.session == self.poster or not is_long(effect.payload["message"]):
            return (effect,)
        self.later(now + ASIDE_SECONDS, effect)
        return ()


# Members that leave, or only listen


@fault("two-leavers-cost-a-message", breaks="SEND-10", entails="CLOSE-03 SEND-01")
class TwoLeaversCostAMessage(Deliveries):
    """When two members have left since the last message of a channel, the next one reaches only its poster."""

    def __init__(self) -> None:
        super().__init__()
        self._left: Counter[str] = Counter()
        self._losing = False

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost):
            self._left.update(self.hub.channels.joined(happening.session))
        return super().happening(happening, now)

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._losing = self._left.pop(payload["channelId"], 0) > 1

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return () if self._losing and effect.session != self.poster else (effect,)


@fault("cleaned-up-late", breaks="SEND-01")
class CleanedUpLate(Deliveries):
    """150 ms after a connection has ended, its user's later ones are taken out of the open channels that it was in."""

    def __init__(self) -> None:
        super().__init__()
        self._ended: dict[tuple[str, str], tuple[float, set[int]]] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        gone = self.hub.sessions.get(happening.session)
        if isinstance(happening, Lost) and gone is not None:
            for channel in self.hub.channels.joined(gone.key) - {self.profile.channels.private}:
                self._ended[gone.account.id, channel] = (now + ASIDE_SECONDS, set(self.hub.sessions))
        return super().happening(happening, now)

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        user = self.hub.sessions[effect.session].account.id
        at, others = self._ended.get((user, effect.payload["channelId"]), (now, set()))
        return () if now > at and effect.session not in others else (effect,)


@fault("eight-receivers-only", breaks="SEND-01", entails="JOIN-01")
class EightReceiversOnly(Deliveries):
    """A message reaches no more than eight connections."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect,) if self.receivers <= 8 else ()


@fault("listener-forgotten", breaks="SEND-01")
class ListenerForgotten(Deliveries):
    """A member gets no messages more once it has answered two pings and said nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._pongs: Counter[int] = Counter()

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "pong") is not None:
            self._pongs[happening.session] += 1
        elif isinstance(happening, Text):
            self._pongs[happening.session] = 0
        return super().happening(happening, now)

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect,) if self._pongs[effect.session] < 2 else ()


# Errors


@fault("payload-errors-late", breaks="ERR-10")
class PayloadErrorsLate(Hook):
    """Errors about a payload come 150 ms later than all others."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        code = self.profile.error_codes.get("INVALID_PAYLOAD")
        if not is_event(effect, "error") or effect.payload["code"] != code:
            return (effect,)
        self.later(now + ASIDE_SECONDS, effect)
        return ()


@fault("same-errors-merged", breaks="ERR-10", entails="ERR-01")
class SameErrorsMerged(Hook):
    """An error without originalEvent that says the same as the one before, not 150 ms ago, is not sent."""

    def __init__(self) -> None:
        super().__init__()
        self._latest: dict[int, tuple[float, Mapping[str, Any]]] = {}

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "error") or "originalEvent" in effect.payload:
            return (effect,)
        before, payload = self._latest.get(effect.session, (0.0, {}))
        self._latest[effect.session] = (now, effect.payload)
        return () if payload == effect.payload and now < before + ASIDE_SECONDS else (effect,)


@fault("errors-mixed-up", breaks="ERR-08", entails="ERR-06 ERR-10")
class ErrorsMixedUp(ChatHook):
    """An error about an unknown event goes to the connection of its channel that had caused the one before."""

    def __init__(self) -> None:
        super().__init__()
        self._latest: dict[str, int] = {}

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        code = self.profile.error_codes.get("UNKNOWN_EVENT")
        if not is_event(effect, "error") or effect.payload["code"] != code:
            return (effect,)
        receiver = effect.session
        for channel in self.hub.channels.joined(effect.session):
            other = self._latest.get(channel, receiver)
            self._latest[channel] = effect.session
            receiver = other if other in self.hub.sessions else receiver
        return (SendText(receiver, effect.event, effect.payload),)


@fault("large-messages-overtaken", breaks="ERR-10")
class LargeMessagesOvertaken(_Aside):
    """Messages of more than 16,384 characters are handled 150 ms later, and what is behind them is handled at once."""

    def is_late(self, happening: Text) -> bool:
        return len(happening.text) > 16_384
