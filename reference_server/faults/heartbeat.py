"""HB: faults of the heartbeat, in messages and in control frames."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from contract.profile import Profile
from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Abort, Close, Effect, Frame, Happening, Lost, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import (
    asks,
    changed,
    error,
    fault,
    is_close,
    is_event,
    message_fault,
    parsed,
    profile_fault,
)
from wire.frames import Opcode


@profile_fault("heartbeat-slow", breaks="HB-01")
def heartbeat_slow(profile: Profile) -> Profile:
    """Pings come every two intervals."""
    return replace(profile, heartbeat=replace(profile.heartbeat, interval=2 * profile.heartbeat.interval))


@profile_fault("heartbeat-fast", breaks="HB-01")
def heartbeat_fast(profile: Profile) -> Profile:
    """Pings come every half interval."""
    return replace(profile, heartbeat=replace(profile.heartbeat, interval=profile.heartbeat.interval / 2))


@profile_fault("heartbeat-missing", breaks="HB-01", entails="HB-04")
def heartbeat_missing(profile: Profile) -> Profile:
    """There are no pings at all."""
    return replace(profile, heartbeat=replace(profile.heartbeat, form="none"))


@fault("heartbeat-stops", breaks="HB-01", entails="HB-04")
class HeartbeatStops(ChatHook):
    """There are two pings, and no more after them."""

    def __init__(self) -> None:
        super().__init__()
        self._pings: Counter[int] = Counter()

    def is_over(self, session: int) -> bool:
        """Whether a session gets no more pings."""
        return self._pings[session] > 2

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "ping"):
            return (effect,)
        self._pings[effect.session] += 1
        if not self.is_over(effect.session):
            return (effect,)
        # What the client does not get, it need not answer.
        self.hub.sessions[effect.session].pong({})
        return ()


class _LeavesOut(ChatHook):
    """Sends no ping where it should."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "ping") or not self.is_left_out(effect.session, now):
            return (effect,)
        # What the client does not get, it need not answer.
        self.hub.sessions[effect.session].pong({})
        return ()

    def is_left_out(self, session: int, now: float) -> bool:
        """Whether a ping that is due is not sent."""
        return False


@fault("heartbeat-pauses-in-use", breaks="HB-01")
class HeartbeatPausesInUse(_LeavesOut):
    """A client that has sent a message, other than a pong, in the last half of an interval gets no ping."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[int, float] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Text) and asks(happening, "pong") is None:
            self._heard[happening.session] = now
        return (happening,)

    def is_left_out(self, session: int, now: float) -> bool:
        return now - self._heard.get(session, -math.inf) < self.profile.heartbeat.interval / 2


@fault("heartbeat-stops-after-an-error", breaks="HB-01")
class HeartbeatStopsAfterAnError(_LeavesOut):
    """A connection that has got an error gets no ping any more."""

    def __init__(self) -> None:
        super().__init__()
        self._erred: set[int] = set()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "error"):
            self._erred.add(effect.session)
        return super().effect(effect, now)

    def is_left_out(self, session: int, now: float) -> bool:
        return session in self._erred


@fault("pong-with-members-ignored", breaks="HB-03", entails="HB-01")
class PongWithMembersIgnored(Hook):
    """A pong with members in its payload does not count."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if asks(happening, "pong") else (happening,)


@fault("pong-with-a-sequence-ignored", breaks="HB-03", entails="HB-01")
class PongWithASequenceIgnored(Hook):
    """A pong with a sequence does not count."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if asks(happening, "pong") is not None and "sequence" in parsed(happening) else (happening,)


@fault("heartbeat-uneven", breaks="HB-01")
class HeartbeatUneven(Hook):
    """Every second ping is late by more than the tolerance; the next one is in time again."""

    def __init__(self) -> None:
        super().__init__()
        self._pings: Counter[int] = Counter()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "ping"):
            return (effect,)
        self._pings[effect.session] += 1
        if self._pings[effect.session] % 2:
            return (effect,)
        rules = self.profile.heartbeat
        self.later(now + min(0.45 * rules.interval, 0.9 * rules.timeout), effect)
        return ()


@message_fault("ping-payload-null", "ping", breaks="HB-02", entails="ENV-02 ENV-03")
def ping_payload_null(message: dict[str, object]) -> dict[str, object]:
    """The payload of ping is null."""
    return {**message, "payload": None}


@message_fault("ping-payload-missing", "ping", breaks="HB-02", entails="ENV-02 ENV-03")
def ping_payload_missing(message: dict[str, object]) -> dict[str, object]:
    """ping has no payload."""
    return {name: member for name, member in message.items() if name != "payload"}


@fault("pong-ignored", breaks="HB-03", entails="HB-01")
class PongIgnored(Hook):
    """Pongs count for nothing, and a client that sends them is closed all the same."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if asks(happening, "pong") is not None else (happening,)


@fault("pong-must-echo", breaks="HB-03", entails="ENV-08 HB-01")
class PongMustEcho(Hook):
    """ping carries a nonce, and only a pong that repeats it counts."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "ping"):
            return (changed(effect, nonce=f"ping-{effect.session}"),)
        return (effect,)

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        pong = asks(happening, "pong")
        return () if pong is not None and not str(pong.get("nonce")).startswith("ping-") else (happening,)


@profile_fault("heartbeat-no-timeout", breaks="HB-04")
def heartbeat_no_timeout(profile: Profile) -> Profile:
    """A client that answers no ping stays connected."""
    return replace(profile, heartbeat=replace(profile.heartbeat, timeout=1e6))


@profile_fault("heartbeat-timeout-late", breaks="HB-04")
def heartbeat_timeout_late(profile: Profile) -> Profile:
    """A client that answers no ping is closed much too late."""
    rules = profile.heartbeat
    return replace(profile, heartbeat=replace(rules, timeout=10 * (rules.interval + rules.timeout)))


@profile_fault("heartbeat-timeout-code", breaks="HB-04", entails="CLOSE-04")
def heartbeat_timeout_code(profile: Profile) -> Profile:
    """A client that answers no ping is closed with the code of an internal error."""
    codes = profile.close_codes
    return replace(profile, close_codes={**codes, "heartbeat_timeout": codes["internal_error"]})


@fault("heartbeat-timeout-without-close-frame", breaks="HB-04")
class HeartbeatTimeoutWithoutCloseFrame(Hook):
    """A client that answers no ping is cut without a close frame."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return (Abort(effect.session),) if is_close(effect, self.profile, "heartbeat_timeout") else (effect,)


class _CountsPongs(Hook):
    """Knows which pongs nothing asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._unanswered: set[int] = set()

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "ping"):
            self._unanswered.add(effect.session)
        return (effect,)

    def is_unsolicited(self, happening: Happening) -> bool:
        """Whether this is a pong without a ping; the first one after a ping is not."""
        if isinstance(happening, Lost):
            self._unanswered.discard(happening.session)
        if asks(happening, "pong") is None:
            return False
        session = happening.session
        if session not in self._unanswered:
            return True
        self._unanswered.remove(session)
        return False


@fault("pong-unsolicited-error", breaks="HB-05")
class PongUnsolicitedError(_CountsPongs):
    """A pong that no ping asked for gets an error."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not self.is_unsolicited(happening):
            return (happening,)
        return (happening, error(happening.session, self.profile, "UNKNOWN_EVENT", "pong"))


@fault("pong-unsolicited-closes", breaks="HB-05", entails="HB-03")
class PongUnsolicitedCloses(_CountsPongs):
    """A pong that no ping asked for ends the connection."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not self.is_unsolicited(happening):
            return (happening,)
        return (Close(happening.session, self.profile.close_codes["policy"], "unexpected pong"),)


@fault("control-ping-unanswered", breaks="HB-06")
class ControlPingUnanswered(Hook):
    """A WebSocket control ping gets no pong."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return () if frame.opcode == Opcode.PONG else (frame,)


@fault("control-pong-empty", breaks="HB-06")
class ControlPongEmpty(Hook):
    """The pong to a control ping has no payload."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return (replace(frame, data=b""),) if frame.opcode == Opcode.PONG else (frame,)


@fault("control-pong-cut", breaks="HB-06")
class ControlPongCut(Hook):
    """The pong to a control ping repeats no more than 64 bytes of its payload."""

    def control_out(self, frame: Frame) -> Iterable[Frame]:
        return (replace(frame, data=frame.data[:64]),) if frame.opcode == Opcode.PONG else (frame,)
