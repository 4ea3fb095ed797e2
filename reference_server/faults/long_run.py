"""Faults that show only after a while: a thorough run is for these."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Effect, Happening, Lost, Outgoing, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import asks, changed, fault, is_event, rewritten, with_message, written
from reference_server.faults.joining import EachBroadcast


class _Counting(ChatHook):
    """Counts something for each connection."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[int] = Counter()

    def is_nth(self, session: int, nth: int) -> bool:
        """Count one more; whether it is the nth, or a multiple of it."""
        self.counts[session] += 1
        return self.counts[session] % nth == 0


@fault("heartbeat-stops-later", breaks="HB-01", thorough=True)
class HeartbeatStopsLater(_Counting):
    """After the third ping of a connection there are no more."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "ping"):
            return (effect,)
        self.is_nth(effect.session, 1)
        if self.counts[effect.session] <= 3:
            return (effect,)
        # What the client does not get, it need not answer.
        self.hub.sessions[effect.session].pong({})
        return ()


@fault("leak-now-and-then", breaks="JOIN-02", entails="JOIN-06", thorough=True)
class LeakNowAndThen(EachBroadcast):
    """Every 300th message goes to all connections, whether they have joined or not."""

    def __init__(self) -> None:
        super().__init__()
        self._messages = 0

    def added(self, members: set[int]) -> Iterable[int]:
        self._messages += 1
        return () if self._messages % 300 else tuple(self.hub.sessions)


@fault("post-lost-now-and-then", breaks="SEND-01", thorough=True)
class PostLostNowAndThen(_Counting):
    """Every 200th post of a connection is lost."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "send_message") is not None and self.is_nth(happening.session, 200):
            return ()
        return (happening,)


@fault("message-twice-now-and-then", breaks="SEND-03", thorough=True)
class MessageTwiceNowAndThen(_Counting):
    """Every 200th message that a connection receives comes twice."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message") and self.is_nth(effect.session, 200):
            return (effect, effect)
        return (effect,)


@fault("posts-swapped-now-and-then", breaks="SEND-07", thorough=True)
class PostsSwappedNowAndThen(_Counting):
    """Every 110th post of a connection is overtaken by those that follow at once."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "send_message") is not None and self.is_nth(happening.session, 110):
            self.later(now + 0.05, happening)
            return ()
        return (happening,)


@fault("sequence-begins-again", breaks="ENV-04", entails="ENV-05", thorough=True)
class SequenceBeginsAgain(Hook):
    """After 500 the sequence of a connection begins again."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None or message["sequence"] <= 500:
            return (outgoing,)
        return (rewritten(outgoing, {**message, "sequence": message["sequence"] % 500}),)


@fault("message-ids-begin-again", breaks="SEND-04", thorough=True)
class MessageIdsBeginAgain(Hook):
    """Message ids are numbers below 256, and begin again."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "new_message"):
            return (effect,)
        number = self._numbers.setdefault(effect.payload["message"]["id"], len(self._numbers))
        return (with_message(effect, id=str(number % 256)),)


@fault("session-ids-begin-again", breaks="CONN-06", thorough=True)
class SessionIdsBeginAgain(Hook):
    """Session ids are numbers below 50, and begin again."""

    def __init__(self) -> None:
        super().__init__()
        self._connections = 0

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "connection_ack"):
            return (effect,)
        self._connections += 1
        return (changed(effect, sessionId=str(self._connections % 50)),)


@fault("error-seen-now-and-then", breaks="ERR-08", thorough=True)
class ErrorSeenNowAndThen(_Counting):
    """Every 150th error of a connection goes to everybody in its channels as well."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "error") or not self.is_nth(effect.session, 150):
            return (effect,)
        return (effect, *self._copies(effect))

    def _copies(self, effect: SendText) -> Iterable[Effect]:
        channels = self.hub.channels
        for channel in channels.joined(effect.session):
            for other in channels.members(channel):
                if other != effect.session:
                    yield replace(effect, session=other)


@fault("long-queue-loses-messages", breaks="SEND-01", entails="ERR-10", thorough=True)
class LongQueueLosesMessages(Hook):
    """A message takes 5 ms, and of what a connection sends in the meantime no more than 100 messages wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._busy_until: dict[int, float] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        handled = isinstance(happening, Text) and asks(happening, "pong") is None
        if not handled and not isinstance(happening, Lost):
            return (happening,)
        until = max(self._busy_until.get(happening.session, now), now) + 0.005
        if handled and until > now + 0.5:
            return ()
        self._busy_until[happening.session] = until
        self.later(until, happening)
        return ()
