"""Redaction: no token stands in anything that leaves a run, in whichever spelling an endpoint gives it back."""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

MASK = "•••"

LEAST_ENCODED = 6
"""Characters that a token needs for its other spellings to be looked for; shorter ones would be found by chance."""


_SECRET = re.compile(r"pass(word|phrase|code)|secret|token|credential|(api|private|access)[-_]?key", re.IGNORECASE)


def named_secrets(value: Any, name: str = "") -> Iterator[str]:
    """The texts in members whose names say that they are secret, such as `password` and `apiKey`."""
    if isinstance(value, Mapping):
        for inner, member in value.items():
            yield from named_secrets(member, name if _SECRET.search(name) else inner)
    elif isinstance(value, list):
        for member in value:
            yield from named_secrets(member, name)
    elif isinstance(value, str) and value and _SECRET.search(name):
        yield value


class Redactor:
    """Takes secrets out of texts.

    Besides as they are, they are found percent-encoded (repeatedly, too), with JSON, Python or HTML escapes, in
    hexadecimal and in Base64, and where a text was cut within one, at least half of which is left.
    """

    def __init__(self, secrets: Iterable[str], growing: Sequence[str] = ()) -> None:
        self._secrets = tuple(secrets)
        self._growing = growing
        """Secrets of which there may yet be more."""

    @property
    def _reach(self) -> int:
        """Characters that the longest spelling of a secret may have."""
        return 12 * max(map(len, (*self._secrets, *self._growing)), default=0)

    def redact(self, text: str) -> str:
        """The text without any of the secrets."""
        for secret in (*self._secrets, *self._growing):
            text = _redacted(text, secret)
        return text

    def shorten(self, text: str, limit: int) -> str:
        """The first `limit` characters of the redacted text."""
        if len(text) <= limit:
            return self.redact(text)
        seen = self.window(text, limit)
        shown = self.redact(seen)
        # What was cut may have been cut within a secret.
        end = max(len(shown) - self._reach, 0) if len(seen) >= 2 * limit + self._reach else len(shown)
        return shown[: min(end, limit)]

    def window(self, text: str, limit: int) -> str:
        """As much of a text as `shorten` looks at."""
        return text[: 2 * limit + self._reach]


def _redacted(text: str, secret: str) -> str:
    if not secret:
        return text
    for spelling in _literal(secret):
        if spelling in text:
            text = text.replace(spelling, MASK)
    if len(secret) < LEAST_ENCODED:
        return text
    if "%" in text or "\\" in text or "&#" in text:
        text = _escaped(secret).sub(MASK, text)
    half = secret[: _half(secret)]
    return _beginning(secret).sub(MASK, text) if half in text else text


@cache
def _literal(secret: str) -> tuple[str, ...]:
    """As it is, in Base64 and in hexadecimal."""
    if len(secret) < LEAST_ENCODED:
        return (secret,)
    raw = secret.encode("utf-8", "surrogatepass")
    return (secret, *_base64(raw), raw.hex(), raw.hex().upper())


@cache
def _half(secret: str) -> int:
    return max(LEAST_ENCODED, -(-len(secret) // 2))


@cache
def _escaped(secret: str) -> re.Pattern[str]:
    return re.compile("".join(f"(?:{'|'.join(_spellings(character))})" for character in secret))


def _spellings(character: str) -> Iterator[str]:
    yield re.escape(character)
    yield "".join(rf"%(?:25)*(?i:{byte:02x})" for byte in character.encode("utf-8", "surrogatepass"))
    code = ord(character)
    yield rf"\\+u(?i:{code:04x})" if code <= 0xFFFF else rf"\\+U(?i:{code:08x})"
    yield rf"\\+x(?i:{code:02x})"
    yield rf"&\#0*{code};?"
    yield rf"&\#[xX]0*(?i:{code:x});?"
    if character in "/'\"":
        yield rf"\\+{character}"


def _base64(raw: bytes) -> Iterator[str]:
    """What bytes look like inside of Base64, at each of the three places where they may begin."""
    for shift, skipped in enumerate((0, 2, 3)):
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            spelling = encode(bytes(shift) + raw).decode()[skipped : (shift + len(raw)) * 8 // 6]
            if len(spelling) >= LEAST_ENCODED:
                yield spelling


@cache
def _beginning(secret: str) -> re.Pattern[str]:
    """At least half of the secret, where a text was cut after it."""
    rest = ""
    for character in reversed(secret[_half(secret) : -1]):
        rest = f"(?:{re.escape(character)}{rest})?"
    return re.compile(rf"{re.escape(secret[: _half(secret)])}{rest}(?=['\"]?(?:…|$))")
