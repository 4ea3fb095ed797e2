"""A server that dies of something, and a supervisor that starts it again, on the same port.

`python -m tests.evidence.mortal CAUSE SECONDS` prints `listening on URL` whenever a server has started. CAUSE is a name
in `FATAL`, or a number: the server dies of its so many-th connection. SECONDS pass before the next one is started;
`never`: none is.
"""

import asyncio
import os
import signal
import socket
import sys
import time

from reference_server.network import running
from tests.evidence.edge import Edge, port_of
from tests.evidence.servers import settings
from tests.evidence.situations import FATAL
from wire.frames import RawFrame


class MortalEdge(Edge):
    """The part of the server that dies, and takes the process with it."""

    def __init__(self, cause: str, behind: int) -> None:
        super().__init__(behind, self._count, self._look)
        self._is_fatal = FATAL.get(cause)
        self._connections_left = 0 if cause in FATAL else int(cause)

    def _count(self, head: bytes) -> None:
        self._connections_left -= 1
        if self._connections_left == 0:
            os._exit(1)

    def _look(self, frame: RawFrame) -> bool:
        if self._is_fatal is not None and self._is_fatal(frame):
            os._exit(1)
        return False


async def _serve(cause: str, behind: int, port: int) -> None:
    server = await MortalEdge(cause, behind).start(port)
    print(f"listening on ws://127.0.0.1:{port}/v1/socket", flush=True)
    await server.serve_forever()


def live(cause: str, port: int) -> None:
    """Serve until something ends the process."""
    with running(settings()) as server:
        asyncio.run(_serve(cause, port_of(server.url), port))


def supervise(cause: str, seconds: str) -> None:
    """One server after the other."""
    # Bound all the time, so that nobody else gets the port in between, not even a client as its own.
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        while True:
            child = os.fork()
            if child == 0:
                live(cause, held.getsockname()[1])
            os.waitpid(child, 0)
            if seconds == "never":
                signal.pause()
            time.sleep(float(seconds))


if __name__ == "__main__":
    supervise(sys.argv[1], sys.argv[2])
