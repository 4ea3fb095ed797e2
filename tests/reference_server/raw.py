"""A client that writes any bytes and reads frames as they come."""

import json
import socket
import ssl
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from wire.frames import MASK, header

TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class RawFrame:
    """A frame of the server."""

    opcode: int
    data: bytes
    final: bool


class RawClient:
    """A WebSocket connection over a plain socket."""

    def __init__(
        self,
        url: str,
        token: str = "alice-token",
        *,
        early: bytes = b"",
        headers: str = "",
        upgrade: bool = True,
        receive_buffer: int | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self.socket = socket.socket()
        self.socket.settimeout(TIMEOUT)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((parts.hostname, parts.port))
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=parts.hostname)
        self._buffer = b""
        request = (
            f"GET {parts.path}?access_token={token} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
            f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{headers}"
            + ("Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n" if upgrade else "\r\n")
        )
        self.write(request.encode() + early)
        self.head = b""
        if not early:
            while b"\r\n\r\n" not in self._buffer:
                data = self.socket.recv(4096)
                assert data, self._buffer
                self._buffer += data
            self.head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket, without a close frame."""
        self.socket.close()

    def reset(self) -> None:
        """End the TCP connection by a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    @staticmethod
    def masked(head: int, data: bytes) -> bytes:
        """A client's frame, masked with zeroes."""
        return header(head, len(data), MASK) + bytes(4) + data

    def text(self, text: str) -> bytes:
        """A text frame."""
        return self.masked(0x81, text.encode())

    def ping(self, data: bytes) -> bytes:
        """A control ping."""
        return self.masked(0x89, data)

    def message(self, event: str, **payload: str) -> bytes:
        """An envelope in a text frame."""
        return self.text(json.dumps({"event": event, "payload": payload}))

    def post_in_fragments(self, channel: str, text: str) -> None:
        """Join a channel, and post to it byte by byte with pings in between."""
        post = {"event": "send_message", "payload": {"channelId": channel, "text": text}}
        data = json.dumps(post, ensure_ascii=False).encode()
        frames = [self.masked(0x01, data[:1])]
        for index in range(1, len(data)):
            frames += [self.ping(b"") if index % 20 == 0 else b"", self.masked(0x00, data[index : index + 1])]
        self.write(self.message("join_channel", channelId=channel))
        self.write(b"".join(frames) + self.masked(0x80, b""))

    def write(self, data: bytes) -> None:
        """Write bytes."""
        self.socket.sendall(data)

    def _read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def read_frame(self) -> RawFrame:
        """The next frame. Raises `EOFError` at the end of the stream."""
        head, length = self._read(2)
        if length == 126:
            (length,) = struct.unpack(">H", self._read(2))
        elif length == 127:
            (length,) = struct.unpack(">Q", self._read(8))
        return RawFrame(head & 15, self._read(length), bool(head & 0x80))

    def read_close(self) -> int:
        """The code of the next close frame; frames before it are skipped."""
        frame = self.read_frame()
        while frame.opcode != 8:
            frame = self.read_frame()
        return int.from_bytes(frame.data[:2], "big")

    def at_end(self) -> bool:
        """Whether the server has ended the TCP connection (a reset counts)."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def rest(self) -> bytes:
        """What the server has written already, or does until it hangs up, after the HTTP head."""
        if b" 101 " not in self.head:
            while data := self.socket.recv(65536):
                self._buffer += data
        return self._buffer

    def is_quiet(self, seconds: float = 0.8) -> bool:
        """Whether nothing comes for a while, no end either."""
        self.socket.settimeout(seconds)
        try:
            self.socket.recv(1)
        except TimeoutError:
            return True
        return False
