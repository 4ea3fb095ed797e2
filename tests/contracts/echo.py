"""An echo server that is written by hand, frame by frame, and each thing that it can do wrong.

It declines every offer of compression, which is allowed. `largest` is the longest message that it takes, in bytes.
"""

import asyncio
import base64
import hashlib
import struct
import threading
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

FAULTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(broken.split())
        for name, broken in {
            "unmasked-accepted": "WIRE-01",
            "reserved-bits-accepted": "WIRE-02",
            "reserved-opcodes-ignored": "WIRE-02",
            "long-control-frames-accepted": "WIRE-03",
            "fragmented-control-frames-accepted": "WIRE-03",
            "stray-continuation-as-text": "WIRE-04",
            "message-inside-replaces": "WIRE-04",
            "utf-8-replaced": "WIRE-05",
            "illegal-close-codes-echoed": "WIRE-17 WIRE-18",
            "illegal-close-codes-answered": "WIRE-18",
            "illegal-close-codes-ignored": "WIRE-06",
            "too-large-accepted": "WIRE-08",
            "handshakes-refused": "WIRE-10",
            "accept-key-wrong": "WIRE-11",
            "subprotocol-not-offered": "WIRE-11",
            "plain-get-answered": "WIRE-12",
            "without-emoji": "WIRE-13",
            "silent": "WIRE-13",
            "interleaved-fragments-lost": "WIRE-14",
            "pings-unanswered": "WIRE-15",
            "pong-empty": "WIRE-15",
            "close-unanswered": "WIRE-16",
            "close-leaves-tcp-open": "WIRE-16",
            "closes-with-1006": "WIRE-08 WIRE-17 WIRE-18",
            "closes-with-1011": "WIRE-08 WIRE-18",
            "masked-frames": "WIRE-13 WIRE-19",
        }.items()
    }
)
"""By name, the requirements that a fault breaks."""


class FailedError(Exception):
    """The connection is failed, with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class Frame:
    """What has arrived."""

    first: int
    opcode: int
    payload: bytes

    @property
    def final(self) -> bool:
        return bool(self.first & 0x80)


@dataclass
class Session:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    faults: Collection[str]
    largest: int
    opcode: int = 0
    parts: list[bytes] = field(default_factory=list)

    async def run(self) -> None:
        if not await self.shake_hands():
            return
        try:
            while await self.handle(await self.frame()):
                pass
        except FailedError as failed:
            code = {"closes-with-1006": 1006, "closes-with-1011": 1011}.get(next(iter(self.faults), ""), failed.code)
            self.send(8, struct.pack("!H", code))

    async def shake_hands(self) -> bool:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = (line.partition(":") for line in head.split("\r\n"))
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        key = headers.get("sec-websocket-key")
        if key is None:
            status = "200 OK" if "plain-get-answered" in self.faults else "426 Upgrade Required"
            self.writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            return False
        if "handshakes-refused" in self.faults:
            self.writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            return False
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
        if "accept-key-wrong" in self.faults:
            accept = key
        more = "Sec-WebSocket-Protocol: surprise\r\n" if "subprotocol-not-offered" in self.faults else ""
        self.writer.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\n{more}\r\n".encode()
        )
        return True

    async def frame(self) -> Frame:
        first, second = await self.reader.readexactly(2)
        opcode, size = first & 0x0F, second & 0x7F
        if first & 0x70 and "reserved-bits-accepted" not in self.faults:
            raise FailedError(1002)
        if not second & 0x80 and "unmasked-accepted" not in self.faults:
            raise FailedError(1002)
        if opcode >= 8:
            if size > 125 and "long-control-frames-accepted" not in self.faults:
                raise FailedError(1002)
            if not first & 0x80 and "fragmented-control-frames-accepted" not in self.faults:
                raise FailedError(1002)
        if size == 126:
            (size,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
        if size + sum(map(len, self.parts)) > self.largest and "too-large-accepted" not in self.faults:
            raise FailedError(1009)
        key = await self.reader.readexactly(4) if second & 0x80 else bytes(4)
        payload = await self.reader.readexactly(size)
        repeated = key * (size // 4 + 1)
        return Frame(first, opcode, bytes(a ^ b for a, b in zip(payload, repeated, strict=False)))

    async def handle(self, frame: Frame) -> bool:
        """Whether the connection goes on."""
        match frame.opcode:
            case 0 | 1 | 2:
                self.data(frame)
            case 8:
                return await self.close(frame.payload)
            case 9:
                if "interleaved-fragments-lost" in self.faults:
                    self.parts = self.parts[:1]
                if "pings-unanswered" not in self.faults:
                    self.send(10, b"" if "pong-empty" in self.faults else frame.payload[:125])
            case 10:
                pass
            case _:
                if "reserved-opcodes-ignored" not in self.faults:
                    raise FailedError(1002)
        return True

    def data(self, frame: Frame) -> None:
        amid = self.opcode != 0
        if frame.opcode == 0 and not amid:
            if "stray-continuation-as-text" not in self.faults:
                raise FailedError(1002)
            self.opcode = 1
        elif frame.opcode != 0:
            if amid and "message-inside-replaces" not in self.faults:
                raise FailedError(1002)
            self.opcode, self.parts = frame.opcode, []
        self.parts.append(frame.payload)
        if frame.final:
            whole, opcode = b"".join(self.parts), self.opcode
            self.opcode, self.parts = 0, []
            self.echo(opcode, whole)

    def echo(self, opcode: int, whole: bytes) -> None:
        if opcode == 1:
            try:
                text = whole.decode("utf-8", "replace" if "utf-8-replaced" in self.faults else "strict")
            except UnicodeDecodeError:
                raise FailedError(1007) from None
            if "without-emoji" in self.faults:
                text = "".join(one for one in text if one <= "\uffff" or one > "\U0001ffff")
            whole = text.encode()
        if "silent" not in self.faults:
            self.send(opcode, whole)

    async def close(self, payload: bytes) -> bool:
        if "close-unanswered" in self.faults:
            return False
        answer = payload
        if payload and not _is_legal(payload) and "illegal-close-codes-ignored" in self.faults:
            return True
        if payload and not _is_legal(payload) and "illegal-close-codes-echoed" not in self.faults:
            if "illegal-close-codes-answered" not in self.faults:
                raise FailedError(1007 if len(payload) > 2 and _is_legal(payload[:2]) else 1002)
            answer = struct.pack("!H", 1000) if len(payload) < 2 or payload[:2] != b"\x10a" else payload
        self.send(8, answer)
        if "close-leaves-tcp-open" in self.faults:
            await self.reader.read()
        return False

    def send(self, opcode: int, payload: bytes) -> None:
        mask = 0x80 if "masked-frames" in self.faults and opcode == 1 else 0
        size = len(payload)
        length = (
            bytes([mask | size])
            if size < 126
            else bytes([mask | 126]) + struct.pack("!H", size)
            if size < 65536
            else bytes([mask | 127]) + struct.pack("!Q", size)
        )
        self.writer.write(bytes([0x80 | opcode]) + length + (bytes(4) if mask else b"") + payload)


def _is_legal(payload: bytes) -> bool:
    if len(payload) < 2:
        return False
    (code,) = struct.unpack("!H", payload[:2])
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        return False
    return code in {1000, 1001, 1002, 1003, 1012, 1013, 1014} or 1007 <= code <= 1011 or 3000 <= code <= 4999


@contextmanager
def in_a_thread(listening: Callable[[], AbstractAsyncContextManager[int]]) -> Iterator[str]:
    """The URL of a server that runs meanwhile; `listening` yields its port."""
    ready: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        over = asyncio.Event()
        async with listening() as port:
            ready.set_result((port, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    port, loop, over = ready.result()
    try:
        yield f"ws://127.0.0.1:{port}/"
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


@contextmanager
def echoing(faults: Collection[str] = (), largest: int = 1 << 16) -> Iterator[str]:
    """The URL of such a server on a free port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A task that ends as cancelled would be reported by asyncio's streams.
        with suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            await Session(reader, writer, faults, largest).run()
            await writer.drain()
            if "close-leaves-tcp-open" not in faults:
                writer.write_eof()
                await reader.read()  # what is unread would reset the connection
        writer.close()

    @asynccontextmanager
    async def listening() -> AsyncIterator[int]:
        async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    with in_a_thread(listening) as url:
        yield url
