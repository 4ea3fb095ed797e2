"""How long a check of an endpoint takes that never gives what is waited for, at the default time-outs.

`python -m benchmarks.hostile_times [NAME …]` checks each of these endpoints with a heartbeat of half a second, and with
everything else as in the template. The exit code is 1 where one took more than a minute.
"""

import argparse
import asyncio
import itertools
import socket
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import partial

from reference_server.core.exchange import Abort, Effect, Frame, Outgoing
from reference_server.core.hooks import Hook
from reference_server.core.settings import ServerSettings
from reference_server.faults.fault import FAULTS, Fault, is_event, written
from reference_server.faults.frames import take
from reference_server.network import running
from tests.bundled import load_profile
from tests.conformance.servers import Talk, raw_server, reset
from tests.evidence.edge import Edge, leading_through, pass_on, port_of, read, write
from tests.hostile.modes import ACKED, MODES, NUMBER, new_message, upgraded
from tests.surroundings.checked import Verdicts, checked
from wire.frames import Opcode

ALLOWED_SECONDS = 60.0

HEARTBEAT = ("--set", "heartbeat.interval=500ms")

DIGITS = b"7" * 1_000_000


class _EachDelivery(Hook):
    """Writes each `new_message` in another way."""

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        message = written(outgoing)
        if message is None or message["event"] != "new_message" or not isinstance(outgoing, Frame):
            return (outgoing,)
        return (replace(outgoing, data=self.changed(outgoing.data)),)

    def changed(self, data: bytes) -> bytes:
        """The message as it is sent."""
        return data


class BadUtf8(_EachDelivery):
    """Every new_message holds a byte that is no UTF-8."""

    def changed(self, data: bytes) -> bytes:
        return data.replace(b'"text":"', b'"text":"\xff', 1)


class LongNumbers(_EachDelivery):
    """The sequence of every new_message has a million digits."""

    def changed(self, data: bytes) -> bytes:
        return data[: data.rindex(b":") + 1] + DIGITS + b"}"


class _ResetLater(Hook):
    """Ends a connection without a close frame after so many messages."""

    messages = 0

    def __init__(self) -> None:
        super().__init__()
        self._left: dict[int, int] = {}

    def outgoing(self, outgoing: Outgoing, now: float) -> Iterable[Outgoing]:
        if not isinstance(outgoing, Frame) or outgoing.opcode != Opcode.TEXT:
            return (outgoing,)
        left = self._left[outgoing.session] = self._left.get(outgoing.session, self.messages) - 1
        return (outgoing, Abort(outgoing.session)) if left == 0 else (outgoing,)


class ResetAfterOneMessage(_ResetLater):
    """Every connection is ended after the acknowledgement and one message."""

    messages = 2


class ResetAfterFourMessages(_ResetLater):
    """Every connection is ended after the acknowledgement and four messages."""

    messages = 5


class ResetByDelivery(Hook):
    """Every connection is ended when it should get a new_message."""

    def effect(self, effect: Effect, now: float) -> Iterable[Effect]:
        return (Abort(effect.session),) if is_event(effect, "new_message") else (effect,)


HOOKS: Mapping[str, type[Hook]] = {
    "bad-utf-8": BadUtf8,
    "long-numbers": LongNumbers,
    "reset-after-1-message": ResetAfterOneMessage,
    "reset-after-4-messages": ResetAfterFourMessages,
    "reset-by-delivery": ResetByDelivery,
}


def answering(answer: bytes, times: int | None = None) -> Talk:
    """Acknowledges, and gives one answer to whatever comes, so many times before a reset; no close is answered."""

    def talk(connection: socket.socket) -> None:
        if not upgraded(connection):
            return
        connection.sendall(ACKED)
        for _ in itertools.repeat(None) if times is None else range(times):
            if not connection.recv(65_536):
                return
            connection.sendall(answer)
        reset(connection)

    return talk


TALKS: Mapping[str, Talk] = {
    **{f"raw-{name}": talk for name, talk in MODES.items()},
    "raw-answers-in-bad-utf-8": answering(new_message(1).replace(b"flood", b"\xfflood")),
    "raw-answers-with-long-numbers": answering(NUMBER),
    "raw-resets-after-2-answers": answering(new_message(1), 2),
    "raw-resets-after-5-answers": answering(new_message(1), 5),
}


class KeepsOpen(Edge):
    """Holds back every close frame of the server, and the end of every connection."""

    async def pass_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
        await write(writer, head)
        if b" 101 " not in head.partition(b"\r\n")[0]:
            await pass_on(reader, writer)
        buffer = bytearray()
        while data := await read(reader):
            buffer += data
            while (frame := take(buffer)) is not None:
                if frame.opcode != Opcode.CLOSE:
                    await write(writer, frame.encode())


@contextmanager
def reference(hook: type[Hook] = Hook) -> Iterator[str]:
    """A reference server with one hook."""
    name = hook.__name__
    FAULTS[name] = Fault(name, hook.__doc__ or "", (), (), hook)
    profile = load_profile(None, {"heartbeat.interval": 0.5})
    with running(ServerSettings(profile=profile, port=0, faults=(name,))) as server:
        yield server.url


@contextmanager
def kept_open() -> Iterator[str]:
    """A server that does all that it should, but never closes."""
    with reference() as url, leading_through(KeepsOpen(port_of(url)), url) as outside:
        yield outside


def endpoints() -> Mapping[str, Callable[[], AbstractContextManager[str]]]:
    """How each endpoint is started, by name."""
    return {
        "right": reference,
        "never-closes": kept_open,
        **{name: partial(reference, hook) for name, hook in HOOKS.items()},
        **{name: partial(raw_server, talk) for name, talk in TALKS.items()},
    }


def row(name: str, found: Verdicts) -> str:
    """A line of the table."""
    requirements = [verdict for one, verdict in found.of.items() if one.isupper()]
    failed, passed = requirements.count("failed"), requirements.count("passed")
    return f"| {name} | {found.duration:.1f} | {found.overall} | {failed} | {len(requirements) - failed - passed} |"


def main() -> int:
    """Print the table."""
    known = endpoints()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*known, []], metavar="NAME", help=", ".join(known))
    slow = 0
    print("| endpoint | seconds | verdict | failed | undecided |\n| --- | --- | --- | --- | --- |")
    for name in parser.parse_args().names or known:
        with known[name]() as url:
            try:
                found = checked(url, profile=HEARTBEAT)
            except AssertionError as error:  # a run without results says why
                print(f"| {name} | | {' '.join(str(error).split())} | | |", flush=True)
                continue
        slow += found.duration > ALLOWED_SECONDS
        print(row(name, found), flush=True)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
