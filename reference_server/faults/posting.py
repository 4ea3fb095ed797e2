"""SEND-01, SEND-03, SEND-07 to SEND-10: faults of what is delivered, to whom, and in which order."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Effect, Happening, Lost, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import (
    asks,
    changed,
    channel_of,
    fault,
    is_event,
)


class Deliveries(ChatHook):
    """Sees every `new_message` on its way to each receiver, and knows who posted it."""

    def __init__(self) -> None:
        super().__init__()
        self.poster = 0
        self._payload: Mapping[str, Any] | None = None
        self.receivers = 0
        """How many receivers this message has had, the present one included."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Text):
            self.poster = happening.session
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not isinstance(effect, SendText) or effect.event != "new_message":
            return (effect,)
        if effect.payload is not self._payload:
            self._payload = effect.payload
            self.receivers = 0
            self.begins(effect.payload)
        self.receivers += 1
        return self.delivery(effect, now)

    def begins(self, payload: Mapping[str, Any]) -> None:
        """A new message, before its first receiver."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        """One receiver's copy."""
        return (effect,)


class Posts(ChatHook):
    """Sees every `send_message` before the hub does."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel = channel_of(asks(happening, "send_message"))
        return (happening,) if channel is None else self.post(happening, channel, now)

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        """One post with a channel in it."""
        return (happening,)


# SEND-01


@fault("third-post-lost", breaks="SEND-01", entails="ERR-07 JOIN-01 SEND-10 SEND-11")
class ThirdPostLost(Posts):
    """Every third post of a connection is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._posts: Counter[int] = Counter()

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        self._posts[happening.session] += 1
        return (happening,) if self._posts[happening.session] % 3 else ()


@fault("burst-loses-posts", breaks="SEND-01", entails="JOIN-01 SEND-10")
class BurstLosesPosts(Posts):
    """Of the posts that one connection makes within a quarter of a second, those after the eighth are lost."""

    def __init__(self) -> None:
        super().__init__()
        self._times: dict[int, list[float]] = {}

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        times = [time for time in self._times.get(happening.session, []) if time > now - 0.25]
        self._times[happening.session] = [*times, now]
        return (happening,) if len(times) < 8 else ()


@fault("two-receivers-only", breaks="SEND-01", entails="JOIN-01")
class TwoReceiversOnly(Deliveries):
    """A message reaches no more than two connections."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect,) if self.receivers <= 2 else ()


@fault("deliveries-late", breaks="SEND-01", entails="JOIN-01 SEND-05 SEND-08 SEND-10")
class DeliveriesLate(Deliveries):
    """Everybody but the poster gets a message half a response_timeout too late."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if effect.session == self.poster:
            return (effect,)
        self.later(now + 1.5 * self.profile.response_timeout, effect)
        return ()


@fault("deliveries-lost-in-a-crowd", breaks="SEND-01", entails="CLOSE-03 JOIN-01")
class DeliveriesLostInACrowd(Deliveries):
    """While more than 20 connections are open, one delivery in ten is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._crowded = 0

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if len(self.hub.sessions) <= 20:
            return (effect,)
        self._crowded += 1
        return (effect,) if self._crowded % 10 else ()


# SEND-03


@fault("delivered-twice-to-others", breaks="SEND-03")
class DeliveredTwiceToOthers(Deliveries):
    """Everybody but the poster gets each message twice."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect,) if effect.session == self.poster else (effect, effect)


@fault("third-message-twice", breaks="SEND-03")
class ThirdMessageTwice(Deliveries):
    """The third message of a channel is delivered twice."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: Counter[str] = Counter()

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._messages[payload["channelId"]] += 1

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect, effect) if self._messages[effect.payload["channelId"]] == 3 else (effect,)


# SEND-07, SEND-08


@fault("posts-swapped", breaks="SEND-07", entails="ERR-10")
class PostsSwapped(Posts):
    """Of two posts that a connection makes within 150 ms, the second one arrives first."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[int, Happening] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost) and happening.session in self._held:
            return (self._held.pop(happening.session), happening)
        return super().happening(happening, now)

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        held = self._held.pop(happening.session, None)
        if held is not None:
            return (happening, held)
        self._held[happening.session] = happening
        self.later(now + 0.15, happening)
        return ()

    def due(self, now: float) -> Iterator[Happening | Effect]:
        for item in super().due(now):
            if self._held.get(item.session) is item:
                del self._held[item.session]
                yield item


@fault("own-posts-first", breaks="SEND-08", entails="SEND-05")
class OwnPostsFirst(Deliveries):
    """A poster sees its own post at once, and everybody else 150 ms later."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if effect.session == self.poster:
            return (effect,)
        self.later(now + 0.15, effect)
        return ()


# SEND-09


class _StrangersPosts(Posts):
    """Sees the posts to channels that the connection may use and has not joined."""

    def post(self, happening: Happening, channel: str, now: float) -> Iterable[Happening | Effect]:
        session = self.hub.sessions.get(happening.session)
        channels = self.hub.channels
        if (
            session is None
            or channels.is_member(channel, session.key)
            or not channels.permits(channel, session.account)
        ):
            return (happening,)
        return self.strangers_post(happening, channel)

    def strangers_post(self, happening: Happening, channel: str) -> Iterable[Happening | Effect]:
        """One such post."""
        return (happening,)

    def deliveries(self, happening: Happening, channel: str) -> list[SendText]:
        """The copies that the members would get if it were in order."""
        payload = asks(happening, "send_message") or {}
        text, account = payload.get("text"), self.hub.sessions[happening.session].account
        return [*self.hub.channels.post(channel, text, account).each()] if isinstance(text, str) and text else []


@fault("post-unjoined-delivered", breaks="SEND-09")
class PostUnjoinedDelivered(_StrangersPosts):
    """A post to a channel that was not joined is delivered."""

    def strangers_post(self, happening: Happening, channel: str) -> Iterable[Happening | Effect]:
        return self.deliveries(happening, channel)


@fault("post-unjoined-refused-but-delivered", breaks="SEND-09")
class PostUnjoinedRefusedButDelivered(_StrangersPosts):
    """A post to a channel that was not joined gets the right error, and is delivered all the same."""

    def strangers_post(self, happening: Happening, channel: str) -> Iterable[Happening | Effect]:
        return (happening, *self.deliveries(happening, channel))


@fault("post-unjoined-silent", breaks="SEND-09")
class PostUnjoinedSilent(_StrangersPosts):
    """A post to a channel that was not joined gets no answer."""

    def strangers_post(self, happening: Happening, channel: str) -> Iterable[Happening | Effect]:
        return ()


@fault("post-unjoined-code", breaks="SEND-09")
class PostUnjoinedCode(Hook):
    """A post to a channel that was not joined is refused with INTERNAL_ERROR."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        not_joined = self.profile.error_codes.get("NOT_JOINED")
        if is_event(effect, "error") and effect.payload["code"] == not_joined:
            return (changed(effect, code=self.profile.error_codes.get("INTERNAL_ERROR", "INTERNAL_ERROR")),)
        return (effect,)


# SEND-10


class _EndsCost(Deliveries):
    """Some ends of connections make the next message of each of their channels a lossy one."""

    def __init__(self) -> None:
        super().__init__()
        self.lossy: set[str] = set()

    def costs(self, lost: Lost) -> bool:
        """Whether this end does."""
        return False

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost) and self.costs(happening):
            self.lossy |= self.hub.channels.joined(happening.session)
        return super().happening(happening, now)


class CostsAllAMessage(_EndsCost):
    """The next message reaches nobody but the poster."""

    _losing = False

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._losing = payload["channelId"] in self.lossy
        self.lossy.discard(payload["channelId"])

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return () if self._losing and effect.session != self.poster else (effect,)


class CostsOneAMessage(_EndsCost):
    """One of the other members misses the next message."""

    _loser: int | None = None

    def begins(self, payload: Mapping[str, Any]) -> None:
        channel, self._loser = payload["channelId"], None
        others = [one for one in self.hub.channels.members(channel) if one != self.poster]
        if channel in self.lossy and others:
            self.lossy.discard(channel)
            self._loser = others[0]

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return () if effect.session == self._loser else (effect,)


@fault("leaver-costs-a-message", breaks="SEND-10", entails="JOIN-01 SEND-01")
class LeaverCostsAMessage(CostsAllAMessage):
    """After a receiver has closed, the next message of its channels reaches nobody but the poster."""

    def costs(self, lost: Lost) -> bool:
        return lost.clean


@fault("post-lost-when-a-member-leaves", breaks="SEND-01 SEND-10", entails="JOIN-06")
class PostLostWhenAMemberLeaves(CostsOneAMessage):
    """After a member has left by a close frame, another one misses the next post of the channel."""

    def costs(self, lost: Lost) -> bool:
        return lost.clean
