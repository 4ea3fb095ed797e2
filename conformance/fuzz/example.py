"""A generated message, how it is written down, and whether it is what it claims to be."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from contract.json_text import JsonTextError, dump_json, parse_json
from contract.model import Contract

CHANNEL = "wsproof-channel-of-the-run"
"""Stands for the channel of the run in a generated message."""

OTHER_CHANNEL = "wsproof-another-channel"
"""Stands for a channel that the connection has not joined."""

NONCE = "4815162342108642"
"""Stands for a nonce: as long as one, so that filling it in changes no length."""

MAX_EXACT = 2**53
"""Integers up to here mean the same to every JSON library."""

Claim = Literal["valid", "json", "envelope", "payload", "length", "unknown", "server"]
"""`valid`, or the one thing that is wrong: no JSON, no envelope, the payload's members or their lengths, an event
that the contract does not name, an event of the server."""

LENGTHS = frozenset({"minLength", "maxLength"})

_SURROGATES = re.compile("[\ud800-\udfff]")

_TRIMMED = "".join(map(chr, range(0x21))) + "\x85\xa0\u2028\u2029\u3000\ufeff"
"""What some libraries take for white space around a text."""


@dataclass(frozen=True, slots=True)
class Notation:
    """One of the ways to write the same JSON (RFC 8259)."""

    gap: str = ""
    ascii_only: bool = False
    backwards: bool = False
    escaped_names: bool = False
    escaped_solidus: bool = False


COMPACT = Notation()


@dataclass(frozen=True, slots=True)
class Example:
    """A generated message. `change` says in what it differs from a plain one; `raw` is text that is no JSON.

    `event` is the event's name, where one can be read.
    """

    claim: Claim
    event: str | None
    change: str
    value: Any = None
    raw: str | None = None
    notation: Notation = COMPACT

    def text(self, channel: str, other: str, nonce: str) -> str:
        """The message as it is sent, with both channels and the nonce filled in."""
        if self.raw is not None:
            return _filled(self.raw, {CHANNEL: _escaped(channel), OTHER_CHANNEL: _escaped(other), NONCE: nonce})
        return written(filled(self.value, {CHANNEL: channel, OTHER_CHANNEL: other, NONCE: nonce}), self.notation)

    @property
    def template(self) -> str:
        """The message with what stands for channels and nonce: equal for equal examples."""
        return self.text(CHANNEL, OTHER_CHANNEL, NONCE)


def filled(value: Any, stand_ins: Mapping[str, str]) -> Any:
    """The value with channels and nonce in all its texts."""
    if isinstance(value, dict):
        return {name: filled(member, stand_ins) for name, member in value.items()}
    if isinstance(value, list):
        return [filled(member, stand_ins) for member in value]
    return _filled(value, stand_ins) if isinstance(value, str) else value


def _filled(text: str, stand_ins: Mapping[str, str]) -> str:
    for stand_in, meant in stand_ins.items():
        text = text.replace(stand_in, meant)
    return text


def _escaped(text: str) -> str:
    return dump_json(text)[1:-1]


def written(value: Any, notation: Notation) -> str:
    """The value as JSON text."""
    if notation == COMPACT:
        return dump_json(value)
    gap = notation.gap
    if isinstance(value, dict):
        members = [f"{_name(name, notation)}{gap}:{gap}{written(one, notation)}" for name, one in value.items()]
        return _enclosed("{", members[::-1] if notation.backwards else members, "}", gap)
    if isinstance(value, list):
        return _enclosed("[", [written(one, notation) for one in value], "]", gap)
    text = json.dumps(value, ensure_ascii=notation.ascii_only, allow_nan=False)
    return text.replace("/", "\\/") if notation.escaped_solidus and isinstance(value, str) else text


def _enclosed(start: str, parts: list[str], end: str, gap: str) -> str:
    return f"{start}{gap}{f'{gap},{gap}'.join(parts)}{gap}{end}"


def _name(name: str, notation: Notation) -> str:
    if notation.escaped_names and name and ord(name[0]) <= 0xFFFF:
        return f'"\\u{ord(name[0]):04x}{json.dumps(name[1:], ensure_ascii=notation.ascii_only)[1:]}'
    return json.dumps(name, ensure_ascii=notation.ascii_only)


def is_json(text: str) -> bool:
    """Whether a text is JSON, in any library's eyes: white space of all kinds around it is forgiven."""
    try:
        json.loads(text.strip(_TRIMMED), parse_constant=_refuse)
    except RecursionError:
        return True
    except ValueError:
        return False
    return True


def _refuse(name: str) -> None:
    raise ValueError(name)


def is_portable(value: Any) -> bool:
    """Whether every JSON library reads the value alike: no `1.0`, no number beyond 2^53, no lone surrogate."""
    if isinstance(value, dict):
        return all(is_portable(name) and is_portable(member) for name, member in value.items())
    if isinstance(value, list):
        return all(map(is_portable, value))
    if isinstance(value, str):
        return _SURROGATES.search(value) is None
    if isinstance(value, float):
        return not value.is_integer() and abs(value) < MAX_EXACT
    return not isinstance(value, int) or abs(value) <= MAX_EXACT


def holds(claim: Claim, text: str, contract: Contract, message_bytes: int) -> bool:
    """Whether a message is what it claims to be, by the contract's compiled schemas, and not too large.

    What is invalid breaks its schema in one place only.
    """
    if len(text.encode("utf-8", "surrogatepass")) > message_bytes:
        return False
    if claim == "json" or not is_json(text):
        return claim == "json" and not is_json(text)
    try:
        value = parse_json(text)
    except JsonTextError:
        return False
    if not is_portable(value):
        return False
    broken = contract.check_envelope(value)
    if claim == "envelope" or broken:
        return claim == "envelope" and len(broken) == 1
    event = contract.events.get(contract.name_of(value, "client") or "")
    if event is None or claim == "unknown":
        return event is None and claim == "unknown"
    wrong = contract.check_payload(event.name, value)
    if not event.from_client or claim == "server":
        return not event.from_client and claim == "server" and not wrong
    if claim == "valid" or not wrong:
        return claim == "valid" and not wrong
    return len(wrong) == 1 and (wrong[0].rule in LENGTHS) is (claim == "length")
