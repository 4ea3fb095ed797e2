"""Which side sends which message, and what answers it: operations of AsyncAPI 2.x and 3.x."""

from collections.abc import Iterable

from contract.asyncapi.declarations import Action
from contract.asyncapi.message_reading import Found, MessageCollector, opposite
from contract.asyncapi.references import Place
from contract.asyncapi.traits import with_traits

_SIDES: tuple[tuple[str, Action], ...] = (("subscribe", "send"), ("publish", "receive"))
"""In 2.x an operation says what others do: they subscribe to what the application sends."""


def read_operations_2(channels: Iterable[tuple[str, Place]], messages: MessageCollector) -> None:
    """Messages of 2.x: each channel has those that others subscribe to and those that they publish."""
    for key, channel in channels:
        messages.reading = messages.files.root.root["channels"][key]
        for name, action in _SIDES:
            operation = messages.files.follow(channel[name]) if channel[name].value is not None else None
            if operation is not None:
                _operation_2(key, with_traits(operation, messages.files, True), action, messages)


def _operation_2(key: str, operation: Place, action: Action, messages: MessageCollector) -> None:
    if not isinstance(operation.value, dict):
        messages.notes.add("expected an operation: a mapping", operation)
        return
    if "message" not in operation.value:
        messages.notes.add("the operation has no message", operation)
        return
    found = messages.all(operation["message"], operation.text("operationId") or f"{key} {operation.key}")
    shared = _responses(operation, messages)
    for one in found:
        one.actions.add(action)
        one.channels[key] = None
        _answered(one, [*shared, *_responses(one.place, messages)], action, key)


def _responses(place: Place, messages: MessageCollector) -> list[Found]:
    """`x-response`: a message, or a list of them, that 2.x documents use for want of `reply`."""
    response = place["x-response"]
    if response.value is None:
        return []
    places = list(response) if isinstance(response.value, list) else [response]
    return [found for one in places for found in messages.all(one)]


def _answered(message: Found, replies: Iterable[Found], action: Action, key: str) -> None:
    for reply in replies:
        message.replies[reply.name] = None
        reply.actions.add(opposite(action))
        reply.channels[key] = None


class Operations3:
    """Messages of 3.x: operations refer to channels and to some of their messages."""

    def __init__(self, channels: Iterable[tuple[str, Place]], messages: MessageCollector) -> None:
        self._messages = messages
        self._keys: dict[Place, str] = {}
        self._carried: dict[Place, list[Found]] = {}
        for key, channel in channels:
            self._keys.setdefault(channel, key)
            messages.reading = messages.files.root.root["channels"][key]
            for found in self._of_channel(channel):
                found.channels[key] = None

    def read(self, operations: Iterable[Place]) -> None:
        """Note all sides and replies."""
        for one in operations:
            self._messages.reading = self._messages.files.root.root["operations"][one.key]
            operation = self._messages.files.follow(one)
            if operation is None:
                continue
            operation = with_traits(operation, self._messages.files, False)
            action = operation["action"].value
            if action == "send" or action == "receive":
                self._operation(operation, action)
            else:
                place = operation["action"] if action is not None else operation
                self._messages.notes.add("operation: expected the action 'send' or 'receive'", place)

    def _operation(self, operation: Place, action: Action) -> None:
        channel = self._channel(operation)
        found = self._listed(operation, channel)
        replies = self._replies(operation, channel)
        for one in found:
            one.actions.add(action)
            self._carry(one, channel)
            one.replies.update(dict.fromkeys(reply.name for reply, _ in replies))
        for reply, onward in replies:
            reply.actions.add(opposite(action))
            self._carry(reply, onward)

    def _replies(self, operation: Place, channel: Place | None) -> list[tuple[Found, Place | None]]:
        if operation["reply"].value is None:
            return []
        reply = self._messages.files.follow(operation["reply"])
        if reply is None:
            return []
        onward = self._channel(reply) or channel
        if reply["messages"].value is None and onward == channel:
            self._messages.notes.add("the reply names no messages", reply)
            return []
        return [(found, onward) for found in self._listed(reply, onward)]

    def _listed(self, place: Place, channel: Place | None) -> list[Found]:
        """The messages that an operation or a reply lists; without a list, all of its channel."""
        if place["messages"].value is None:
            return self._of_channel(channel) if channel is not None else []
        return [found for one in place["messages"] for found in self._messages.all(one)]

    def _channel(self, place: Place) -> Place | None:
        return self._messages.files.follow(place["channel"]) if place["channel"].value is not None else None

    def _of_channel(self, channel: Place) -> list[Found]:
        if channel not in self._carried:
            self._carried[channel] = [found for one in channel["messages"] for found in self._messages.all(one)]
        return self._carried[channel]

    def _carry(self, message: Found, channel: Place | None) -> None:
        if channel is not None:
            message.channels[self._keys.get(channel, channel.key)] = None
