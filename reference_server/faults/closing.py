"""CLOSE: faults of how connections end."""

from collections.abc import Iterable
from dataclasses import replace

from contract.profile import Profile
from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Close, Effect, Frame, Happening, Lost, SendText
from reference_server.core.hooks import Hook
from reference_server.faults.fault import fault, profile_fault
from reference_server.faults.posting import CostsOneAMessage
from wire.frames import Opcode


class ClosedByClient(Hook):
    """Knows the connections whose client has sent a close frame."""

    def __init__(self) -> None:
        super().__init__()
        self.closed: set[int] = set()

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode == Opcode.CLOSE:
            self.closed.add(frame.session)
        return (frame,)


@fault("close-unanswered", breaks="CLOSE-01")
class CloseUnanswered(ClosedByClient):
    """A client's close frame is not answered, and the TCP connection stays open."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return () if frame.opcode == Opcode.CLOSE and frame.session in self.closed else (frame,)

    def ends_tcp(self, session: int) -> bool:
        return session not in self.closed


@fault("close-without-frame", breaks="CLOSE-01")
class CloseWithoutFrame(ClosedByClient):
    """A client's close frame is answered by the end of the TCP connection alone."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return () if frame.opcode == Opcode.CLOSE and frame.session in self.closed else (frame,)


@fault("tcp-kept-open", breaks="CLOSE-01")
class TcpKeptOpen(ClosedByClient):
    """A client's close frame is answered, and the TCP connection stays open."""

    def ends_tcp(self, session: int) -> bool:
        return session not in self.closed


class _IllegalCode(Hook):
    """Closes with an illegal code in place of the profile's one for a cause."""

    cause = ""
    code = 0

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        legal = self.profile.close_codes[self.cause].to_bytes(2, "big")
        if frame.opcode == Opcode.CLOSE and frame.data[:2] == legal:
            return (replace(frame, data=self.code.to_bytes(2, "big") + frame.data[2:]),)
        return (frame,)


@fault("binary-close-code-1005", breaks="CLOSE-02", entails="CLOSE-04 WIRE-07")
class BinaryCloseCode1005(_IllegalCode):
    """A binary message is answered by a close with 1005."""

    cause, code = "unsupported_data", 1005


@fault("too-large-close-code-999", breaks="CLOSE-02", entails="CLOSE-04 WIRE-08")
class TooLargeCloseCode999(_IllegalCode):
    """A message that is too large is answered by a close with 999."""

    cause, code = "too_large", 999


@fault("heartbeat-close-code-1006", breaks="CLOSE-02", entails="CLOSE-04 HB-04")
class HeartbeatCloseCode1006(_IllegalCode):
    """A client that answers no ping is closed with 1006."""

    cause, code = "heartbeat_timeout", 1006


@fault("expiry-close-code-2000", breaks="CLOSE-02", entails="AUTH-05 CLOSE-04")
class ExpiryCloseCode2000(_IllegalCode):
    """A connection whose token expires is closed with 2000."""

    cause, code = "token_expired", 2000


@fault("vanished-client-stops-channel", breaks="CLOSE-03", entails="JOIN-01 SEND-01 SEND-10 WIRE-08")
class VanishedClientStopsChannel(ChatHook):
    """When a client vanishes without a close frame, its channels deliver to nobody any more."""

    def __init__(self) -> None:
        super().__init__()
        self._dead: set[str] = set()

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost) and not happening.clean:
            self._dead |= self.hub.channels.joined(happening.session)
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        is_dead = isinstance(effect, SendText) and effect.payload.get("channelId") in self._dead
        return () if is_dead else (effect,)


@fault("post-lost-when-a-member-vanishes", breaks="SEND-01 CLOSE-03", entails="SEND-10")
class PostLostWhenAMemberVanishes(CostsOneAMessage):
    """After a member has vanished without a close frame, another one misses the next post of the channel."""

    def costs(self, lost: Lost) -> bool:
        return not lost.clean


@fault("vanished-client-closes-others", breaks="CLOSE-03", entails="SEND-10 WIRE-08")
class VanishedClientClosesOthers(ChatHook):
    """When a client vanishes without a close frame, everybody in its channels is closed."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not isinstance(happening, Lost) or happening.clean:
            return (happening,)
        channels = self.hub.channels
        others = {key for name in channels.joined(happening.session) for key in channels.members(name)}
        code = self.profile.close_codes["internal_error"]
        return (happening, *(Close(other, code, "") for other in others - {happening.session}))


@profile_fault("every-close-normal", breaks="CLOSE-04", entails="AUTH-05 HB-04 WIRE-07 WIRE-08")
def every_close_normal(profile: Profile) -> Profile:
    """Whatever the cause, the server closes with 1000."""
    return replace(profile, close_codes=dict.fromkeys(profile.close_codes, 1000))


@profile_fault("too-large-close-code", breaks="CLOSE-04", entails="WIRE-08")
def too_large_close_code(profile: Profile) -> Profile:
    """A message that is too large is answered by a close with the code of a protocol error."""
    codes = profile.close_codes
    return replace(profile, close_codes={**codes, "too_large": codes["protocol_error"]})


@profile_fault("binary-close-code", breaks="CLOSE-04", entails="WIRE-07")
def binary_close_code(profile: Profile) -> Profile:
    """A binary message is answered by a close with the code of an internal error."""
    codes = profile.close_codes
    return replace(profile, close_codes={**codes, "unsupported_data": codes["internal_error"]})
