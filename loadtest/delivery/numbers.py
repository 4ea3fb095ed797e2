"""The numbers that messages carry: of a product, of a topic, of a flow in which the server posts. A gap is a loss.

The number that every message of a connection carries is the observer's (`loadtest.users.observer`).
"""

from collections.abc import Mapping
from typing import Any

from contract.findings import phrase
from contract.model import Contract
from contract.paths import has, value_at
from contract.roles import Number
from loadtest.delivery.requests import key_at
from loadtest.judge.judge import Judge

MAX_COUNTS = 10_000
"""Counts of one connection that are followed."""


class Numbers:
    """Which numbers the messages of a contract carry, but for the one at the path `but`."""

    def __init__(self, contract: Contract, judge: Judge, but: str | None) -> None:
        self.judge = judge
        self._each: tuple[Number, ...] = ()
        self._of: Mapping[str, tuple[Number, ...]] = {}
        for one in contract.roles.counted:
            if not one.of and one.at != but:
                self._each = (*self._each, one)
            for name in one.of:
                self._of = {**self._of, name: (*self._of.get(name, ()), one)}
        self.are_any = bool(self._each or self._of)

    def of(self, name: str | None) -> tuple[Number, ...]:
        """Those that a message of this name may carry."""
        return (*self._each, *self._of.get(name or "", ()))


class Counts:
    """The counts of one connection."""

    __slots__ = ("_last", "_numbers", "_user")

    def __init__(self, numbers: Numbers, user: str) -> None:
        self._numbers = numbers
        self._user = user
        self._last: dict[tuple[Number, Any], int] = {}

    def came(self, name: str | None, message: Any, t: float) -> None:
        """A message came."""
        for one in self._numbers.of(name):
            if has(message, one.at):
                self._counted(one, message, t)

    def _counted(self, one: Number, message: Any, t: float) -> None:
        judge, number = self._numbers.judge, value_at(message, one.at)
        if type(number) is not int:
            judge.found("number", phrase("number-kind", name=one.at), t, self._user)
            return
        key = (one, None if one.per is None else key_at(message, one.per))
        last = self._last.get(key)
        if last is None and len(self._last) >= MAX_COUNTS:
            return
        self._last[key] = number
        if last is None:
            return
        if number <= last:
            judge.found("number", phrase("number-falls", name=one.at), t, self._user)
        elif one.step is not None:
            judge.chance("number-step")
            if number != last + one.step:
                judge.found("number-step", phrase("number-leaps", name=one.at), t, self._user)

    def unreadable(self) -> None:
        """A message came of which nobody knows what it carried: the next number of each count may be any."""
        self._last.clear()
