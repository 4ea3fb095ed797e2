"""An AsyncAPI document, 2.x or 3.x, as a value: what it declares, and notes on what is broken or not checked.

Nothing in here knows what the document is used for. Only what is no AsyncAPI document at all is an error.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from referencing import Registry

from contract.asyncapi.channel_reading import ChannelReader, found_channels
from contract.asyncapi.declarations import (
    Action,
    Channel,
    DeclaredMessage,
    Example,
    Handshake,
    Note,
    Parameter,
    SecurityScheme,
    Server,
)
from contract.asyncapi.loading import load
from contract.asyncapi.message_details import DetailReader, Payload
from contract.asyncapi.message_examples import ExampleReader
from contract.asyncapi.message_reading import Found, MessageCollector
from contract.asyncapi.operations import Operations3, read_operations_2
from contract.asyncapi.references import Files, Notes, Place
from contract.asyncapi.registries import break_circles, build_registry
from contract.asyncapi.schema_reading import SchemaReader
from contract.asyncapi.server_reading import read_servers
from contract.files import Document

__all__ = [
    "Action",
    "ApiDocument",
    "Channel",
    "DeclaredMessage",
    "Example",
    "Handshake",
    "Note",
    "Parameter",
    "SecurityScheme",
    "Server",
    "read_asyncapi",
]


@dataclass(frozen=True, slots=True)
class ApiDocument:
    """All that a document declares."""

    title: str
    version: str
    messages: Mapping[str, DeclaredMessage]
    channels: Mapping[str, Channel]
    servers: Mapping[str, Server]
    notes: tuple[Note, ...]
    document: Document = field(repr=False)
    registry: Registry[Any] = field(repr=False)
    """Resolves references to files; the schemas in it are JSON Schema 2020-12."""
    extensions: Mapping[str, Any] = field(repr=False)
    """The `x-…` members of the document's root."""


def read_asyncapi(path: Path, rewrite: Callable[[Any], Any] = lambda schema: schema) -> ApiDocument:
    """Read a document and the local files that it refers to.

    `rewrite` is applied to every schema, also to those of other files. Raises `ContractError` if the file is no
    AsyncAPI document; whatever else is wrong becomes a note.
    """
    return _Reader(load(path), rewrite).read()


def _version(document: Document) -> int:
    value = document.value
    if not isinstance(value, dict) or "asyncapi" not in value:
        raise document.error("expected an AsyncAPI document: a mapping with the member 'asyncapi'")
    major = str(value["asyncapi"]).partition(".")[0]
    if major not in ("2", "3"):
        raise document.error(f"asyncapi: expected version 2 or 3; got {str(value['asyncapi'])[:40]!r}", ("asyncapi",))
    for name in ("info", "channels"):
        if name not in value:
            raise document.error(f"expected the member '{name}'")
        if not isinstance(value[name], dict):
            raise document.error(f"{name}: expected a mapping of names to values", (name,))
    return int(major)


class _Reader:
    def __init__(self, document: Document, rewrite: Callable[[Any], Any]) -> None:
        self.version = _version(document)
        self.document = document
        self.rewrite = rewrite
        self.notes = Notes()
        self.files = Files(document, self.notes)
        self.root = self.files.root.root
        self.schemas = SchemaReader(self.files, self.notes)
        content_type = self.root.text("defaultContentType")
        self.details = DetailReader(self.files, self.schemas, self.notes, content_type)

    def read(self) -> ApiDocument:
        found = dict(found_channels(self.files, self.notes))
        messages = self._collect(found)
        payloads = [self.details.payload(one) for one in messages]
        channels = ChannelReader(self.files, self.schemas, self.version)
        read_channels = {key: channels.channel(key, place) for key, place in found.items()}
        servers = {server.key: server for server in read_servers(self.files, self.notes)}
        self._read_components()
        break_circles(self.schemas, self.notes)
        registry = build_registry(self.schemas, self.rewrite)
        declared = list(self._declared(messages, payloads, registry))
        info = self.files.follow(self.root["info"]) or self.root["info"]
        return ApiDocument(
            title=info.text("title"),
            version=info.text("version"),
            messages={message.name: message for message in declared},
            channels=read_channels,
            servers=servers,
            notes=self.notes.all(),
            document=self.document,
            registry=registry,
            extensions={name: member for name, member in self.document.value.items() if name.startswith("x-")},
        )

    def _collect(self, channels: Mapping[str, Place]) -> list[Found]:
        """All messages with their sides; those of `components` first, so that they have their keys as names."""
        messages = MessageCollector(self.files, self.notes, trait_wins=self.version == 2)
        for place in self.files.section("components", "messages"):
            messages.reading = self.root["components"]["messages"][place.key]
            messages.all(place)
        if self.version == 2:
            read_operations_2(channels.items(), messages)
        else:
            Operations3(channels.items(), messages).read(self.files.section("operations"))
        return messages.found

    def _read_components(self) -> None:
        """Schemas that no message uses: whoever reads the document may."""
        for place in self.files.section("components", "schemas"):
            if isinstance(place.value, dict) and "schemaFormat" not in place.value:
                self.schemas.schema(place, "07")

    def _declared(
        self, messages: list[Found], payloads: list[Payload], registry: Registry[Any]
    ) -> Iterator[DeclaredMessage]:
        examples = ExampleReader(registry, self.notes)
        for message, payload in zip(messages, payloads, strict=True):
            translated = self.schemas.targets[payload.schema] if payload.schema is not None else True
            schema = self.rewrite(translated) if translated != {} else True
            self.details.note_headers(message)
            if not message.actions:
                self.notes.add(f"no operation sends or receives the message '{message.name}'", message.entry)
            found = self.details.examples(message, payload)
            yield DeclaredMessage(
                name=message.name,
                actions=frozenset(message.actions),
                schema=schema,
                checked=payload.checked,
                examples=tuple(examples.fitting(message.name, schema, found)),
                replies=tuple(message.replies),
                correlation=self.details.correlation(message),
                channels=tuple(message.channels),
                title=message.place.text("title"),
                description=message.place.text("description"),
                where=message.entry.where,
            )
