"""ERR-06 to ERR-10: faults of how errors are told, and of what they leave behind."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from reference_server.chat.hooks import ChatHook
from reference_server.core.exchange import Abort, Close, Effect, Happening, SendText, Text
from reference_server.core.hooks import Hook
from reference_server.faults.fault import (
    changed,
    effect_fault,
    fault,
    is_event,
    parsed,
)


class Errors(ChatHook):
    """Sees every error of the code `only`; without one, every error."""

    only: str | None = None

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "error"):
            return (effect,)
        if self.only is not None and effect.payload["code"] != self.profile.error_codes.get(self.only, self.only):
            return (effect,)
        return self.error(effect, now)

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        """One error."""
        return (effect,)

    def close(self, session: int) -> Close:
        """A close for bad conduct."""
        return Close(session, self.profile.close_codes["policy"], "")


# ERR-06, ERR-09


@effect_fault("error-message-empty", "error", breaks="ERR-06", entails="ENV-03")
def error_message_empty(effect: SendText) -> Iterable[Effect]:
    """error.payload.message is an empty string."""
    return (changed(effect, message=""),)


@fault("error-code-number", breaks="ERR-06", entails="ENV-03 ERR-02 ERR-09")
class ErrorCodeNumber(Errors):
    """What is no envelope is refused with the number 400 as code."""

    only = "INVALID_MESSAGE"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (changed(effect, code=400),)


@effect_fault("original-event-missing", "error", breaks="ERR-06")
def original_event_missing(effect: SendText) -> Iterable[Effect]:
    """Errors never have originalEvent."""
    payload = {name: member for name, member in effect.payload.items() if name != "originalEvent"}
    return (replace(effect, payload=payload),)


@fault("original-event-of-the-last-message", breaks="ERR-06", entails="ERR-10")
class OriginalEventOfTheLastMessage(Hook):
    """originalEvent names the event before the offending one, where there was one."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[int, tuple[str | None, str | None]] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        value = parsed(happening)
        name = value.get("event") if isinstance(value, dict) else None
        if isinstance(name, str):
            self._names[happening.session] = (
                self._names.get(happening.session, (None, None))[1],
                name,
            )
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        before = self._names.get(effect.session, (None, None))[0]
        if isinstance(effect, SendText) and "originalEvent" in effect.payload and before is not None:
            return (changed(effect, originalEvent=before),)
        return (effect,)


@fault("error-code-lower-case", breaks="ERR-09", entails="ERR-03")
class ErrorCodeLowerCase(Errors):
    """The code of an invalid payload is written in lower case."""

    only = "INVALID_PAYLOAD"

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (changed(effect, code=effect.payload["code"].lower()),)


# ERR-07, ERR-08


@fault("error-closes", breaks="ERR-07", entails="ERR-01 ERR-02 ERR-03 ERR-04 ERR-10")
class ErrorCloses(Errors):
    """Every error is followed by a close."""

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (effect, self.close(effect.session))


@fault("third-error-closes", breaks="ERR-07", entails="ERR-01 ERR-02 ERR-03 ERR-04 ERR-10")
class ThirdErrorCloses(Errors):
    """The third error of a connection is followed by a close."""

    def __init__(self) -> None:
        super().__init__()
        self._errors: Counter[int] = Counter()

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        self._errors[effect.session] += 1
        return (effect, self.close(effect.session)) if self._errors[effect.session] == 3 else (effect,)


@fault("error-leaves-channels", breaks="ERR-07", entails="JOIN-01 SEND-01")
class ErrorLeavesChannels(Errors):
    """An error takes the connection out of all its channels."""

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        self.hub.channels.leave_all(effect.session)
        return (effect,)


@fault("error-deafens", breaks="ERR-07", entails="JOIN-01 SEND-01")
class ErrorDeafens(Errors):
    """The message after an error is ignored."""

    def __init__(self) -> None:
        super().__init__()
        self._deaf: set[int] = set()

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        self._deaf.add(effect.session)
        return (effect,)

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        if isinstance(happening, Text) and happening.session in self._deaf:
            self._deaf.remove(happening.session)
            return ()
        return (happening,)


@fault("error-seen-in-channel", breaks="ERR-08", entails="ERR-05")
class ErrorSeenInChannel(Errors):
    """An error also reaches everybody in the channels of the connection."""

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        channels = self.hub.channels
        others = {key for name in channels.joined(effect.session) for key in channels.members(name)} - {effect.session}
        return (effect, *(replace(effect, session=key) for key in sorted(others)))


@fault("error-seen-by-user", breaks="ERR-08", entails="ERR-01 ERR-02 ERR-03 ERR-04 ERR-05 ERR-06 ERR-10 JOIN-05")
class ErrorSeenByUser(Errors):
    """An error also reaches the other connections of the same user."""

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        sessions = self.hub.sessions
        user = sessions[effect.session].account if effect.session in sessions else None
        others = [key for key, one in sessions.items() if one.account == user and key != effect.session]
        return (effect, *(replace(effect, session=key) for key in others))


# ERR-10


class _Bursts(Errors):
    """Holds errors back for 50 ms, to see whether more of them come; a single one is merely that late."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[int, list[SendText]] = {}

    def error(self, effect: SendText, now: float) -> Iterable[Effect]:
        held = self._held.setdefault(effect.session, [])
        if not held:
            self.later(now + 0.05, effect)
        held.append(effect)
        return ()

    def due(self, now: float) -> Iterator[Happening | Effect]:
        for item in super().due(now):
            yield from self.burst(self._held.pop(item.session))

    def burst(self, errors: list[SendText]) -> Iterable[Effect]:
        """What goes out for a burst."""
        return errors


@fault("burst-gets-one-error", breaks="ERR-10")
class BurstGetsOneError(_Bursts):
    """A burst of invalid messages gets a single error."""

    def burst(self, errors: list[SendText]) -> Iterable[Effect]:
        return errors[:1]


@fault("burst-answered-backwards", breaks="ERR-10")
class BurstAnsweredBackwards(_Bursts):
    """A burst of invalid messages is answered from its end."""

    def burst(self, errors: list[SendText]) -> Iterable[Effect]:
        return reversed(errors)


@fault("burst-crashes", breaks="ERR-10", entails="ERR-07")
class BurstCrashes(_Bursts):
    """A burst of more than ten invalid messages ends the connection without a close frame."""

    def burst(self, errors: list[SendText]) -> Iterable[Effect]:
        return (Abort(errors[0].session),) if len(errors) > 10 else errors
