"""A probe's message, which knows where its text begins, so that it can be cut there."""

from typing import Any

PLACE = "wsproof-text-of-the-probe"
"""Stands for the probe's text until its message is encoded."""


class ProbeMessage(str):
    """A probe's message. `start` is the byte at which its text begins."""

    __slots__ = ("start",)
    start: int

    def __new__(cls, text: str, start: int) -> "ProbeMessage":
        """A text that knows `start`."""
        made = super().__new__(cls, text)
        made.start = start
        return made


class ProbeBytes(bytes):
    """As `ProbeMessage`, where it is no UTF-8."""

    start: int

    def __new__(cls, data: bytes, start: int) -> "ProbeBytes":
        """Bytes that know `start`."""
        made = super().__new__(cls, data)
        made.start = start
        return made


def placed(value: Any, text: str) -> Any:
    """A message with the probe's text in its place."""
    if isinstance(value, dict):
        return {name: placed(member, text) for name, member in value.items()}
    if isinstance(value, list):
        return [placed(member, text) for member in value]
    return value.replace(PLACE, text) if isinstance(value, str) else value
