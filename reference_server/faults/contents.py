"""SEND-02, SEND-04 to SEND-06: faults of what stands in a delivery."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reference_server.core.exchange import Effect, SendText
from reference_server.faults.fault import effect_fault, fault, with_message
from reference_server.faults.posting import Deliveries

# SEND-02


def _text_fault(name: str, summary: str, change: Callable[[str], str]) -> None:
    def delivered(effect: SendText) -> Iterable[Effect]:
        return (with_message(effect, text=change(effect.payload["message"]["text"])),)

    delivered.__doc__ = summary
    effect_fault(name, "new_message", breaks="SEND-02")(delivered)


_text_fault("text-trimmed", "Spaces at the ends of a text are lost.", lambda text: text.strip() or text)
_text_fault(
    "text-astral-replaced",
    "Each character outside the BMP becomes a replacement character.",
    lambda text: "".join("\ufffd" if ord(character) > 0xFFFF else character for character in text),
)
_text_fault(
    "text-normalised",
    "The text is put into the Unicode form NFC.",
    lambda text: unicodedata.normalize("NFC", text),
)
_text_fault("text-line-ends", "A CR LF in the text becomes an LF.", lambda text: text.replace("\r\n", "\n"))
_text_fault(
    "text-html-escaped",
    "An angle bracket in the text becomes an HTML entity.",
    lambda text: text.replace("<", "&lt;"),
)
_text_fault(
    "text-controls-removed",
    "Characters that control the direction of writing are lost.",
    lambda text: "".join(character for character in text if unicodedata.category(character) != "Cf"),
)


# SEND-04


@effect_fault("message-id-number", "new_message", breaks="SEND-04", entails="ENV-03")
def message_id_number(effect: SendText) -> Iterable[Effect]:
    """message.id is a number."""
    return (with_message(effect, id=int(effect.payload["message"]["id"].rpartition("-")[2])),)


@effect_fault("message-id-constant", "new_message", breaks="SEND-04")
def message_id_constant(effect: SendText) -> Iterable[Effect]:
    """All messages have the same id."""
    return (with_message(effect, id="msg-1"),)


@effect_fault("message-id-per-receiver", "new_message", breaks="SEND-04")
def message_id_per_receiver(effect: SendText) -> Iterable[Effect]:
    """Each receiver sees another id of the same message."""
    return (with_message(effect, id=f"{effect.payload['message']['id']}-{effect.session}"),)


@fault("message-id-per-channel", breaks="SEND-04")
class MessageIdPerChannel(Deliveries):
    """Messages are numbered in each channel, so that those of two channels share ids."""

    def __init__(self) -> None:
        super().__init__()
        self._messages: Counter[str] = Counter()

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._messages[payload["channelId"]] += 1

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (with_message(effect, id=f"msg-{self._messages[effect.payload['channelId']]}"),)


# SEND-05


def _moment(effect: SendText) -> datetime:
    return datetime.fromisoformat(effect.payload["message"]["timestamp"])


@effect_fault("timestamp-no-rfc-3339", "new_message", breaks="SEND-05", entails="ENV-03")
def timestamp_no_rfc_3339(effect: SendText) -> Iterable[Effect]:
    """The timestamp is written with slashes and without an offset."""
    return (with_message(effect, timestamp=f"{_moment(effect):%Y/%m/%d %H:%M:%S}"),)


@effect_fault("timestamp-number", "new_message", breaks="SEND-05", entails="ENV-03")
def timestamp_number(effect: SendText) -> Iterable[Effect]:
    """The timestamp is a number of milliseconds."""
    return (with_message(effect, timestamp=int(_moment(effect).timestamp() * 1000)),)


@effect_fault("timestamp-local", "new_message", breaks="SEND-05")
def timestamp_local(effect: SendText) -> Iterable[Effect]:
    """The timestamp is the time in Japan, marked as UTC."""
    return (with_message(effect, timestamp=f"{_moment(effect) + timedelta(hours=9):%Y-%m-%dT%H:%M:%SZ}"),)


@fault("timestamp-decreases", breaks="SEND-05")
class TimestampDecreases(Deliveries):
    """Every second message is two seconds older than the one before it."""

    def __init__(self) -> None:
        super().__init__()
        self._messages = 0

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._messages += 1

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        earlier = _moment(effect) - timedelta(seconds=2)
        return (effect,) if self._messages % 2 else (with_message(effect, timestamp=f"{earlier:%Y-%m-%dT%H:%M:%SZ}"),)


# SEND-06


@fault("author-is-receiver", breaks="SEND-06")
class AuthorIsReceiver(Deliveries):
    """Each receiver is named as the author."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        session = self.hub.sessions.get(effect.session)
        if session is None:
            return (effect,)
        return (with_message(effect, author={"id": session.account.id, "name": session.account.name}),)


@fault("author-is-last-joiner", breaks="SEND-06")
class AuthorIsLastJoiner(Deliveries):
    """The author is whoever joined the channel last."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        members = [self.hub.sessions[key] for key in self.hub.channels.members(effect.payload["channelId"])]
        if not members:
            return (effect,)
        return (with_message(effect, author={"id": members[-1].account.id, "name": members[-1].account.name}),)


@fault("author-is-connection", breaks="SEND-06")
class AuthorIsConnection(Deliveries):
    """The author's id is that of the connection, and another one after a reconnect."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        author = effect.payload["message"]["author"]
        return (with_message(effect, author={**author, "id": f"connection-{self.poster}"}),)


@effect_fault("author-is-everybody", "new_message", breaks="SEND-06")
def author_is_everybody(effect: SendText) -> Iterable[Effect]:
    """All users have one author id."""
    return (with_message(effect, author={**effect.payload["message"]["author"], "id": "user"}),)


@effect_fault("author-without-name", "new_message", breaks="ENV-03", entails="SEND-06")
def author_without_name(effect: SendText) -> Iterable[Effect]:
    """The author has no name."""
    return (with_message(effect, author={"id": effect.payload["message"]["author"]["id"]}),)
