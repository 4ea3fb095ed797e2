"""JOIN-01, JOIN-02, JOIN-05 and AUTH-02: faults of names that are taken for others, of channels and of tokens."""

import json
import posixpath
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from reference_server.chat.hooks import ChatHook
from reference_server.core.accounts import Accounts, read_token
from reference_server.core.exchange import Effect, Happening, SendText, Text
from reference_server.core.handshake import Request, Verdict
from reference_server.core.hooks import Hook
from reference_server.faults.fault import asks, changed, channel_of, fault, is_event
from reference_server.faults.joining import EachBroadcast, joined_channel

Key = Callable[[str], str]
"""What a server takes a name for."""

LONGEST = 128
"""Code points of a channel's name; what is longer is no name."""

Fits = Callable[[str, str], bool]
"""Whether who joined the one gets the messages of the other."""


class _Renamed(Hook):
    """Names of one key are one channel; each connection is told the name that it knows."""

    def __init__(self, key: Key) -> None:
        super().__init__()
        self._key = key
        self._known: dict[tuple[int, str], str] = {}

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        for event in ("join_channel", "send_message"):
            payload = asks(happening, event)
            name = channel_of(payload)
            if payload is not None and name and isinstance(happening, Text):
                key = self._key(name) or name
                self._known[happening.session, key] = name
                if key != name:
                    text = json.dumps({"event": event, "payload": {**payload, "channelId": key}})
                    return (replace(happening, text=text),)
        return (happening,)

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if not is_event(effect, "new_message"):
            return (effect,)
        key = effect.payload["channelId"]
        return (changed(effect, channelId=self._known.get((effect.session, key), key)),)


def _same(name: str) -> Callable[[Key], Key]:
    """Register a fault of channel names; the key's docstring says what the server does wrong."""

    def decorate(key: Key) -> Key:
        class Changed(_Renamed):
            __doc__ = key.__doc__

            def __init__(self) -> None:
                super().__init__(key)

        fault(name, breaks="JOIN-02", entails="SEND-02")(Changed)
        return key

    return decorate


@_same("channels-without-case")
def without_case(name: str) -> str:
    """Channels whose names differ in the case of letters are one channel."""
    return name.lower()


@_same("channels-composed")
def composed(name: str) -> str:
    """Channels whose names have the same NFC form are one channel."""
    return unicodedata.normalize("NFC", name)


@_same("channels-compatible")
def compatible(name: str) -> str:
    """Channels whose names have the same NFKC form are one channel."""
    return unicodedata.normalize("NFKC", name)


@_same("channels-trimmed")
def trimmed(name: str) -> str:
    """Blanks at the ends of a channel's name count for nothing."""
    return name.strip()


@_same("channels-cut")
def cut(name: str) -> str:
    """A channel's name counts up to its hundredth character."""
    return name[:100] if len(name) <= LONGEST else name


@_same("channels-cut-in-utf-16")
def cut_in_utf_16(name: str) -> str:
    """A channel's name counts up to its 128th UTF-16 code unit."""
    if len(name) > LONGEST:
        return name
    return name.encode("utf-16-le")[:256].decode("utf-16-le", "ignore")


@_same("channels-end-at-nul")
def end_at_nul(name: str) -> str:
    """A channel's name counts up to the first NUL."""
    return name.partition("\0")[0]


@_same("channels-as-numbers")
def as_numbers(name: str) -> str:
    """Channels whose names are the same number are one channel."""
    return f"{float(name):.17g}" if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", name) else name


@_same("channels-as-paths")
def as_paths(name: str) -> str:
    """Channels whose names are the same path are one channel."""
    return posixpath.normpath(name.replace("\\", "/")) if "/" in name else name


class _Patterns(EachBroadcast):
    """Who joined a pattern gets the messages of all channels that it fits."""

    def __init__(self, fits: Fits) -> None:
        super().__init__()
        self._fits = fits
        self._channel = ""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        if is_event(effect, "new_message"):
            self._channel = effect.payload["channelId"]
        return super().effect(effect, now)

    def added(self, members: set[int]) -> Iterable[int]:
        channels = self.hub.channels
        return [key for key in self.hub.sessions if any(self._fits(one, self._channel) for one in channels.joined(key))]


def _pattern(name: str) -> Callable[[Fits], Fits]:
    """Register a fault of subscriptions; the docstring says what the server does wrong."""

    def decorate(fits: Fits) -> Fits:
        class Changed(_Patterns):
            __doc__ = fits.__doc__

            def __init__(self) -> None:
                super().__init__(fits)

        fault(name, breaks="JOIN-02", entails="JOIN-05")(Changed)
        return fits

    return decorate


@_pattern("channels-by-glob")
def by_glob(pattern: str, name: str) -> bool:
    """A channel's name with `*`, `?` or brackets brings the messages of all channels that fit it."""
    return fnmatchcase(name, pattern)


@_pattern("channels-by-like")
def by_like(pattern: str, name: str) -> bool:
    """A channel's name is a pattern of SQL's LIKE, with `%` and `_`."""
    return re.fullmatch(re.escape(pattern).replace("%", ".*").replace("_", "."), name) is not None


@_pattern("channels-by-regex")
def by_regex(pattern: str, name: str) -> bool:
    """A channel's name is a regular expression."""
    try:
        return re.fullmatch(pattern, name) is not None
    except re.error:
        return False


@_pattern("channels-by-mqtt")
def by_mqtt(pattern: str, name: str) -> bool:
    """A channel's name is a topic filter, in which `+` stands for a level and a last `#` for all that follow."""
    wanted, levels = pattern.split("/"), name.split("/")
    if wanted[-1] == "#":
        wanted, levels = wanted[:-1], levels[: len(wanted) - 1]
    return len(wanted) == len(levels) and all(one in ("+", level) for one, level in zip(wanted, levels, strict=True))


@_pattern("channels-by-amqp")
def by_amqp(pattern: str, name: str) -> bool:
    """A channel's name is a binding key, in which `*` stands for a word and a last `#` for all that follow."""
    return by_mqtt(pattern.translate(_AMQP), name.translate(_AMQP))


_AMQP = str.maketrans("./*+", "/.+*")


@_pattern("channels-by-their-beginning")
def by_their_beginning(pattern: str, name: str) -> bool:
    """Who joined a channel gets the messages of all channels whose names begin with its name."""
    return name.startswith(pattern)


@fault("channels-of-the-prototype", breaks="JOIN-01", entails="SEND-01 SEND-09")
class ChannelsOfThePrototype(Hook):
    """Channels that are named as JavaScript's objects name what they inherit are in a table that nobody reads."""

    names = ("constructor", "__proto__", "hasOwnProperty", "toString", "valueOf")

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        payload = asks(happening, "join_channel") or asks(happening, "send_message")
        return () if channel_of(payload) in self.names else (happening,)


class _Private(ChatHook):
    """Sees the joins and posts whose channel is the private one by another name."""

    def happening(self, happening: Happening, now: float) -> Iterable[Happening | Effect]:
        private = self.profile.channels.private or ""
        payload = asks(happening, "send_message") or asks(happening, "join_channel")
        name = channel_of(payload)
        if payload is None or name is None or name == private or compatible(name).strip().lower() != private:
            return (happening,)
        return self.similar(happening, payload, private)

    def similar(self, happening: Happening, payload: dict[str, object], private: str) -> Iterable[Happening | Effect]:
        """What happens then."""
        return (happening,)


@fault("private-by-a-similar-name", breaks="JOIN-05", entails="JOIN-02")
class PrivateByASimilarName(_Private):
    """Who joins the private channel by its name in other letters is let in."""

    def similar(self, happening: Happening, payload: dict[str, object], private: str) -> Iterable[Happening | Effect]:
        if joined_channel(happening) is None:
            return (happening,)
        self.hub.channels.join(private, happening.session)
        return ()


@fault("private-posts-by-a-similar-name", breaks="JOIN-02", entails="SEND-02 SEND-09")
class PrivatePostsByASimilarName(_Private):
    """What anybody posts to the private channel by its name in other letters reaches its members."""

    def similar(self, happening: Happening, payload: dict[str, object], private: str) -> Iterable[Happening | Effect]:
        session = self.hub.sessions.get(happening.session)
        if session is None or "text" not in payload:
            return (happening,)
        post = self.hub.channels.post(private, str(payload["text"]), session.account)
        return tuple(SendText(key, post.event, post.payload) for key in post.sessions)


class _Tokens(Hook):
    """A token that is taken for a user's is accepted."""

    def __init__(self, fits: Fits) -> None:
        super().__init__()
        self._fits = fits

    def verdict(self, request: Request, verdict: Verdict) -> Verdict:
        if verdict != "invalid_token":
            return verdict
        token = read_token(self.profile.auth, request.target, request.headers, request.subprotocols) or ""
        for user in self.profile.users.values():
            if user.token is not None and self._fits(user.token, token):
                return Accounts(self.profile).find(user.token)
        return verdict


def _token(name: str) -> Callable[[Fits], Fits]:
    """Register a fault of tokens; the docstring says what the server does wrong."""

    def decorate(fits: Fits) -> Fits:
        class Changed(_Tokens):
            __doc__ = fits.__doc__

            def __init__(self) -> None:
                super().__init__(fits)

        fault(name, breaks="AUTH-02", entails="AUTH-04")(Changed)
        return fits

    return decorate


@_token("tokens-without-case")
def tokens_without_case(right: str, token: str) -> bool:
    """The case of a token's letters counts for nothing."""
    return token.lower() == right.lower()


@_token("tokens-compatible")
def tokens_compatible(right: str, token: str) -> bool:
    """A token counts by its NFKC form."""
    return unicodedata.normalize("NFKC", token) == right


@_token("tokens-trimmed")
def tokens_trimmed(right: str, token: str) -> bool:
    """Blanks at the ends of a token count for nothing."""
    return token.strip() == right


@_token("tokens-by-their-beginning")
def tokens_by_their_beginning(right: str, token: str) -> bool:
    """The beginning of a token is enough, if it has eight characters."""
    return len(token) >= 8 and right.startswith(token)


@_token("tokens-by-their-end")
def tokens_by_their_end(right: str, token: str) -> bool:
    """A token counts by its end, whatever stands before it."""
    return token.endswith(right)
