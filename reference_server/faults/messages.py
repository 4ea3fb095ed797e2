"""ENV: faults of the message format, in both directions."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Effect, Frame, Happening, Lost, Outgoing, SendText
from reference_server.core.hooks import Hook
from reference_server.faults.fault import (
    asks,
    channel_of,
    effect_fault,
    fault,
    message_fault,
    parsed,
    reworded,
    rewritten,
    text_fault,
    with_message,
    written,
)
from wire.frames import Opcode


@fault("ack-binary", breaks="ENV-01", entails="CONN-02 CONN-04 CONN-05")
class AckBinary(Hook):
    """connection_ack is a binary message."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if isinstance(outgoing, Frame) and message is not None and message["event"] == "connection_ack":
            return (replace(outgoing, opcode=Opcode.BINARY),)
        return (outgoing,)


@fault("delivery-in-two-frames", breaks="ENV-01")
class DeliveryInTwoFrames(Hook):
    """new_message is sent in two fragments."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if not isinstance(outgoing, Frame) or message is None or message["event"] != "new_message":
            return (outgoing,)
        half = len(outgoing.data) // 2
        rest = replace(outgoing, opcode=Opcode.CONT, data=outgoing.data[half:])
        return (replace(outgoing, data=outgoing.data[:half], final=False), rest)


@fault("astral-in-cesu-8", breaks="ENV-01", entails="JOIN-01 SEND-01 SEND-02")
class AstralInCesu8(Hook):
    """Characters outside the BMP are written as two surrogates in three bytes each, which is not UTF-8."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        if not isinstance(outgoing, Frame):
            return (outgoing,)
        units = outgoing.data.decode().encode("utf-16-le")
        pairs = "".join(chr(int.from_bytes(units[i : i + 2], "little")) for i in range(0, len(units), 2))
        return (replace(outgoing, data=pairs.encode("utf-8", "surrogatepass")),)


@fault("invalid-json-answered-in-plain-text", breaks="ENV-01 ERR-01")
class InvalidJsonAnsweredInPlainText(Hook):
    """The answer to a message that is not JSON is not JSON either."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        code = self.profile.error_codes.get("INVALID_JSON")
        if isinstance(outgoing, Frame) and message is not None and message["payload"].get("code") == code:
            return (replace(outgoing, data=b"Error: not JSON"),)
        return (outgoing,)


@fault("third-payload-as-string", breaks="ENV-02", entails="ENV-03 ERR-07 JOIN-01 SEND-01 SEND-04 SEND-05 SEND-06")
class ThirdPayloadAsString(Hook):
    """The payload of a connection's third new_message is JSON inside a string."""

    def __init__(self) -> None:
        super().__init__()
        self._deliveries: Counter[int] = Counter()

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None or message["event"] != "new_message":
            return (outgoing,)
        self._deliveries[outgoing.session] += 1
        if self._deliveries[outgoing.session] != 3:
            return (outgoing,)
        return (rewritten(outgoing, {**message, "payload": json.dumps(message["payload"])}),)


@message_fault("sequence-as-string", "*", breaks="ENV-04", entails="ENV-02 ENV-05")
def sequence_as_string(message: dict[str, Any]) -> dict[str, Any]:
    """sequence is a string of digits."""
    return {**message, "sequence": str(message["sequence"])}


@message_fault("sequence-starts-again", "*", breaks="ENV-04", entails="ENV-05")
def sequence_starts_again(message: dict[str, Any]) -> dict[str, Any]:
    """sequence starts again from 1 after five messages."""
    return {**message, "sequence": (message["sequence"] - 1) % 5 + 1}


@message_fault("sequence-of-errors-is-zero", "error", breaks="ENV-04", entails="ENV-05")
def sequence_of_errors_is_zero(message: dict[str, Any]) -> dict[str, Any]:
    """Errors have the sequence 0."""
    return {**message, "sequence": 0}


@message_fault("sequence-leaps", "*", breaks="ENV-05")
def sequence_leaps(message: dict[str, Any]) -> dict[str, Any]:
    """sequence leaves out every third number."""
    return {**message, "sequence": message["sequence"] + (message["sequence"] - 1) // 2}


@fault("sequence-of-the-server", breaks="ENV-05")
class SequenceOfTheServer(Hook):
    """All connections share one count, so that each of them sees leaps."""

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None:
            return (outgoing,)
        self._sent += 1
        return (rewritten(outgoing, {**message, "sequence": self._sent}),)


# What a client may send, taken amiss. A member that the clean server refuses stands for the refusal.

REFUSED: dict[str, Any] = {"sequence": "refused"}


def _sequence(value: Any) -> int | None:
    number = value.get("sequence") if isinstance(value, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None


@text_fault("client-sequence-beyond-32-bit-refused", breaks="ENV-06")
def client_sequence_32_bit(value: Any) -> Any:
    """A client's sequence beyond 2^31 - 1 is refused as an invalid message."""
    return {**value, **REFUSED} if (_sequence(value) or 0) > 2**31 - 1 else value


@text_fault("client-sequence-zero-refused", breaks="ENV-06")
def client_sequence_zero(value: Any) -> Any:
    """A client's sequence of 0 is refused as an invalid message."""
    return {**value, **REFUSED} if _sequence(value) == 0 else value


@fault("client-sequence-must-increase", breaks="ENV-06")
class ClientSequenceMustIncrease(Hook):
    """A client's sequence that is not greater than its last one is refused as an invalid message."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[int, int] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        value = parsed(happening)
        number = _sequence(value)
        if number is None:
            return (happening,)
        if number <= self._last.get(happening.session, -1):
            return (reworded(happening, {**value, **REFUSED}),)
        self._last[happening.session] = number
        return (happening,)


class _SequencesOfTheUser(ChatHook):
    """Remembers the numbers of a user's posts in a channel, over all its connections."""

    def __init__(self) -> None:
        super().__init__()
        self._used: dict[tuple[str, str], dict[int, int]] = defaultdict(dict)

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        number, channel = _sequence(parsed(happening)), channel_of(asks(happening, "send_message"))
        session = self.hub.sessions.get(happening.session)
        if number is None or channel is None or session is None:
            return (happening,)
        used = self._used[session.account.id, channel]
        others = [one for one, key in used.items() if key != session.key]
        used.setdefault(number, session.key)
        return () if self.is_dropped(number, others) else (happening,)

    def is_dropped(self, number: int, others: list[int]) -> bool:
        """Whether a post is ignored, by its number and those that other connections of its user have used."""
        return False


@fault("client-sequence-goes-on-after-a-reconnect", breaks="ENV-06", entails="SEND-01")
class ClientSequenceGoesOn(_SequencesOfTheUser):
    """A post is ignored if an earlier connection of its user has used a higher sequence in the channel."""

    def is_dropped(self, number: int, others: list[int]) -> bool:
        return any(one > number for one in others)


@fault("client-sequence-of-the-user", breaks="ENV-06", entails="SEND-01")
class ClientSequenceOfTheUser(_SequencesOfTheUser):
    """A post is ignored as a duplicate if another connection of its user has used its sequence in the channel."""

    def is_dropped(self, number: int, others: list[int]) -> bool:
        return number in others


@text_fault("unknown-payload-member-refused", breaks="ENV-07")
def unknown_payload_member(value: Any) -> Any:
    """A payload with a member that the server does not know is refused as invalid."""
    if not isinstance(value, dict) or value.get("event") not in ("join_channel", "send_message"):
        return value
    payload = value.get("payload")
    unknown = isinstance(payload, dict) and not payload.keys() <= {"channelId", "text"}
    return {**value, "payload": {}} if unknown else value


@text_fault("unknown-pong-member-refused", breaks="ENV-07")
def unknown_pong_member(value: Any) -> Any:
    """A pong with a member in its payload is refused as invalid."""
    refused = isinstance(value, dict) and value.get("event") == "pong" and bool(value.get("payload"))
    return {**value, "payload": None} if refused else value


@text_fault("unknown-envelope-member-refused", breaks="ENV-07")
def unknown_envelope_member(value: Any) -> Any:
    """An envelope with a member that the server does not know is refused as invalid."""
    unknown = isinstance(value, dict) and not value.keys() <= {"event", "payload", "sequence"}
    return {**value, **REFUSED} if unknown else value


@fault("undeclared-event", breaks="ENV-08")
class UndeclaredEvent(Hook):
    """A join is answered by an event that the specification does not name."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if asks(happening, "join_channel") is None:
            return (happening,)
        return (happening, SendText(happening.session, "channel_joined", {}))


@fault("presence-announced", breaks="ENV-08")
class PresenceAnnounced(ChatHook):
    """Who enters a channel, and who leaves the server, is announced to everybody there by an undeclared event."""

    def __init__(self) -> None:
        super().__init__()
        self._entered: dict[int, set[str]] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Lost):
            left = self._entered.pop(happening.session, set())
            return (happening, *(one for name in left for one in self._announce("member_left", name, happening)))
        channel = channel_of(asks(happening, "join_channel"))
        if channel is None:
            return (happening,)
        self._entered.setdefault(happening.session, set()).add(channel)
        return (happening, *self._announce("member_joined", channel, happening))

    def _announce(self, event: str, channel: str, happening: Happening) -> Iterable[Effect]:
        for session, entered in self._entered.items():
            if channel in entered and session != happening.session and session in self.hub.sessions:
                yield SendText(session, event, {"channelId": channel, "sessions": happening.session})


@effect_fault("undeclared-member", "new_message", breaks="ENV-08")
def undeclared_member(effect: SendText) -> Iterable[Effect]:
    """new_message has a member that the specification does not name."""
    return (with_message(effect, edited=False),)
