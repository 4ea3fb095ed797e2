"""The stamp in a posted text: it says which run posted it, on which stream to which channel, and as which number.

Digits only, so that no change of case or normalisation hides it.
"""

from zlib import crc32

RUN, STREAM, CHANNEL, NUMBER = 8, 10, 5, 8
"""Digits of each part, in this order."""

WORKER = 3
"""Digits of a stream's part that say whose it is."""

PREFIX = RUN + STREAM + CHANNEL
LENGTH = PREFIX + NUMBER

MAX_WORKERS, MAX_STREAMS = 1_000, 10_000_000


def stream_key(worker: int, count: int) -> bytes:
    """The key of a worker's n-th stream, from 0. Raises ValueError beyond what the digits can hold."""
    if not (0 <= worker < MAX_WORKERS and 0 <= count < MAX_STREAMS):
        raise ValueError(f"worker {worker}, stream {count}: beyond what a stamp can hold")
    return b"%03d%07d" % (worker, count)


def channel_key(name: str) -> bytes:
    """Digits that tell a channel from nearly all others."""
    return b"%05d" % (crc32(name.encode("utf-8", "surrogatepass")) % 10**CHANNEL)
