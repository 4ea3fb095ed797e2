"""Decodes messages: directly into objects if they are certainly valid, with full validation otherwise."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from contract.declared import Declared
from contract.findings import Phrase, phrase
from contract.json_text import JsonTextError
from contract.model import Contract
from contract.roles import Delivery
from contract.schemas import is_date_time
from contract.typed import Typed, getter, is_certain

MAX_MOMENTS = 4096
"""Valid date-times that are remembered."""

FRACTION = len("2026-11-30T12:00:00.")
"""Where the digits of a fraction of a second begin in an RFC 3339 date-time."""

MAX_QUICK_BYTES = 4096
"""Longer messages are read by the strict reader alone, which has bounds."""

MAX_SHOWN = 80
"""Characters of a name that the endpoint made up."""


def paths_of(delivery: Delivery) -> tuple[str | None, ...]:
    """What is read of a delivery: channel, text, author, author's name, id and time; None: it has none."""
    return delivery.group, delivery.stamp, delivery.author, delivery.author_name, delivery.id, delivery.time


def may_be_number(declared: Declared, path: str) -> bool:
    """Whether a valid message may have an integer at a path."""
    for name in path.split("."):
        declared = declared.item(int(name)) if name.isdecimal() else declared.member(name)
    return declared.permits_type("integer")


class MessageError(Exception):
    """A message breaks the contract, as a check found. What the endpoint said in `problem` may hold a token."""

    def __init__(
        self,
        check: str,
        problem: Phrase,
        detail: Phrase,
        value: Any = None,
        message: str | None = None,
        places: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.value = value
        self.check = check
        self.problem = problem
        self.detail = detail
        self.message = message
        self.places = places


class Decoder:
    """Decodes the server's messages of a contract.

    `decode` accepts what is certainly valid and raises `DecodeError` for the rest. A delivery becomes a
    `delivery_kind`: `delivered` reads its sequence, channel, text, author, author's name, id and timestamp. Its
    date-times are still unchecked: `times` reads them, unless the timestamp is the only one.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        flow = contract.flow
        delivery = flow.delivery if flow is not None else None
        typed = Typed(contract, delivery.name if delivery is not None else None)
        self.decode = typed.decode
        self.kinds = typed.kinds
        self._plain = msgspec.json.Decoder().decode
        self.delivery_event = delivery.name if delivery is not None else ""
        self.delivery_kind = typed.kinds.get(self.delivery_event)
        self.moments: set[Any] = set()
        self._seconds: set[tuple[str, str]] = set()
        numbers = [one for one in contract.roles.numbers if one.per is None and not one.of and one.step == 1]
        self.number = numbers[0].at if numbers else None
        """The path of the number that every message of a connection may carry; None: none does."""
        self.paths = paths_of(delivery) if delivery is not None else ()
        known = [path for path in self.paths if path is not None]
        event = contract.events.get(self.delivery_event)
        self.numeric = frozenset(path for path in known if event is not None and may_be_number(event.declared, path))
        """The paths at which a delivery may have an integer instead of a text."""
        if self.delivery_kind is not None and not all(is_certain(self.delivery_kind, path) for path in known):
            self.delivery_kind = None  # what may not be there cannot be read at once
        if any(
            (not one.of and one.at != self.number) or self.delivery_event in one.of for one in contract.roles.counted
        ):
            self.delivery_kind = None  # it has a number of its own
        if self.delivery_kind is not None:
            self.delivered = getter(self.number, *self.paths)
            # Most deliveries have the same times as earlier ones: these need no second check.
            dated = typed.moments.paths
            self.times = getter(*dated) if delivery is None or dated != [delivery.time] else None

    def reader(self, name: str, path: str) -> Callable[[Any], Any] | None:
        """Reads the text at a path of decoded messages of a name; None: it may not be there, or a number is to be read
        as well."""
        kind = self.kinds.get(name)
        if kind is None or self.number is not None or not path or not is_certain(kind, path):
            return None
        return getter(path)

    def are_times(self, moments: Any) -> bool:
        """Whether the date-times of a delivery are valid: one string, or several."""
        if not all(map(self._is_time, (moments,) if isinstance(moments, str) else moments)):
            return False
        if len(self.moments) >= MAX_MOMENTS:
            self.moments.clear()
        self.moments.add(moments)
        return True

    def _is_time(self, text: str) -> bool:
        """What differs from a valid one in the digits of its fraction alone needs no second look."""
        second, fraction = text[:FRACTION], text[FRACTION:]
        zone = fraction.lstrip("0123456789")
        key = (second, zone)
        if key in self._seconds and len(zone) < len(fraction):
            return True
        if not is_date_time(text):
            return False
        if second.endswith(".") and len(zone) < len(fraction):
            if len(self._seconds) >= MAX_MOMENTS:
                self._seconds.clear()
            self._seconds.add(key)
        return True

    def plain(self, data: bytes) -> Any:
        """The JSON of a message that was decoded as valid."""
        try:
            value = self._plain(data)
        except msgspec.DecodeError:
            # It reads no lone surrogates, which a member that nobody asked for may hold.
            value = json.loads(data)
        return value

    def _read(self, data: bytes) -> Any:
        """The value of a message. Raises `MessageError` where it has none."""
        if self._contract.codec.is_json and len(data) <= MAX_QUICK_BYTES:
            try:
                return self._plain(data)
            except (msgspec.DecodeError, RecursionError):
                pass  # the strict reader says what is wrong, or takes it
        try:
            return self._contract.codec.decode(data.decode())
        except UnicodeDecodeError as error:
            raise _untexted(phrase("not-utf-8", byte=error.start)) from None
        except JsonTextError as error:
            raise _untexted(error.problem) from None

    def judge(self, data: bytes) -> tuple[Any, str | None]:
        """Validate what `decode` did not accept: its value and its name.

        Raises `MessageError` with what `jsonschema` says is wrong.
        """
        contract, value = self._contract, self._read(data)
        for one in contract.check_envelope(value):
            check, problem = "envelope", phrase("no-envelope")
            if self.number is not None and one.pointer == f"/{self.number.replace('.', '/')}":
                check, problem = "number", phrase("number-kind", name=self.number)
            raise MessageError(check, problem, one.phrase, value, contract.name_of(value))
        event = contract.name_of(value)
        if event is not None and event in contract.events:
            for one in contract.check_payload(event, value):
                problem = phrase("invalid-payload", event=event)
                raise MessageError("payload", problem, contract.placed(one, value), value, event, one.places)
        return value, event

    def undeclared(self, value: Any, name: str | None) -> Iterator[Phrase]:
        """What the contract does not name in a valid message of this name."""
        if name is None:
            return
        event = self._contract.events.get(name)
        if event is None or not event.from_server:
            yield phrase("undeclared-event", event=name[:MAX_SHOWN])
            return
        for pointer in self._contract.undeclared_members(name, value):
            yield phrase("undeclared-member", member=pointer[:MAX_SHOWN])


def _untexted(problem: Phrase) -> MessageError:
    return MessageError("text", phrase("load-unreadable"), problem)
