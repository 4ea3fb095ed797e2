"""Values of a scenario: references such as `${nonce.a}`, filled texts, and texts padded to a size."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import uuid4

from conformance.language.probe_message import PLACE, ProbeBytes, ProbeMessage, placed
from conformance.language.spelling import CODES, SPELLINGS
from contract.codec import Codec, JsonCodec
from contract.commands import CommandError
from contract.findings import Phrase, phrase
from contract.paths import has, value_at
from contract.profile import Profile
from contract.roles import Probe
from contract.templates import REFERENCE, owned, replaced

FIXED_TOKENS = {"invalid": "tokens.invalid", "expired": "tokens.expired", "expiring": "tokens.expiring"}
"""The settings of tokens that are no user's."""

ENDPOINT_PARTS = ("path", "parent", "root")
"""What `${endpoint.…}` may name."""

OF_ALL = ("uuid", "counter")
"""References that need no name: each is another one."""

OF_ANY_TYPE = ("counter", "user", "value")
"""References that may stand for a value that is no text."""

NONCE_DIGITS = 16
NOISE_NONCES = 128


class ScenarioError(Exception):
    """A scenario asks for something that cannot be: its author's mistake, never the endpoint's."""


class Enough(Exception):  # noqa: N818  # no error: the scenario has all that it needs
    """An outcome came after which the rest of the scenario is not needed."""


class InconclusiveError(Exception):
    """The endpoint or the profile lacks what the scenario needs."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason


class DisturbedError(InconclusiveError):
    """A busy machine, a stalled peer or an overloaded one left it open: playing it again may decide it."""


class NotWaitedForError(InconclusiveError):
    """The circuit breaker cut a wait short."""


def new_nonce() -> str:
    """A text that nobody else sends: digits only, so that no change of case or normalisation hides it."""
    return str(secrets.randbelow(9 * 10 ** (NONCE_DIGITS - 1)) + 10 ** (NONCE_DIGITS - 1))


def substitute(value: Any, names: Mapping[str, Any]) -> Any:
    """Replace `${name}` for the given names, inside strings and as whole values; other references stay."""
    if isinstance(value, str):
        return _substituted(value, names) if "${" in value else value
    if isinstance(value, dict):
        return {
            _substituted(key, names) if "${" in key else key: substitute(member, names) for key, member in value.items()
        }
    if isinstance(value, list):
        return [substitute(member, names) for member in value]
    return value


def _substituted(value: str, names: Mapping[str, Any]) -> Any:
    whole = REFERENCE.fullmatch(value)
    if whole and whole[1] in names:
        return names[whole[1]]
    return REFERENCE.sub(lambda found: _text(names, found), value)


def _text(names: Mapping[str, Any], found: re.Match[str]) -> str:
    if found[1] not in names:
        return found[0]
    value = names[found[1]]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@dataclass(slots=True)
class Values:
    """What references stand for while one scenario plays. `channel` gives a name its channel; `target` is the path and
    query of the endpoint; `probe` and `codec` are the contract's."""

    profile: Profile
    channel: Callable[[str], str]
    captured: dict[str, Any] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)
    """Nonces, UUIDs and numbers, by kind and name."""
    _count: int = 0
    target: str = "/"
    probe: Probe | None = None
    codec: Codec = field(default_factory=JsonCodec)
    sender: str = ""
    """Whose message is rendered."""

    def nonce(self, name: str) -> str:
        """The scenario's nonce of this name."""
        made: str = self._made.setdefault(f"nonce.{name}", new_nonce())
        return made

    def render(self, value: Any) -> Any:
        """The value with every reference resolved. Raises `ScenarioError` for an unknown one."""
        if isinstance(value, dict):
            if "$fill" in value:
                return self._fill(value["$fill"])
            if "$pad" in value:
                return self._pad(value["$pad"])
            if "$probe" in value:
                return self._probe_of(value["$probe"])
            if "$base64" in value:
                return CODES["base64"](str(self.render(value["$base64"])))
            return {self.render(key): self.render(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.render(member) for member in value]
        if isinstance(value, str) and "${" in value:
            whole = REFERENCE.fullmatch(value)
            if whole:
                return self._resolve(whole[1])
            return REFERENCE.sub(lambda found: str(self._resolve(found[1])), value)
        return value

    def filled(self, template: Any, message: Any) -> Any:
        """A template over a message: `${message.PATH}` is what stands there; other references are those of `render`."""

        def value_of(name: str) -> Any:
            kind, _, path = name.partition(".")
            return value_at(message, path) if kind == "message" else self._resolve(name)

        return replaced(template, value_of)

    def _resolve(self, name: str) -> Any:
        spelling, colon, other = name.partition(":")
        if colon:
            return self._respelled(spelling, str(self._resolve(other)))
        if name in self.captured:
            return self.captured[name]
        if name == "group":
            return self.channel("room")
        kind, _, rest = name.partition(".")
        resolve = self._KINDS.get(kind)
        if resolve is not None and (rest or kind in OF_ALL):
            return resolve(self, rest)
        raise ScenarioError(f"${{{name}}}: no step before this one captures it")

    def _respelled(self, spelling: str, text: str) -> str:
        if spelling in CODES:
            return CODES[spelling](text)
        if spelling not in SPELLINGS:
            raise ScenarioError(f"unknown spelling {spelling!r}; known: {', '.join((*CODES, *SPELLINGS))}")
        other = SPELLINGS[spelling](text)
        if other in (text, ""):
            raise InconclusiveError(phrase("no-other-spelling", spelling=spelling))
        return other

    def uuid(self, name: str) -> str:
        """The scenario's UUID of this name; without one, a new one each time."""
        made: str = self._made.setdefault(f"uuid.{name}", str(uuid4())) if name else str(uuid4())
        return made

    def counter(self, name: str) -> int:
        """The number that this name has; without one, the next number, from 1."""
        key = f"counter.{name}"
        if not name or key not in self._made:
            self._count += 1
        made: int = self._made.setdefault(key, self._count) if name else self._count
        return made

    def user(self, path: str) -> Any:
        """A member of a user, behind the user's name. Raises `InconclusiveError` where the profile has none."""
        name, _, member = path.partition(".")
        user = self.profile.users.get(name)
        found = user.member(member) if user is not None and member else None
        if found is None:
            raise InconclusiveError(phrase("lacking", setting=f"users.{path}"))
        return found

    def value(self, path: str) -> Any:
        """A value of the profile's own. Raises `InconclusiveError` where it has none."""
        if not has(self.profile.values, path):
            raise InconclusiveError(phrase("lacking", setting=f"values.{path}"))
        return value_at(self.profile.values, path)

    def _path(self, part: str) -> str:
        """The endpoint's path without a slash at its end, or what is above it. Raises `InconclusiveError` for `/`."""
        path = self.target.partition("?")[0].rstrip("/")
        parts = dict(zip(ENDPOINT_PARTS, (path, path.rpartition("/")[0] or "/", "/"), strict=True))
        if part not in parts:
            raise ScenarioError(f"unknown part {part!r} of the endpoint; known: {', '.join(parts)}")
        if not path:
            raise InconclusiveError(phrase("endpoint-at-root"))
        return parts[part]

    def token(self, name: str) -> str:
        """The token of a user, or the fixture invalid, expired, expiring. Raises `InconclusiveError`."""
        found: str | None
        if name == "expiring":
            found = self._expiring()
        elif name in FIXED_TOKENS:
            found = getattr(self.profile.tokens, name)
        else:
            user = self.profile.users.get(name)
            found = user.token if user else None
        if found is None:
            raise InconclusiveError(phrase("lacking", setting=FIXED_TOKENS.get(name, f"users.{name}")))
        return found

    def _expiring(self) -> str | None:
        try:
            return self.profile.tokens.fresh_expiring()
        except CommandError as error:
            raise InconclusiveError(phrase("no-fresh-token", problem=str(error))) from None

    def length(self, value: int | str) -> int:
        """A number, or the limit of this name; `probe_text` is that of the probe's text."""
        if value == "probe_text":
            longest = self.profile.limits.text_length
            return longest if self.probe is None else min(self.probe.most, longest)
        return int(value) if isinstance(value, int) else int(getattr(self.profile.limits, value))

    def _size(self, wanted: Mapping[str, Any], name: str) -> int:
        size = self.length(wanted[name]) + int(wanted.get("offset", 0))
        return min(size, self.length(wanted["at_most"])) if "at_most" in wanted else size

    def _fill(self, fill: Mapping[str, Any]) -> str:
        prefix = self.render(fill.get("prefix", ""))
        length = self._size(fill, "length")
        with_text = self._noise(fill["noise"]) if "noise" in fill else fill["with"]
        count = length - len(prefix)
        return str(prefix + (with_text * (count // len(with_text) + 1))[: max(count, 0)])

    def _noise(self, name: str) -> str:
        """Digits that do not compress into references, the same for the whole scenario."""
        return "".join(self.nonce(f"{name}-noise-{number}") for number in range(NOISE_NONCES))

    def _pad(self, pad: Mapping[str, Any]) -> str:
        """A text that has exactly so many bytes: JSON with white space behind it; else, the probe's text is longer.

        `part: text` is the text that a probe's message then has.
        """
        size = self._size(pad, "bytes")
        if "json" in pad:
            text: str = json.dumps(self.render(pad["json"]), ensure_ascii=False)
            return text + " " * (size - len(text.encode()))
        inner = str(self.render(pad["probe"]))
        missing = max(size - len(self._probe(inner).encode()), 0)
        if not self.codec.is_json:
            inner, missing = inner + "x" * missing, 0
        return inner if pad.get("part") == "text" else self._probe(inner) + " " * missing

    def _probe_of(self, value: Any) -> ProbeMessage | ProbeBytes:
        """A probe's message as a value writes it: with a text, broken, or the first that it needs to be sent."""
        if isinstance(value, dict) and "hex" in value:
            return self._broken_probe(value)
        if not isinstance(value, dict) or "first" not in value:
            return self._probe(value)
        prepare = self.probe.prepare if self.probe is not None else ()
        if not prepare:
            return self._probe(value["first"])
        return ProbeMessage(self.codec.encode(self.render(self._own(prepare[0]["send"]))), 0)

    def _probe(self, value: Any) -> ProbeMessage:
        """The contract's probe with a text, as it is sent. Raises `InconclusiveError`: there is none."""
        message, before, _ = self._around()
        text = str(self.render(value))
        return ProbeMessage(self.codec.encode(placed(message, text)), len(before))

    def _broken_probe(self, value: Mapping[str, Any]) -> ProbeBytes:
        """The same with any bytes behind the text; `cut`: and nothing behind those."""
        _, before, after = self._around()
        inner = str(self.render(value.get("text", ""))).encode() + bytes.fromhex(self.render(value["hex"]))
        return ProbeBytes(before + inner + (b"" if value.get("cut") else after), len(before))

    def _own(self, template: Any) -> Any:
        """A message of whoever sends it."""
        return owned(template, self.sender, self.profile.users) if self.sender else template

    def _around(self) -> tuple[Any, bytes, bytes]:
        """The probe's message with `PLACE` for its text, and the bytes before and behind that."""
        if self.probe is None:
            raise InconclusiveError(phrase("no-probe"))
        message = self.render(substitute(self._own(self.probe.message), {"text": PLACE}))
        before, _, after = self.codec.encode(message).partition(PLACE)
        return message, before.encode(), after.encode()

    _KINDS: ClassVar[Mapping[str, Callable[["Values", str], Any]]] = {
        "channel": lambda self, name: self.channel(name),
        "counter": lambda self, name: self.counter(name),
        "endpoint": lambda self, part: self._path(part),
        "nonce": lambda self, name: self.nonce(name),
        "token": lambda self, name: self.token(name),
        "user": lambda self, path: self.user(path),
        "uuid": lambda self, name: self.uuid(name),
        "value": lambda self, path: self.value(path),
    }
    """What stands before the dot of a reference."""
