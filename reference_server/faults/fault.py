"""What a fault is, the table of all of them, and short ways to write one.

A fault is data beside the server: a name, what it breaks, and a `Hook` that does it. Faults need no randomness
and no clock but the server's own.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard, TypeVar

from contract.json_text import JsonTextError, dump_json, parse_json
from contract.profile import Profile
from reference_server.core.exchange import Close, Effect, Frame, Happening, Outgoing, SendText, Text
from reference_server.core.handshake import Answer, Request
from reference_server.core.hooks import Hook
from wire.frames import Opcode


@dataclass(frozen=True, slots=True)
class Fault:
    """One known deviation.

    `breaks` are the requirements that it is made to violate. `entails` are others whose statements the same
    behaviour violates as well: a run may charge it to them too. `thorough` ones show only after a while, and those
    `under_load` only among many messages and connections: they are the load test's to find.
    """

    name: str
    summary: str
    breaks: tuple[str, ...]
    entails: tuple[str, ...]
    make: Callable[[], Hook]
    thorough: bool = False
    under_load: bool = False


FAULTS: dict[str, Fault] = {}

HookClass = TypeVar("HookClass", bound=type[Hook])
EffectChange = Callable[[SendText], Iterable[Effect]]
MessageChange = Callable[[dict[str, Any]], dict[str, Any]]
ProfileChange = Callable[[Profile], Profile]
AnswerChange = Callable[[Request, Answer], Answer]
TextChange = Callable[[Any], Any]


def _register(
    name: str,
    summary: str | None,
    breaks: str,
    entails: str,
    make: Callable[[], Hook],
    *,
    thorough: bool = False,
    under_load: bool = False,
) -> None:
    if name in FAULTS:
        raise ValueError(f"two faults are named {name!r}")
    words = " ".join((summary or "").split())
    FAULTS[name] = Fault(name, words, tuple(breaks.split()), tuple(entails.split()), make, thorough, under_load)


def fault(
    name: str, *, breaks: str, entails: str = "", thorough: bool = False, under_load: bool = False
) -> Callable[[HookClass], HookClass]:
    """Register a hook as a fault; its docstring says what the server does wrong. Ids are separated by spaces."""

    def decorate(hook: HookClass) -> HookClass:
        _register(name, hook.__doc__, breaks, entails, hook, thorough=thorough, under_load=under_load)
        return hook

    return decorate


def profile_fault(name: str, *, breaks: str, entails: str = "") -> Callable[[ProfileChange], ProfileChange]:
    """A fault that is nothing but another profile."""

    def decorate(change: ProfileChange) -> ProfileChange:
        class Changed(Hook):
            def changed_profile(self, profile: Profile) -> Profile:
                return change(profile)

        _register(name, change.__doc__, breaks, entails, Changed)
        return change

    return decorate


def answer_fault(name: str, *, breaks: str, entails: str = "") -> Callable[[AnswerChange], AnswerChange]:
    """A fault of the HTTP response."""

    def decorate(change: AnswerChange) -> AnswerChange:
        class Changed(Hook):
            def answer(self, request: Request, answer: Answer) -> Answer:
                return change(request, answer)

        _register(name, change.__doc__, breaks, entails, Changed)
        return change

    return decorate


def effect_fault(name: str, event: str, *, breaks: str, entails: str = "") -> Callable[[EffectChange], EffectChange]:
    """A fault that replaces each message of one event by other effects (none: it is not sent)."""

    def decorate(change: EffectChange) -> EffectChange:
        class Changed(Hook):
            def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
                return change(effect) if is_event(effect, event) else (effect,)

        _register(name, change.__doc__, breaks, entails, Changed)
        return change

    return decorate


def message_fault(name: str, event: str, *, breaks: str, entails: str = "") -> Callable[[MessageChange], MessageChange]:
    """A fault of the JSON as it is written, `sequence` included; event `*` means all."""

    def decorate(change: MessageChange) -> MessageChange:
        class Changed(Hook):
            def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
                message = written(outgoing)
                if message is None or event not in ("*", message["event"]):
                    return (outgoing,)
                return (rewritten(outgoing, change(message)),)

        _register(name, change.__doc__, breaks, entails, Changed)
        return change

    return decorate


def text_fault(name: str, *, breaks: str, entails: str = "") -> Callable[[TextChange], TextChange]:
    """A fault of what the server takes a client's JSON for: the parsed value is replaced before it is judged."""

    def decorate(change: TextChange) -> TextChange:
        class Changed(Hook):
            def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
                value = parsed(happening)
                return (reworded(happening, change(value)),) if value is not UNREADABLE else (happening,)

        _register(name, change.__doc__, breaks, entails, Changed)
        return change

    return decorate


# Reading and changing what passes


def is_event(effect: Effect, event: str) -> TypeGuard[SendText]:
    """Whether an effect sends this event."""
    return isinstance(effect, SendText) and effect.event == event


UNREADABLE = object()


def parsed(happening: Happening) -> Any:
    """The JSON of a client's message; `UNREADABLE` where there is none."""
    try:
        return parse_json(happening.text) if isinstance(happening, Text) else UNREADABLE
    except JsonTextError:
        return UNREADABLE


def reworded(happening: Happening, value: Any) -> Happening:
    """The same client's message with another JSON in it."""
    if not isinstance(happening, Text) or value == parse_json(happening.text):
        return happening
    return replace(happening, text=json.dumps(value))


def asks(happening: Happening, event: str) -> dict[str, Any] | None:
    """The payload, if the happening is a client's message of this event with an object as payload."""
    value = parsed(happening)
    if not isinstance(value, dict) or value.get("event") != event:
        return None
    payload = value.get("payload")
    return payload if isinstance(payload, dict) else None


def channel_of(payload: Mapping[str, Any] | None) -> str | None:
    """The `channelId` of a payload, if it is a string."""
    channel = payload.get("channelId") if payload is not None else None
    return channel if isinstance(channel, str) else None


def changed(effect: SendText, **members: Any) -> SendText:
    """The same message with other members in its payload."""
    return replace(effect, payload={**effect.payload, **members})


def with_message(effect: SendText, **members: Any) -> SendText:
    """The same `new_message` with other members in its `message`."""
    return changed(effect, message={**effect.payload["message"], **members})


def written(outgoing: Outgoing) -> dict[str, Any] | None:
    """The JSON of a frame that holds a message of the server."""
    if not isinstance(outgoing, Frame) or outgoing.opcode != Opcode.TEXT:
        return None
    try:
        message = parse_json(outgoing.data.decode())
    except ValueError:
        return None
    return message if isinstance(message, dict) and "event" in message else None


def rewritten(outgoing: Outgoing, message: Any) -> Outgoing:
    """The frame with another JSON in it."""
    return replace(outgoing, data=dump_json(message).encode()) if isinstance(outgoing, Frame) else outgoing


def error(session: int, profile: Profile, code: str, original_event: str | None = None) -> SendText:
    """An `error` that the clean server would not have sent."""
    payload = {"code": profile.error_codes.get(code, code), "message": "The message was refused."}
    if original_event is not None:
        payload["originalEvent"] = original_event
    return SendText(session, "error", payload)


def is_close(effect: Effect | Outgoing, profile: Profile, cause: str) -> bool:
    """Whether the server closes for this cause."""
    return isinstance(effect, Close) and effect.code == profile.close_codes[cause]
