"""Channels, their addresses and parameters, and their WebSocket bindings."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from contract.asyncapi.declarations import Channel, Handshake, Parameter
from contract.asyncapi.references import Files, Notes, Place
from contract.asyncapi.schema_reading import SchemaReader


def found_channels(files: Files, notes: Notes) -> Iterator[tuple[str, Place]]:
    """Each channel of a document with its key, at the end of its references."""
    for one in files.section("channels"):
        channel = files.follow(one)
        if channel is not None and isinstance(channel.value, dict):
            yield one.key, channel
        elif channel is not None:
            notes.add("expected a channel: a mapping", channel)


class ChannelReader:
    """Reads channels of 2.x and 3.x."""

    def __init__(self, files: Files, schemas: SchemaReader, version: int) -> None:
        self._files = files
        self._schemas = schemas
        self._version = version

    def channel(self, key: str, place: Place) -> Channel:
        """What a channel says of itself."""
        address = place["address"].value if self._version == 3 else key
        return Channel(
            key=key,
            address=address if isinstance(address, str) else None,
            parameters=self._parameters(place["parameters"]),
            ws=self._handshake(place["bindings"]),
            servers=tuple(_last(one) for one in place["servers"]),
        )

    def _parameters(self, place: Place) -> Mapping[str, Parameter]:
        found = {one.key: self._files.follow(one) for one in self._mapping(place)}
        return {name: self._parameter(one) for name, one in found.items() if one is not None}

    def _parameter(self, place: Place) -> Parameter:
        """In 2.x a parameter has a schema, in 3.x what the schema would say."""
        source = self._files.follow(place["schema"]) if place["schema"].value is not None else place
        source = place if source is None else source
        default = source["default"].value
        return Parameter(
            enum=_texts(source["enum"].value),
            default=None if default is None else _text(default),
            examples=_texts(source["examples"].value),
            description=place.text("description"),
        )

    def _handshake(self, place: Place) -> Handshake | None:
        bindings = self._files.follow(place) if place.value is not None else None
        ws = self._files.follow(bindings["ws"]) if bindings is not None and bindings["ws"].value is not None else None
        if ws is None or not isinstance(ws.value, dict):
            return None
        return Handshake(ws.text("method") or None, self._schema(ws["query"]), self._schema(ws["headers"]))

    def _schema(self, place: Place) -> Any:
        return self._schemas.schema(place, "07") if place.value is not None else None

    def _mapping(self, place: Place) -> Iterator[Place]:
        found = self._files.follow(place) if place.value is not None else None
        if found is not None and isinstance(found.value, dict):
            yield from found


def _last(place: Place) -> str:
    """The key of a server: its name in 2.x, a reference to it in 3.x."""
    if place.reference is None:
        return str(place.value)
    return unquote(place.reference).rpartition("/")[2].replace("~1", "/").replace("~0", "~")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(one) for one in value) if isinstance(value, list) else ()
