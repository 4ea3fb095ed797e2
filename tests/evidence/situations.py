"""What an edge does in a situation: which frames are fatal to a server, which handshakes are turned away, and how."""

import json
import time
from collections import deque
from collections.abc import Callable, Mapping

from tests.bundled import load_profile
from tests.evidence.edge import Watch
from tests.hostile.modes import token_of
from wire.frames import Opcode, RawFrame

_profile = load_profile()
GOOD_TOKENS = {*(one.token for one in _profile.users.values()), _profile.tokens.expiring}

BUSY = {
    429: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
}
"""What an overloaded edge answers, by status."""


def names_constructor(frame: RawFrame) -> bool:
    """Whether a frame is a message of the event `constructor`."""
    if frame.opcode != Opcode.TEXT or b"constructor" not in frame.payload:
        return False
    try:
        message = json.loads(frame.payload)
    except ValueError:
        return False
    return isinstance(message, dict) and message.get("event") == "constructor"


def is_unmasked(frame: RawFrame) -> bool:
    """Whether a frame is not masked."""
    return not frame.masked


FATAL: Mapping[str, Watch] = {"constructor": names_constructor, "unmasked": is_unmasked}
"""What a server may die of, by name."""


def carries_a_good_token(head: bytes) -> bool:
    """Whether a request is one that a right server accepts, as far as its token goes."""
    return token_of(head) in GOOD_TOKENS


class TooManyHandshakes:
    """Turns handshakes away: while more than `a_second` have come within the last one, every `nth`."""

    def __init__(self, answer: bytes, a_second: int, nth: int = 1) -> None:
        self._answer = answer
        self._a_second = a_second
        self._nth = nth
        self._times: deque[float] = deque()
        self._excess = 0

    def __call__(self, head: bytes) -> bytes | None:
        """The answer to one request."""
        now = time.monotonic()
        self._times.append(now)
        while self._times[0] < now - 1:
            self._times.popleft()
        if len(self._times) <= self._a_second:
            return None
        self._excess += 1
        return self._answer if self._excess % self._nth == 0 else None


class OnlyOnce:
    """Answers so one request with a good token, the `nth`, and lets the server answer all others."""

    def __init__(self, answer: bytes, nth: int) -> None:
        self._answer = answer
        self._left = nth

    def __call__(self, head: bytes) -> bytes | None:
        """The answer to one request."""
        if carries_a_good_token(head):
            self._left -= 1
            if self._left == 0:
                return self._answer
        return None


def turning_bad_tokens_away(answer: bytes) -> Callable[[bytes], bytes | None]:
    """Answers so whoever does not carry a good token; without bytes, by a reset."""
    return lambda head: None if carries_a_good_token(head) else answer
