"""JOIN: faults of membership."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from contract.profile import Profile
from reference_server.chat.hooks import ChatHook
from reference_server.chat.session import Session
from reference_server.core.exchange import Effect, Happening, Lost, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import (
    asks,
    changed,
    channel_of,
    error,
    fault,
    is_event,
    profile_fault,
)

LONGEST_CHANNEL = 128
"""Code points of a channelId (`schemas/payloads`)."""


def joined_channel(happening: Happening) -> str | None:
    """The channel that a client asks to join."""
    return channel_of(asks(happening, "join_channel"))


class EachBroadcast(ChatHook):
    """Sees each `new_message` once, at its first receiver, and may add receivers."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Mapping[str, Any] | None = None

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not isinstance(effect, SendText) or effect.event != "new_message" or effect.payload is self._seen:
            return (effect,)
        self._seen = effect.payload
        members = set(self.hub.channels.members(effect.payload["channelId"]))
        added = [session for session in self.added(members) if session not in members]
        return (effect, *(replace(effect, session=session) for session in added))

    def added(self, members: set[int]) -> Iterable[int]:
        """Who gets the message beside the members."""
        return ()


@fault("own-post-missing", breaks="JOIN-01", entails="JOIN-03 SEND-01")
class OwnPostMissing(Hook):
    """A post reaches everybody but its poster."""

    def __init__(self) -> None:
        super().__init__()
        self._poster = 0

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Text):
            self._poster = happening.session
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return () if is_event(effect, "new_message") and effect.session == self._poster else (effect,)


@fault("everybody-receives", breaks="JOIN-02")
class EverybodyReceives(EachBroadcast):
    """Every connection gets the messages of all channels."""

    def added(self, members: set[int]) -> Iterable[int]:
        return tuple(self.hub.sessions)


@fault("subscription-of-the-user", breaks="JOIN-02")
class SubscriptionOfTheUser(EachBroadcast):
    """What one connection has joined, all connections of its user receive."""

    def added(self, members: set[int]) -> Iterable[int]:
        users = {session.account.id for key, session in self.hub.sessions.items() if key in members}
        return [key for key, session in self.hub.sessions.items() if session.account.id in users]


@fault("second-channel-replaces-first", breaks="JOIN-03", entails="JOIN-01 SEND-01")
class SecondChannelReplacesFirst(ChatHook):
    """Joining a channel leaves the one joined before."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel, session = joined_channel(happening), self.hub.sessions.get(happening.session)
        if channel is not None and session is not None and self._succeeds(channel, session):
            for other in self.hub.channels.joined(session.key) - {channel}:
                self.hub.channels.leave(other, session.key)
        return (happening,)

    def _succeeds(self, channel: str, session: Session) -> bool:
        is_valid = 1 <= len(channel) <= LONGEST_CHANNEL
        return is_valid and self.hub.channels.permits(channel, session.account) and self.hub.channels.exists(channel)


@fault("channel-of-the-last-join", breaks="JOIN-03", entails="ENV-03 SEND-02")
class ChannelOfTheLastJoin(Hook):
    """new_message names the channel that its receiver joined last, whichever it was posted to."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[int, str] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel = joined_channel(happening)
        if channel is not None:
            self._last[happening.session] = channel
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message"):
            return (changed(effect, channelId=self._last.get(effect.session, effect.payload["channelId"])),)
        return (effect,)


class _JoinsAgain(ChatHook):
    """Sees the joins of channels that the connection is in already."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        channel = joined_channel(happening)
        if channel is None:
            return (happening,)
        if not self.hub.channels.is_member(channel, happening.session):
            return (happening,)
        return self.joined_again(channel, happening.session)

    def joined_again(self, channel: str, session: int) -> Iterable[Effect]:
        """What happens then."""
        return ()


@fault("join-twice-error", breaks="JOIN-04")
class JoinTwiceError(_JoinsAgain):
    """Joining a channel twice gets an error."""

    def joined_again(self, channel: str, session: int) -> Iterable[Effect]:
        return (error(session, self.profile, "INVALID_PAYLOAD", "join_channel"),)


@fault("join-twice-leaves", breaks="JOIN-04", entails="JOIN-01 JOIN-06 SEND-01")
class JoinTwiceLeaves(_JoinsAgain):
    """Joining a channel twice leaves it."""

    def joined_again(self, channel: str, session: int) -> Iterable[Effect]:
        self.hub.channels.leave(channel, session)
        return ()


@fault("join-twice-doubles", breaks="JOIN-04", entails="SEND-03")
class JoinTwiceDoubles(_JoinsAgain):
    """Who has joined a channel twice gets its messages twice."""

    def __init__(self) -> None:
        super().__init__()
        self._twice: set[tuple[str, int]] = set()

    def joined_again(self, channel: str, session: int) -> Iterable[Effect]:
        self._twice.add((channel, session))
        return ()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message"):
            return (effect, effect) if (effect.payload["channelId"], effect.session) in self._twice else (effect,)
        return (effect,)


@profile_fault("private-open", breaks="JOIN-05")
def private_open(profile: Profile) -> Profile:
    """Everybody may join the private channel."""
    channels = profile.channels
    private = (channels.private,) if channels.private is not None else ()
    opened = (*channels.open, *private) if isinstance(channels.open, tuple) else channels.open
    return replace(profile, channels=replace(channels, open=opened, private=None))


def _refuses_join(effect: Effect, profile: Profile, code: str) -> bool:
    return (
        isinstance(effect, SendText)
        and effect.event == "error"
        and effect.payload.get("originalEvent") == "join_channel"
        and effect.payload["code"] == profile.error_codes.get(code, code)
    )


@fault("private-refused-silently", breaks="JOIN-05")
class PrivateRefusedSilently(Hook):
    """Joining without permission gets no answer."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return () if _refuses_join(effect, self.profile, "PERMISSION_DENIED") else (effect,)


@fault("private-refused-but-joined", breaks="JOIN-05", entails="JOIN-02")
class PrivateRefusedButJoined(ChatHook):
    """Joining without permission gets the right error, and the channel's messages all the same."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if _refuses_join(effect, self.profile, "PERMISSION_DENIED"):
            self.hub.channels.join(self.profile.channels.private or "", effect.session)
        return (effect,)


class _OtherCode(Hook):
    """Refuses a join with the code of an invalid payload."""

    code = ""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if isinstance(effect, SendText) and _refuses_join(effect, self.profile, self.code):
            return (changed(effect, code=self.profile.error_codes["INVALID_PAYLOAD"]),)
        return (effect,)


@fault("private-code", breaks="JOIN-05")
class PrivateCode(_OtherCode):
    """Joining without permission is refused with INVALID_PAYLOAD."""

    code = "PERMISSION_DENIED"


@fault("subscriptions-outlive-connection", breaks="JOIN-06", entails="JOIN-02")
class SubscriptionsOutliveConnection(ChatHook):
    """A new connection is in all channels that an earlier one of its user was in."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[str, set[str]] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        session = self.hub.sessions.get(happening.session) if isinstance(happening, Lost) else None
        if session is not None:
            self._kept.setdefault(session.account.id, set()).update(self.hub.channels.joined(session.key))
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "connection_ack"):
            for channel in self._kept.get(self.hub.sessions[effect.session].account.id, ()):
                self.hub.channels.join(channel, effect.session)
        return (effect,)


@fault("subscription-ends-after-five", breaks="JOIN-06", entails="JOIN-01 SEND-01")
class SubscriptionEndsAfterFive(ChatHook):
    """A connection is out of a channel after the fifth message it got from there."""

    def __init__(self) -> None:
        super().__init__()
        self._delivered: Counter[tuple[str, int]] = Counter()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message"):
            key = (effect.payload["channelId"], effect.session)
            self._delivered[key] += 1
            if self._delivered[key] == 5:
                self.hub.channels.leave(*key)
        return (effect,)


@profile_fault("missing-channel-created", breaks="JOIN-07")
def missing_channel_created(profile: Profile) -> Profile:
    """Joining a channel that does not exist creates it."""
    opened = profile.channels.open
    return replace(
        profile,
        channels=replace(profile.channels, missing=None, open=opened if isinstance(opened, str) else "{nonce}"),
    )


@fault("missing-channel-silent", breaks="JOIN-07")
class MissingChannelSilent(Hook):
    """Joining a channel that does not exist gets no answer."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return () if _refuses_join(effect, self.profile, "CHANNEL_NOT_FOUND") else (effect,)


@fault("missing-channel-code", breaks="JOIN-07")
class MissingChannelCode(_OtherCode):
    """Joining a channel that does not exist is refused with INVALID_PAYLOAD."""

    code = "CHANNEL_NOT_FOUND"
