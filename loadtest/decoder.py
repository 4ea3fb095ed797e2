"""Decodes messages: directly into objects if they are certainly valid, with full validation otherwise."""

from typing import Any

from contract.findings import Phrase, charged, phrase
from contract.json_text import JsonTextError, parse_json
from contract.model import Contract
from contract.schemas import is_date_time
from contract.typed import Typed, getter

MAX_MOMENTS = 4096
"""Valid date-times that are remembered."""


class MessageError(Exception):
    """A message breaks the contract. What the endpoint said in `problem` may hold a token."""

    def __init__(self, requirement: str, problem: Phrase) -> None:
        super().__init__(problem)
        self.problem = charged(requirement, problem)


class Decoder:
    """Decodes the server's messages of a contract.

    `decode` accepts what is certainly valid and raises `DecodeError` for the rest. A delivery becomes a
    `delivery_kind`: `delivered` reads its sequence, channel, text and author, `times` its date-times, still unchecked.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        names = contract.delivery
        typed = Typed(contract, names.delivery["event"] if names is not None else None)
        self.decode = typed.decode
        self.delivery_event = names.delivery["event"] if names is not None else ""
        self.delivery_kind = typed.kinds.get(self.delivery_event)
        self.moments: set[Any] = set()
        if names is not None and self.delivery_kind is not None:
            paths = [names.delivery[name] for name in ("channel", "text", "author")]
            self.delivered = getter("sequence", *paths)
            # Most deliveries have the same times as earlier ones: these need no second check.
            self.times = getter(*typed.moments.paths) if typed.moments.paths else None

    def are_times(self, moments: Any) -> bool:
        """Whether the date-times of a delivery are valid: one string, or several."""
        if not all(map(is_date_time, (moments,) if isinstance(moments, str) else moments)):
            return False
        if len(self.moments) >= MAX_MOMENTS:
            self.moments.clear()
        self.moments.add(moments)
        return True

    def judge(self, data: bytes) -> dict[str, Any]:
        """Validate what `decode` did not accept. Raises `MessageError` with what `jsonschema` says is wrong."""
        contract = self._contract
        try:
            value: dict[str, Any] = parse_json(data.decode())
        except UnicodeDecodeError as error:
            raise MessageError("ENV-01", phrase("not-utf-8", byte=error.start)) from None
        except JsonTextError as error:
            raise MessageError("ENV-01", error.problem) from None
        problems = contract.check_envelope(value)
        if problems:
            raise MessageError("ENV-02", problems[0].phrase)
        if value["event"] in contract.events:
            problems = contract.check_payload(value["event"], value["payload"])
            if problems:
                raise MessageError("ENV-03", phrase("at", place=value["event"], problem=problems[0].in_payload))
        return value
