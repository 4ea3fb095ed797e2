"""Strings that act on whoever shows them, and endpoints that put them, and the token, wherever a string may stand."""

import base64
import html
import re
import socket
import struct
from collections.abc import Iterator
from urllib.parse import quote

from tests.conformance.servers import Talk, drain, read_request
from tests.hostile.modes import ACKED, frame, message, new_message, token_of, upgraded

NASTY = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><system-out>",
    "\x1b[31mred\x1b]0;title\x07",
    "\x9b31m",
    "two\r\nlines\u2028and\x85more",
    "\x00\x08\x7f",
    "\ud800 alone \udfff",
    "\u202egnp.exe\u2066",
    "../../../../etc/passwd",
    "&lt;b&gt; &#60;",
    "{{ 7 * 7 }} ${token.alice} %s {0}",
)

ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What must not stand in any output as it is; the line feed is ours."""


def spellings(token: str) -> list[str]:
    """A token as a hostile server may spell it."""
    raw = token.encode()
    return [
        *spelled_out(token),
        *(base64.b64encode(b"x" * shift + raw + b":more").decode() for shift in range(3)),
        base64.urlsafe_b64encode(raw).decode(),
    ]


def spelled_out(token: str) -> list[str]:
    """The spellings that do not depend on what stands around the token."""
    raw = token.encode()
    return [
        token,
        quote(token, safe="").replace("-", "%2D"),
        "".join(f"%{byte:02x}" for byte in raw),
        "".join(f"%25{byte:02X}" for byte in raw),
        "".join(f"\\u{byte:04x}" for byte in raw),
        "".join(f"&#{byte};" for byte in raw),
        "".join(f"&#x{byte:x};" for byte in raw),
        raw.hex(),
    ]


def in_messages(connection: socket.socket) -> None:
    """As event, code, channelId, name, text and member of messages; the last message is close to the longest."""
    request = upgraded(connection)
    if not request:
        return
    connection.sendall(ACKED)
    texts = (*NASTY, *spellings(token_of(request)), "x" * 1_995 + token_of(request), "y" * 295 + token_of(request))
    for number, text in enumerate(texts):
        connection.sendall(message(text, {text: text}))
        connection.sendall(message("error", {"code": text, "message": text, "originalEvent": text}))
        connection.sendall(message("connection_ack", {"sessionId": text}))
        connection.sendall(message("new_message", {"channelId": text, "message": {"id": text, "timestamp": text}}))
        connection.sendall(new_message(number, text) + frame(text.encode("utf-8", "surrogatepass")))
    connection.sendall(frame(token_of(request).encode() * 2_000) + frame(b"\xff" + token_of(request).encode()))
    drain(connection)


def in_close_reasons(connection: socket.socket) -> None:
    """As the reason of a close frame, another one at each connection."""
    request = upgraded(connection)
    if not request:
        return
    reasons = (*NASTY, *spellings(token_of(request)))
    port: int = connection.getpeername()[1]
    reason = reasons[port % len(reasons)].encode("utf-8", "replace")[:123]
    connection.sendall(ACKED + frame(struct.pack("!H", 4_000) + reason, 8))
    drain(connection)


def in_refusals(connection: socket.socket) -> None:
    """As reason phrase, header name, header value and body of a refusal."""
    request = read_request(connection)
    if not request:
        return
    token = token_of(request)
    port: int = connection.getpeername()[1]
    texts = (*NASTY, *spellings(token))
    text = texts[port % len(texts)].encode("utf-8", "replace").replace(b"\r\n", b" ")
    body = b"<html>" + "\n".join(spellings(token)).encode()
    status = (b"403 " + text, b"999 " + text, text)[port % 3]
    name = (b"X-Nasty", text, b"X-Nasty")[port % 3]
    head = b"HTTP/1.1 %s\r\n%s: %s\r\nX-Token: %s\r\n" % (status, name, text, token.encode())
    connection.sendall(head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


STRINGS: dict[str, Talk] = {
    "in-messages": in_messages,
    "in-close-reasons": in_close_reasons,
    "in-refusals": in_refusals,
}


def leaked(token: str, output: str) -> Iterator[str]:
    """The spellings of a token that an output holds, itself escaped or not."""
    readings = (output, html.unescape(output), output.replace("\\\\", "\\"))
    for spelling in (*spelled_out(token), *in_base64(token)):
        if any(spelling in reading for reading in readings):
            yield spelling


def in_base64(token: str) -> Iterator[str]:
    """What Base64 makes of a token whatever stands before and after it; random keys hold none of it by chance."""
    raw = token.encode()
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + raw).decode()
        yield text[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
