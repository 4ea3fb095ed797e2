"""SEND-01, SEND-03, SEND-10, ENV-01, CLOSE-01: what a member that does not read costs the others, or itself."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from reference_server.core.exchange import Binary, Effect, Frame, Happening, Lost, Outgoing, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import asks, fault, written
from reference_server.faults.posting import CostsAllAMessage, Deliveries
from wire.frames import Opcode

FEW = 65_536
"""Bytes that wait for a connection which does not read half a megabyte."""

MANY = 786_432
"""Bytes that wait only for one which does not read megabytes."""

LOOK_SECONDS = 0.02


class _StopsAll(Hook):
    """Handles nothing from anybody while more than `most` bytes wait for one connection."""

    most = 0

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[Happening] = deque()
        self._look = 0.0
        self._full: set[int] = set()

    def _is_stuck(self) -> bool:
        self._full = {one for one in self._full if self.waiting(one) > self.most}
        return bool(self._full)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if self.waiting(effect.session) > self.most:
            self._full.add(effect.session)
        return (effect,)

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost):
            self._held = deque(one for one in self._held if one.session != happening.session)
        handled = isinstance(happening, Text | Binary) and asks(happening, "pong") is None
        if not handled or not (self._held or self._is_stuck()):
            return (happening,)
        if not self._held:
            self._look = now + LOOK_SECONDS
        self._held.append(happening)
        return ()

    def next_deadline(self) -> float | None:
        return self._look if self._held else None

    def due(self, now: float) -> Iterator[Happening | Effect]:
        if self._held and now >= self._look:
            stuck = self._is_stuck()
            self._look = now + LOOK_SECONDS * stuck
            if not stuck:
                yield self._held.popleft()


@fault("unread-member-stops-all", breaks="SEND-01", entails="CLOSE-03 JOIN-01 SEND-10")
class UnreadMemberStopsAll(_StopsAll):
    """While 64 KiB wait for a member that does not read, nothing is handled from anybody."""

    most = FEW


@fault("unread-megabyte-stops-all", breaks="SEND-01", entails="JOIN-01", thorough=True)
class UnreadMegabyteStopsAll(_StopsAll):
    """While 768 KiB wait for a member that does not read, nothing is handled from anybody."""

    most = MANY


@fault("unread-member-ends-delivery", breaks="SEND-01", entails="CLOSE-03 JOIN-01 SEND-10")
class UnreadMemberEndsDelivery(Deliveries):
    """A message goes to the members one by one, until one of them has 64 KiB waiting: the others miss it."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = False

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._ended = False

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        self._ended = self._ended or self.waiting(effect.session) > FEW
        return () if self._ended else (effect,)


@fault("unread-messages-cut", breaks="ENV-01", entails="ENV-02")
class UnreadMessagesCut(Hook):
    """Of a message that finds 64 KiB waiting for its receiver, the second half is lost."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        if written(outgoing) is None or not isinstance(outgoing, Frame) or self.waiting(outgoing.session) <= FEW:
            return (outgoing,)
        return (replace(outgoing, data=outgoing.data[: len(outgoing.data) // 2]),)


@fault("unread-messages-twice", breaks="SEND-03")
class UnreadMessagesTwice(Deliveries):
    """A message that finds 64 KiB waiting for its receiver is queued twice."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect, effect) if self.waiting(effect.session) > FEW else (effect,)


@fault("unread-leaver-costs-a-message", breaks="SEND-10", entails="CLOSE-03 SEND-01")
class UnreadLeaverCostsAMessage(CostsAllAMessage):
    """After a member has left that had 64 KiB waiting, the next message of its channels reaches only the poster."""

    def __init__(self) -> None:
        super().__init__()
        self._full: set[int] = set()

    def costs(self, lost: Lost) -> bool:
        return lost.session in self._full

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        if self.waiting(effect.session) > FEW:
            self._full.add(effect.session)
        return super().delivery(effect, now)


@fault("unread-close-unanswered", breaks="CLOSE-01")
class UnreadCloseUnanswered(Hook):
    """A close frame of a client for whom 64 KiB wait is not answered, and the TCP connection stays open."""

    def __init__(self) -> None:
        super().__init__()
        self._full: set[int] = set()

    def frame_in(self, frame: Frame) -> Iterable[Frame]:
        if frame.opcode == Opcode.CLOSE and self.waiting(frame.session) > FEW:
            self._full.add(frame.session)
        return (frame,)

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return () if frame.opcode == Opcode.CLOSE and frame.session in self._full else (frame,)

    def ends_tcp(self, session: int) -> bool:
        return session not in self._full
