"""ERR-01 to ERR-05: faults of what is refused."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from contract.profile import Profile
from contract.schemas import violations
from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Abort, Effect, Happening, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.errors import Errors
from reference_server.faults.fault import (
    UNREADABLE,
    asks,
    changed,
    channel_of,
    fault,
    parsed,
    profile_fault,
    text_fault,
)

# ERR-01


@fault("invalid-json-ignored", breaks="ERR-01")
class InvalidJsonIgnored(Errors):
    """Text that is not JSON gets no answer."""

    only = "INVALID_JSON"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return ()


@fault("invalid-json-closes", breaks="ERR-01", entails="ERR-07")
class InvalidJsonCloses(Errors):
    """Text that is not JSON ends the connection without an error."""

    only = "INVALID_JSON"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (self.close(effect.session),)


@fault("invalid-json-code", breaks="ERR-01")
class InvalidJsonCode(Errors):
    """Text that is not JSON is refused with INVALID_PAYLOAD."""

    only = "INVALID_JSON"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (changed(effect, code=self.profile.error_codes.get("INVALID_PAYLOAD", "INVALID_PAYLOAD")),)


@fault("json-with-nan-accepted", breaks="ERR-01")
class JsonWithNanAccepted(Hook):
    """NaN and Infinity pass for JSON."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not isinstance(happening, Text) or parsed(happening) is not UNREADABLE:
            return (happening,)
        try:
            value = json.loads(happening.text, parse_constant=lambda name: None)
        except (ValueError, RecursionError):
            return (happening,)
        return (replace(happening, text=json.dumps(value)),)


@fault("json-tail-ignored", breaks="ERR-01")
class JsonTailIgnored(Hook):
    """What follows the first JSON value of a message is ignored."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if not isinstance(happening, Text) or parsed(happening) is not UNREADABLE:
            return (happening,)
        try:
            _, end = json.JSONDecoder().raw_decode(happening.text)
        except (ValueError, RecursionError):
            return (happening,)
        return (replace(happening, text=happening.text[:end]),)


# ERR-02


@fault("non-objects-ignored", breaks="ERR-02")
class NonObjectsIgnored(Hook):
    """JSON that is no object gets no answer."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        value = parsed(happening)
        return (happening,) if value is UNREADABLE or isinstance(value, dict) else ()


@fault("null-crashes", breaks="ERR-02", entails="ERR-07")
class NullCrashes(Hook):
    """The message `null` ends the connection without a close frame."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if parsed(happening) is not None:
            return (happening,)
        return (Abort(happening.session),)


@text_fault("client-sequence-unchecked", breaks="ERR-02")
def client_sequence_unchecked(value: Any) -> Any:
    """A sequence that is no integer is accepted."""
    return {name: member for name, member in value.items() if name != "sequence"} if isinstance(value, dict) else value


@text_fault("payload-defaulted", breaks="ERR-02")
def payload_defaulted(value: Any) -> Any:
    """A missing payload is taken for an empty one."""
    return {"payload": {}, **value} if isinstance(value, dict) else value


@fault("invalid-message-code", breaks="ERR-02")
class InvalidMessageCode(Errors):
    """What is no envelope is refused with INVALID_PAYLOAD."""

    only = "INVALID_MESSAGE"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (changed(effect, code=self.profile.error_codes.get("INVALID_PAYLOAD", "INVALID_PAYLOAD")),)


# ERR-03


@profile_fault("text-length-unchecked", breaks="ERR-03")
def text_length_unchecked(profile: Profile) -> Profile:
    """Texts of any length are accepted."""
    return replace(profile, limits=replace(profile.limits, text_length=profile.limits.message_bytes))


def _posted(value: Any) -> dict[str, Any]:
    payload = value.get("payload") if isinstance(value, dict) and value.get("event") == "send_message" else None
    return payload if isinstance(payload, dict) else {}


@fault("empty-text-ignored", breaks="ERR-03")
class EmptyTextIgnored(Hook):
    """A post with an empty text gets no answer."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        return () if _posted(parsed(happening)).get("text") == "" else (happening,)


@text_fault("text-converted", breaks="ERR-03")
def text_converted(value: Any) -> Any:
    """A text that is a number is posted as its digits."""
    payload = _posted(value)
    text = payload.get("text")
    if isinstance(text, bool) or not isinstance(text, int | float):
        return value
    return {**value, "payload": {**payload, "text": str(text)}}


@fault("invalid-payload-code", breaks="ERR-03")
class InvalidPayloadCode(Errors):
    """An invalid payload is refused with INVALID_MESSAGE."""

    only = "INVALID_PAYLOAD"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (changed(effect, code=self.profile.error_codes.get("INVALID_MESSAGE", "INVALID_MESSAGE")),)


# ERR-04, ERR-05


class _UnknownEvents(Errors):
    """Sees the refusals of events: `declared` are those of the server, the others nobody's."""

    only = "UNKNOWN_EVENT"
    declared = False

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        is_declared = effect.payload.get("originalEvent") in self.hub.rules.contract.events
        return self.refusal(effect) if is_declared is self.declared else (effect,)

    def refusal(self, effect: SendText) -> Iterable[Effect]:
        """One refusal."""
        return ()


@fault("unknown-event-ignored", breaks="ERR-04")
class UnknownEventIgnored(_UnknownEvents):
    """An event that the specification does not name gets no answer."""


@fault("unknown-event-code", breaks="ERR-04 ERR-09")
class UnknownEventCode(_UnknownEvents):
    """An unknown event is refused with a code that the profile does not name."""

    def refusal(self, effect: SendText) -> Iterable[Effect]:
        return (changed(effect, code="NO_SUCH_EVENT"),)


@fault("server-event-ignored", breaks="ERR-05")
class ServerEventIgnored(_UnknownEvents):
    """An event of the server gets no answer when a client sends it."""

    declared = True


@fault("server-event-relayed", breaks="ERR-05")
class ServerEventRelayed(ChatHook):
    """A new_message that a client sends reaches the channel as it is."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        payload = asks(happening, "new_message")
        channel = channel_of(payload)
        if (
            payload is None
            or channel is None
            or violations(self.hub.rules.contract.events["new_message"].payload, payload)
        ):
            return (happening,)
        return [SendText(member, "new_message", payload) for member in self.hub.channels.members(channel)]
