"""What a message says of itself: its payload's schema, its examples, its correlation id."""

from collections.abc import Iterator
from dataclasses import dataclass

from contract.asyncapi.message_examples import candidates, end_of, of_schema
from contract.asyncapi.message_reading import Found
from contract.asyncapi.references import Files, Notes, Place
from contract.asyncapi.schema_formats import format_name, is_json, payload_draft
from contract.asyncapi.schema_reading import SchemaReader

_PAYLOAD = "$message.payload#"


@dataclass(frozen=True, slots=True)
class Payload:
    """The schema of a payload, as far as it is known."""

    schema: Place | None
    checked: bool


class DetailReader:
    """Reads what messages say of themselves."""

    def __init__(self, files: Files, schemas: SchemaReader, notes: Notes, content_type: str) -> None:
        self._files = files
        self._schemas = schemas
        self._notes = notes
        self._content_type = content_type

    def payload(self, message: Found) -> Payload:
        """Translate the schema of a message's payload."""
        place = message.place
        content_type = place.text("contentType") or self._content_type
        if not is_json(content_type):
            self._notes.add(f"message '{message.name}': the payload is {content_type}; it is not checked", place)
            return Payload(None, False)
        if place["payload"].value is None:
            self._notes.add(f"message '{message.name}' has no payload: any JSON is valid", place)
            return Payload(None, True)
        schema, named = self._schema(place)
        draft = payload_draft(named)
        if draft is None:
            text = f"message '{message.name}': the payload is described in {format_name(named)}; it is not checked"
            self._notes.add(text, schema)
            return Payload(None, False)
        translated = self._schemas.schema(schema, draft)
        is_lost = schema.reference is not None and isinstance(translated, dict) and "$ref" not in translated
        return Payload(schema, not is_lost)

    def _schema(self, place: Place) -> tuple[Place, str]:
        """The place of a payload's schema, and its `schemaFormat`: a member of the message, or of the payload (3.x)."""
        payload = place["payload"]
        found = end_of(payload, self._files)
        if isinstance(found.value, dict) and "schema" in found.value and found.text("schemaFormat"):
            return found["schema"], found.text("schemaFormat")
        return payload, place.text("schemaFormat")

    def examples(self, message: Found, payload: Payload) -> Iterator[tuple[str, Place]]:
        """The examples of a message, whether they fit its schema or not."""
        yield from candidates(message.place, self._files)
        if payload.schema is not None:
            yield from of_schema(payload.schema, self._files)

    def correlation(self, message: Found) -> str | None:
        """Where the payload holds the correlation id: a dotted path."""
        if message.place["correlationId"].value is None:
            return None
        found = self._files.follow(message.place["correlationId"])
        if found is None:
            return None
        location = found.text("location")
        if not location.startswith(f"{_PAYLOAD}/"):
            where = f"in '{location}'" if location else "nowhere"
            text = f"message '{message.name}': the correlation id is {where}, not in the payload; it is not checked"
            self._notes.add(text, found)
            return None
        steps = location.removeprefix(f"{_PAYLOAD}/").split("/")
        return ".".join(step.replace("~1", "/").replace("~0", "~") for step in steps)

    def note_headers(self, message: Found) -> None:
        """A message over WebSocket has no headers: required ones cannot be checked."""
        if message.place["headers"].value is None:
            return
        headers = self._files.follow(message.place["headers"])
        if headers is not None and headers["required"].value:
            # Without the message's name: a trait may give the same ones to all.
            self._notes.add("a WebSocket message has no headers; the required ones are not checked", headers)
