"""Answers to the opening handshake: read leniently where that is safe, and described so that people can act on them."""

import html
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from websockets.http11 import Response

from contract.escaping import visible
from contract.findings import Phrase, phrase

MAX_STATUS_LINE = 8_192
"""Bytes of a status line."""

MAX_SHOWN = 300
"""Characters of a header that are shown."""

MAX_BODY_READ, MAX_BODY_SHOWN = 4_096, 200
"""Bytes of a refusal's body in which a text is looked for, and characters that are shown of it."""

REDIRECTS = frozenset((301, 302, 303, 307, 308))

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})( [^\r\n]*)?\r?")
_MARKUP = re.compile(r"<(script|style|head)\b.*?</\1>|<[^>]*>", re.DOTALL | re.IGNORECASE)


class StatusLine:
    """The first line of an answer, held back until it is whole, and then as a strict parser takes it.

    RFC 9112 §4 wants the space behind the code even where no reason follows; servers leave it out. Old ones refuse with
    HTTP/1.0. `note` says what was read all the same. Only HTTP/1.1 can switch protocols (RFC 6455 §4.2.2).
    """

    def __init__(self) -> None:
        self.note: Phrase | None = None
        self._held: bytes | None = b""

    def take(self, data: bytes) -> bytes:
        """What of the data, and of what was held back, can be parsed by now."""
        if self._held is None:
            return data
        self._held += data
        line, newline, rest = self._held.partition(b"\n")
        if not newline and len(self._held) <= MAX_STATUS_LINE:
            return b""
        self._held = None
        return self._read(line) + newline + rest

    def rest(self) -> bytes:
        """What is still held back, at the end of the stream."""
        held, self._held = self._held or b"", None
        return held

    def _read(self, line: bytes) -> bytes:
        found = _STATUS_LINE.fullmatch(line)
        if found is None:
            return line
        minor, code, reason = found.groups()
        if minor == b"0" and code != b"101":
            self.note = phrase("note-http-1-0")
        elif minor == b"1" and reason is None:
            self.note = phrase("note-no-reason", status=int(code))
        else:
            return line
        return b"HTTP/1.1 " + code + (reason or b" ") + b"\r"


def about(response: Response, body: bytes) -> Phrase | None:
    """What else tells why a handshake was refused: where it was sent to, or the beginning of what people would read."""
    location = response.headers.get_all("Location")
    if response.status_code in REDIRECTS and location:
        return phrase("redirected-to", location=_place(location[0]))
    text = _text(body, ", ".join(response.headers.get_all("Content-Type")))
    return phrase("refusal-says", text=text) if text else None


def header_problem(response: Response, name: str, value: str | None) -> Phrase:
    """What is wrong with a header of the answer (RFC 6455 §4.2.2)."""
    lines = response.headers.get_all(name)
    if not lines:
        return phrase("answer-no-header", name=name)
    if len(lines) > 1:
        return phrase("answer-header-again", name=name, count=len(lines), values=_shown(lines))
    return phrase("answer-header", name=name, value=(value or "")[:MAX_SHOWN])


def _shown(lines: Iterable[str]) -> list[str]:
    return [line[:MAX_SHOWN] for line in list(lines)[:3]]


def _place(location: str) -> str:
    """Where a redirect leads, without what may be a secret: credentials, query and fragment."""
    try:
        parts = urlsplit(location)
    except ValueError:
        return "…"
    host = parts.netloc.rpartition("@")[2]
    place = f"{parts.scheme}://{host}{parts.path}" if host else parts.path
    return visible(place[:MAX_SHOWN]) + ("?…" if parts.query else "")


def _text(body: bytes, kind: str) -> str:
    """The beginning of a body that people can read; empty for any other."""
    media = kind.partition(";")[0].strip().lower()
    if media and not media.startswith("text/") and not re.search(r"\b(json|xml)$", media):
        return ""
    text = body[:MAX_BODY_READ].decode("utf-8", "replace")
    # One character may have been cut.
    if "\0" in text or text.count("\N{REPLACEMENT CHARACTER}") > 1:
        return ""
    if "html" in media or text.lstrip()[:1] == "<":
        text = html.unescape(_MARKUP.sub(" ", text))
    text = visible(" ".join(text.split()))
    return text if len(text) <= MAX_BODY_SHOWN else f"{text[:MAX_BODY_SHOWN]}…"
