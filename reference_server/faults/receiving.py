"""SEND-11 and WIRE: faults of putting messages together, and of what is taken in."""

from collections.abc import Iterable
from dataclasses import replace

from contract.profile import Profile
from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Binary, Effect, Frame, Happening, Lost, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import fault, is_event, profile_fault
from wire.frames import Opcode


class _Fragments(ChatHook):
    """Knows which connections are in the middle of a message, and what kind it is."""

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[int, int] = {}

    def follow(self, frame: Frame) -> None:
        """Keep count of a frame that has passed."""
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY) and not frame.final:
            self.open[frame.session] = frame.opcode
        elif frame.opcode == Opcode.CONT and frame.final:
            self.open.pop(frame.session, None)


@fault("fragments-taken-apart", breaks="SEND-11", entails="CLOSE-04 WIRE-04")
class FragmentsTakenApart(_Fragments):
    """Each fragment is taken for a message of its own."""

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        kind = self.open.get(frame.session)
        self.follow(frame)
        if frame.opcode == Opcode.CONT and kind is not None:
            return (replace(frame, opcode=kind, final=True),)
        return (replace(frame, final=True),) if frame.opcode in (Opcode.TEXT, Opcode.BINARY) else (frame,)


@fault("ping-cuts-fragments", breaks="SEND-11")
class PingCutsFragments(_Fragments):
    """After a control ping between two fragments, the rest of the message is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._cut: set[int] = set()

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode == Opcode.PING and frame.session in self.open:
            self._cut.add(frame.session)
        cut = frame.opcode == Opcode.CONT and frame.session in self._cut
        if frame.opcode != Opcode.PING and frame.final:
            self._cut.discard(frame.session)
        self.follow(frame)
        return (replace(frame, data=b""),) if cut else (frame,)


@fault("fragments-mixed-up", breaks="SEND-11")
class FragmentsMixedUp(_Fragments):
    """Where two members of a channel are inside of messages, what is left of the first one's is lost."""

    def __init__(self) -> None:
        super().__init__()
        self._latest: dict[str, int] = {}

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        self.follow(frame)
        channels = self.hub.channels.joined(frame.session)
        if frame.opcode == Opcode.CONT:
            mixed = any(self._latest.get(one) != frame.session for one in channels)
            return (replace(frame, data=b""),) if mixed else (frame,)
        if frame.session in self.open:
            self._latest.update(dict.fromkeys(channels, frame.session))
        return (frame,)


@fault("unfinished-message-costs-deliveries", breaks="SEND-01")
class UnfinishedMessageCostsDeliveries(_Fragments):
    """Who has sent a message half misses what others post in the meantime."""

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        self.follow(frame)
        return (frame,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return () if is_event(effect, "new_message") and effect.session in self.open else (effect,)


@fault("vanished-amid-message-stops-channel", breaks="CLOSE-03", entails="JOIN-01 SEND-01 WIRE-08")
class VanishedAmidMessageStopsChannel(_Fragments):
    """When a client vanishes half-way through a message, its channels deliver to nobody any more."""

    def __init__(self) -> None:
        super().__init__()
        self._dead: set[str] = set()

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        self.follow(frame)
        return (frame,)

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost) and not happening.clean and happening.session in self.open:
            self._dead |= self.hub.channels.joined(happening.session)
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        dead = is_event(effect, "new_message") and effect.payload["channelId"] in self._dead
        return () if dead else (effect,)


@fault("binary-processed", breaks="WIRE-07")
class BinaryProcessed(Hook):
    """A binary message is processed like a text message."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not isinstance(happening, Binary):
            return (happening,)
        try:
            return (Text(happening.session, happening.data.decode()),)
        except UnicodeDecodeError:
            return (happening,)


@fault("binary-ignored", breaks="WIRE-07")
class BinaryIgnored(Hook):
    """A binary message gets no answer."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if isinstance(happening, Binary) else (happening,)


@profile_fault("too-large-accepted", breaks="WIRE-08")
def too_large_accepted(profile: Profile) -> Profile:
    """Messages of four times the limit are accepted."""
    limits = profile.limits
    return replace(profile, limits=replace(limits, message_bytes=4 * limits.message_bytes))
