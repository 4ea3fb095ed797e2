"""WIRE-07 and WIRE-08: binary messages, and messages that are too large."""

from collections.abc import Iterable
from dataclasses import replace

from contract.profile import Profile
from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Abort, Binary, Close, Effect, Frame, Happening, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import fault, profile_fault
from reference_server.faults.frames import Framing
from wire.frames import Opcode, RawFrame

ROOM = 40
"""How many times the promised limit a server takes whose own limit is elsewhere."""


def with_limit(profile: Profile, message_bytes: int) -> Profile:
    """The profile with another limit of a message."""
    return replace(profile, limits=replace(profile.limits, message_bytes=message_bytes))


# WIRE-07


@fault("binary-crashes", breaks="WIRE-07")
class BinaryCrashes(Hook):
    """A binary message ends the TCP connection, as an exception that nobody catches would."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return (Abort(happening.session),) if isinstance(happening, Binary) else (happening,)


@fault("binary-in-fragments-processed", breaks="WIRE-07")
class BinaryInFragmentsProcessed(Framing):
    """A binary message in fragments is processed like a text message; a whole one is not."""

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        return (replace(frame, opcode=Opcode.TEXT) if frame.opcode == Opcode.BINARY and not frame.fin else frame,)


@fault("empty-binary-ignored", breaks="WIRE-07")
class EmptyBinaryIgnored(Hook):
    """An empty binary message gets no answer."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if isinstance(happening, Binary) and not happening.data else (happening,)


@fault("binary-that-is-json-ignored", breaks="WIRE-07")
class BinaryThatIsJsonIgnored(Hook):
    """A binary message that looks like JSON gets no answer."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if isinstance(happening, Binary) and happening.data[:1] == b"{" else (happening,)


# WIRE-08


@profile_fault("largest-message-refused", breaks="WIRE-08")
def largest_message_refused(profile: Profile) -> Profile:
    """A message of exactly the limit is refused."""
    return with_limit(profile, profile.limits.message_bytes - 1)


@profile_fault("one-byte-too-many-accepted", breaks="WIRE-08")
def one_byte_too_many_accepted(profile: Profile) -> Profile:
    """A message of one byte more than the limit is accepted."""
    return with_limit(profile, profile.limits.message_bytes + 1)


class _OwnLimit(Framing):
    """Takes large messages, and decides by itself what becomes of them."""

    def changed_profile(self, profile: Profile) -> Profile:
        return with_limit(profile, ROOM * profile.limits.message_bytes)

    @property
    def limit(self) -> int:
        """What the endpoint promises."""
        return self.profile.limits.message_bytes

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Text) and self.is_too_large(happening):
            return self.refuse(happening)
        return (happening,)

    def is_too_large(self, message: Text) -> bool:
        """Whether a message is over the limit."""
        return len(message.text.encode()) > self.limit

    def refuse(self, message: Text) -> Iterable[Happening | Effect]:
        """What becomes of a message that is."""
        return (Close(message.session, self.profile.close_codes["too_large"], ""),)


@fault("too-large-truncated", breaks="WIRE-08")
class TooLargeTruncated(_OwnLimit):
    """What is beyond the limit is cut off, and the rest is processed."""

    def refuse(self, message: Text) -> Iterable[Happening | Effect]:
        return (replace(message, text=message.text.encode()[: self.limit].decode("utf-8", "ignore")),)


@fault("too-large-ignored", breaks="WIRE-08")
class TooLargeIgnored(_OwnLimit):
    """A message that is too large gets no answer."""

    def refuse(self, message: Text) -> Iterable[Happening | Effect]:
        return ()


@fault("too-large-closes-channel", breaks="WIRE-08")
class TooLargeClosesChannel(_OwnLimit, ChatHook):
    """A message that is too large closes everybody in its sender's channels."""

    def refuse(self, message: Text) -> Iterable[Happening | Effect]:
        channels = self.hub.channels
        everybody = {key for name in channels.joined(message.session) for key in channels.members(name)}
        code = self.profile.close_codes["too_large"]
        return tuple(Close(key, code, "") for key in sorted(everybody | {message.session}))


@fault("limit-in-characters", breaks="WIRE-08")
class LimitInCharacters(_OwnLimit):
    """The limit counts characters in place of bytes."""

    def is_too_large(self, message: Text) -> bool:
        return len(message.text) > self.limit


@fault("limit-of-all-messages", breaks="WIRE-08", entails="ERR-07 SEND-01")
class LimitOfAllMessages(_OwnLimit):
    """What counts is all that a connection has sent: after twice the limit nothing is accepted any more."""

    def __init__(self) -> None:
        super().__init__()
        self._sums: dict[int, int] = {}

    def is_too_large(self, message: Text) -> bool:
        size = len(message.text.encode())
        self._sums[message.session] = self._sums.get(message.session, 0) + size
        return size > self.limit or self._sums[message.session] > 2 * self.limit


@fault("limit-of-each-fragment", breaks="WIRE-08")
class LimitOfEachFragment(_OwnLimit):
    """The limit holds for each fragment, not for the message."""

    def __init__(self) -> None:
        super().__init__()
        self._largest: dict[int, int] = {}

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        before = 0 if frame.opcode in (1, 2) else self._largest.get(frame.session, 0)
        if frame.opcode in (0, 1, 2):
            self._largest[frame.session] = max(before, len(frame.data))
        return (frame,)

    def is_too_large(self, message: Text) -> bool:
        return self._largest.get(message.session, 0) > self.limit


@fault("limit-before-inflating", breaks="WIRE-08")
class LimitBeforeInflating(_OwnLimit):
    """The limit counts what a compressed message takes on the wire."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: dict[int, int] = {}

    def raw(self, session: int, frame: RawFrame) -> Iterable[RawFrame]:
        if not frame.is_control:
            before = 0 if frame.starts else self._sizes.get(session, 0)
            self._sizes[session] = before + len(frame.payload)
        return (frame,)

    def is_too_large(self, message: Text) -> bool:
        return self._sizes.get(message.session, 0) > self.limit
