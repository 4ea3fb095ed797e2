"""What a payload is written in: `schemaFormat` and the content type."""

import re

from contract.asyncapi.drafts import Draft, draft_named

_OTHERS = {
    "avro": "Avro",
    "protobuf": "Protocol Buffers",
    "raml": "RAML",
    "xsd": "XML Schema",
    "xml": "XML Schema",
    "thrift": "Thrift",
}

_JSON = re.compile(r"(application|text)/([\w.!#$&^-]+\+)?json5?\s*(;.*)?", re.ASCII | re.IGNORECASE)


def payload_draft(schema_format: str) -> Draft | None:
    """The draft of JSON Schema that a `schemaFormat` names; None for another format.

    AsyncAPI's own schemas, which are the default, are Draft 07 and more.
    """
    text = schema_format.casefold()
    if not text or "vnd.aai.asyncapi" in text:
        return "07"
    if "vnd.oai.openapi" in text:
        return "2020-12" if re.search(r"version=3\.[1-9]", text) else "openapi-3.0"
    if "schema+json" in text or "schema+yaml" in text:
        return draft_named(text.replace("draft-7", "draft-07")) or "07"
    return None


def format_name(schema_format: str) -> str:
    """What people call a format that is no JSON Schema."""
    text = schema_format.casefold()
    return next((name for part, name in _OTHERS.items() if part in text), f"'{schema_format}'")


def is_json(content_type: str) -> bool:
    """Whether a message of this content type is JSON; if none is given, it is."""
    return not content_type or content_type.strip() == "*/*" or _JSON.fullmatch(content_type.strip()) is not None
