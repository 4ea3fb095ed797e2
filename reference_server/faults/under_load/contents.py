"""SEND-02, SEND-04 to SEND-06: deliveries whose content is wrong now and then."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from reference_server.core.exchange import Effect, SendText
from reference_server.faults.fault import changed, fault, with_message
from reference_server.faults.posting import Deliveries
from reference_server.faults.under_load.now_and_then import NowAndThen


class _Copy(Deliveries, NowAndThen):
    """Changes every nth copy, for its receiver alone."""

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (self.change(effect) if self.is_due() else effect,)

    def change(self, effect: SendText) -> SendText:
        raise NotImplementedError


class _Message(Deliveries, NowAndThen):
    """Changes the message of every nth post, alike for all receivers."""

    def __init__(self) -> None:
        super().__init__()
        self._is_due = False
        self._before: Mapping[str, Any] = {}
        self._message: Mapping[str, Any] = {}

    def begins(self, payload: Mapping[str, Any]) -> None:
        self._is_due = self.is_due()
        self._before, self._message = self._message, payload["message"]

    def delivery(self, effect: SendText, now: float) -> Iterable[Effect]:
        return (
            with_message(effect, **self.change(effect.payload["message"], self._before)) if self._is_due else effect,
        )

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        """The members that are other than they should be; `before` is the message before."""
        raise NotImplementedError


# SEND-02


@fault("text-altered-in-150", breaks="SEND-02", under_load=True)
class TextAltered(_Copy):
    """Every 150th delivery has lost the last character of its text."""

    every = 150

    def change(self, effect: SendText) -> SendText:
        return with_message(effect, text=effect.payload["message"]["text"][:-1])


@fault("channel-changed-in-150", breaks="SEND-02", entails="SEND-01", under_load=True)
class ChannelChanged(_Copy):
    """Every 150th delivery has the name of another channel."""

    every = 150

    def change(self, effect: SendText) -> SendText:
        return changed(effect, channelId="elsewhere")


# SEND-04


@fault("message-id-repeated-in-100", breaks="SEND-04", under_load=True)
class MessageIdRepeated(_Message):
    """Every 100th message has the id of the one before."""

    every = 100

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"id": before["id"]}


@fault("message-id-differs-in-150", breaks="SEND-04", under_load=True)
class MessageIdDiffers(_Copy):
    """Every 150th delivery has an id of its own."""

    every = 150

    def change(self, effect: SendText) -> SendText:
        return with_message(effect, id=effect.payload["message"]["id"] + "-copy")


@fault("message-id-empty-in-150", breaks="SEND-04", entails="ENV-03", under_load=True)
class MessageIdEmpty(_Copy):
    """Every 150th delivery has an empty id."""

    every = 150

    def change(self, effect: SendText) -> SendText:
        return with_message(effect, id="")


# SEND-05


@fault("timestamp-falls-in-100", breaks="SEND-05", under_load=True)
class TimestampFalls(_Message):
    """Every 100th message is stamped with a time two minutes ago."""

    every = 100

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"timestamp": (datetime.fromisoformat(message["timestamp"]) - timedelta(minutes=2)).isoformat()}


@fault("timestamp-far-off-in-100", breaks="SEND-05", under_load=True)
class TimestampFarOff(_Message):
    """Every 100th message is stamped with a time of next year."""

    every = 100

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        stamp = message["timestamp"]
        return {"timestamp": f"{int(stamp[:4]) + 1}{stamp[4:]}"}


@fault("timestamp-invalid-in-150", breaks="SEND-05", entails="ENV-03", under_load=True)
class TimestampInvalid(_Copy):
    """Every 150th delivery has a timestamp of a thirteenth month."""

    every = 150

    def change(self, effect: SendText) -> SendText:
        stamp = effect.payload["message"]["timestamp"]
        return with_message(effect, timestamp=f"{stamp[:5]}13{stamp[7:]}")


# SEND-06


@fault("author-wrong-in-100", breaks="SEND-06", under_load=True)
class AuthorWrong(_Message):
    """Every 100th message names somebody else as its author."""

    every = 100

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"author": {"id": "user-nobody", "name": message["author"]["name"]}}


@fault("author-name-changes-in-100", breaks="SEND-06", under_load=True)
class AuthorNameChanges(_Message):
    """Every 100th message has another name of its author."""

    every = 100

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"author": {**message["author"], "name": "Somebody"}}


@fault("author-shared-by-some", breaks="SEND-06", under_load=True)
class AuthorShared(_Message):
    """Users get one of four author ids, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._ids: dict[str, str] = {}

    def change(self, message: Mapping[str, Any], before: Mapping[str, Any]) -> Mapping[str, Any]:
        author = message["author"]
        return {"author": {**author, "id": self._ids.setdefault(author["id"], f"user-{len(self._ids) % 4}")}}
