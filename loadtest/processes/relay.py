"""A pipe from the process that collects a run to the one that started it: what was measured outlives a crash.

Every slice goes through it as it is collected, and the whole document where the disk takes no file: frames of msgpack,
each after its length in four bytes.
"""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from loadtest.measure.phases import Phase
from loadtest.measure.recorder import Slice
from loadtest.measure.tally import Tally

RELAY_VARIABLE = "WSPROOF_LOAD_RELAY"
"""The environment variable with the pipe's descriptor."""

MAX_WAITING = 16 * 1024 * 1024
"""Bytes that wait to be read; where nobody reads, no more are kept."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a process measured, or the document's JSON."""

    name: str = ""
    taken: Slice | None = None
    document: str = ""


_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(Frame).decode


class Relay:
    """The end of the pipe that is written to. It blocks nobody who measures."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        self._waiting = bytearray()
        os.set_blocking(descriptor, False)

    def send_slice(self, name: str, taken: Slice) -> None:
        """Send what a process measured."""
        if self._descriptor is not None and len(self._waiting) < MAX_WAITING:
            self._send(_encode(Frame(name, taken)))

    def send_document(self, document: Mapping[str, Any]) -> None:
        """Send the document, and wait until it is read."""
        if self._descriptor is not None:
            os.set_blocking(self._descriptor, True)
            self._send(_encode(Frame(document=json.dumps(document))))

    def _send(self, frame: bytes) -> None:
        assert self._descriptor is not None
        self._waiting += len(frame).to_bytes(4, "big") + frame
        try:
            while self._waiting:
                del self._waiting[: os.write(self._descriptor, self._waiting)]
        except BlockingIOError:
            pass
        except OSError:  # nobody reads any more
            self._descriptor = None


def relay_of_environment() -> Relay | None:
    """The pipe that the environment names; None where it names none."""
    descriptor = os.environ.get(RELAY_VARIABLE)
    return Relay(int(descriptor)) if descriptor else None


class Receiver:
    """The end of the pipe that is read. `tally` has all slices, `document` what no disk took."""

    def __init__(self, duration: float, phases: tuple[Phase, ...] = ()) -> None:
        self.tally = Tally(duration, phases)
        self.seconds = 0.0
        """When the last slice ended, since the run began."""
        self.document: dict[str, Any] | None = None
        self.open = True
        """Whether more may come."""
        self._received = bytearray()
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)

    def fileno(self) -> int:
        """The descriptor, for selectors."""
        return self._reading

    def close_writing(self) -> None:
        """The process that writes has its own descriptor."""
        if self.writing >= 0:
            os.close(self.writing)
            self.writing = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_writing()
        os.close(self._reading)

    def read(self) -> None:
        """Take what has come."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._reading, 1 << 16):
                self._received += data
            self.open = False
        while len(self._received) >= 4:
            end = 4 + int.from_bytes(self._received[:4], "big")
            if len(self._received) < end:
                break
            self._take(_decode(self._received[4:end]))
            del self._received[:end]

    def _take(self, frame: Frame) -> None:
        if frame.taken is not None:
            self.tally.add(frame.name, frame.taken)
            self.seconds = max(self.seconds, frame.taken.ended)
        else:
            self.document = json.loads(frame.document)
