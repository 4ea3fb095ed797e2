"""A token bucket: so many messages a second, and as many at once."""


class TokenBucket:
    """Takes `rate` messages a second on average, and a second's worth in one burst."""

    __slots__ = ("_filled", "_level", "_rate", "_size")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._size = max(1.0, rate)
        self._level = self._size
        self._filled = now

    def take(self, now: float) -> bool:
        """Whether one more message may pass at `now` (seconds)."""
        self._level = min(self._size, self._level + (now - self._filled) * self._rate)
        self._filled = now
        if self._level < 1.0:
            return False
        self._level -= 1.0
        return True
