"""JOIN: faults of what outlasts a connection, a refusal, or a channel's last member."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Effect, Happening, Lost, SendText
from reference_server.faults.fault import asks, channel_of, fault, is_event
from reference_server.faults.joining import joined_channel


class _Away(ChatHook):
    """Keeps for each user the channels of its lost connections, and what was posted there since."""

    def __init__(self) -> None:
        super().__init__()
        self._left: dict[str, set[str]] = defaultdict(set)
        self._missed: dict[str, list[SendText]] = defaultdict(list)
        self._seen: Mapping[str, Any] | None = None

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        session = self.hub.sessions.get(happening.session)
        if session is not None and isinstance(happening, Lost):
            self._left[session.account.id] |= self.hub.channels.joined(session.key)
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message") and effect.payload is not self._seen:
            self._seen = effect.payload
            for user, channels in self._left.items():
                if effect.payload["channelId"] in channels:
                    self._missed[user].append(effect)
        return (effect,)

    def user_of(self, session: int) -> str:
        """The user whose connection this is."""
        return self.hub.sessions[session].account.id

    def flushed(self, session: int) -> list[SendText]:
        """What the user of a connection has missed, and gets now, in channels that the connection is not in."""
        user = self.user_of(session)
        self._left.pop(user, None)
        joined = self.hub.channels.joined(session)
        missed = self._missed.pop(user, [])
        return [replace(one, session=session) for one in missed if one.payload["channelId"] not in joined]


@fault("missed-posts-on-connecting", breaks="JOIN-02", entails="JOIN-06")
class MissedPostsOnConnecting(_Away):
    """A user that connects again gets what was posted in its former channels while it was away."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        super().effect(effect, now)
        return (effect, *self.flushed(effect.session)) if is_event(effect, "connection_ack") else (effect,)


@fault("missed-posts-on-another-join", breaks="JOIN-02", entails="JOIN-06")
class MissedPostsOnAnotherJoin(_Away):
    """A user that joins any channel gets what it missed in all its former ones."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        super().happening(happening, now)
        channel = joined_channel(happening)
        if channel is None or happening.session not in self.hub.sessions:
            return (happening,)
        missed = [one for one in self.flushed(happening.session) if one.payload["channelId"] != channel]
        return (happening, *missed)


@fault("subscriptions-return-with-a-join", breaks="JOIN-06", entails="JOIN-02 SEND-09")
class SubscriptionsReturnWithAJoin(_Away):
    """A user that joins any channel is in all its former ones again."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        super().happening(happening, now)
        if joined_channel(happening) is not None and happening.session in self.hub.sessions:
            for channel in self._left.pop(self.user_of(happening.session), ()):
                self.hub.channels.join(channel, happening.session)
        return (happening,)


@fault("refused-join-kept-for-later", breaks="JOIN-05", entails="JOIN-02")
class RefusedJoinKeptForLater(ChatHook):
    """A join without permission is refused, and comes into force with the connection's next join."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[int, str] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel, session = joined_channel(happening), self.hub.sessions.get(happening.session)
        if channel is None or session is None:
            return (happening,)
        if not self.hub.channels.permits(channel, session.account):
            self._kept[session.key] = channel
        elif session.key in self._kept:
            self.hub.channels.join(self._kept.pop(session.key), session.key)
        return (happening,)


@fault("ninth-channel-ends-the-first", breaks="JOIN-03", entails="ERR-07 JOIN-01 JOIN-06 SEND-01")
class NinthChannelEndsTheFirst(ChatHook):
    """A connection is in its last eight channels: the ninth join ends the first one."""

    def __init__(self) -> None:
        super().__init__()
        self._joined: dict[int, list[str]] = defaultdict(list)

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel = joined_channel(happening)
        mine = self._joined[happening.session] if channel is not None else []
        if channel is not None and channel not in mine:
            mine.append(channel)
            if len(mine) > 8:
                self.hub.channels.leave(mine.pop(0), happening.session)
        return (happening,)


@fault("channel-ends-with-its-last-member", breaks="JOIN-01", entails="SEND-01 SEND-09")
class ChannelEndsWithItsLastMember(ChatHook):
    """An open channel that everybody has left takes joins and posts, and does nothing with them."""

    def __init__(self) -> None:
        super().__init__()
        self._over: set[str] = set()

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channels = self.hub.channels
        if isinstance(happening, Lost):
            mine = channels.joined(happening.session)
            opened = mine - {self.profile.channels.private}
            self._over |= {one for one in opened if set(channels.members(one)) == {happening.session}}
        channel = joined_channel(happening) or channel_of(asks(happening, "send_message"))
        return () if channel in self._over else (happening,)


@fault("leaver-takes-others-along", breaks="JOIN-06", entails="JOIN-01 SEND-01 SEND-10")
class LeaverTakesOthersAlong(ChatHook):
    """Who leaves several channels at once takes everybody else out of all of them but one."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost):
            channels = self.hub.channels
            for channel in sorted(channels.joined(happening.session))[1:]:
                for member in channels.members(channel):
                    channels.leave(channel, member)
        return (happening,)
