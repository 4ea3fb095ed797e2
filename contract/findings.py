"""What wsproof says of an endpoint: phrases, each a code and its parameters, and rendered only where people read it.

A check, a step, the transport or the load test says what it found as `phrase("close-code", expected=[1000], …)`. The
catalogues' domain `findings` has what that means in each language, so nothing ever has to read a sentence again to know
what it says, or to translate it. A parameter is a text or a number of the endpoint, another phrase, or a list of such,
which a form joins as it likes: `{codes: or }`. The parameter `number` chooses the plural.

In a document an object with a sentence in English has its phrase beside it: `code` and `params` belong to `message`;
those of any other member stand in `texts`, by its name. `translated` puts the language that is spoken in their place.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Union

from contract.language import DEFAULT, LANGUAGES, Catalogues, speaking, spoken

CATALOGUES: Final = Catalogues(Path(__file__).resolve().parent / "locales")

MAX_DEPTH: Final = 24
"""Phrases and lists inside phrases; what a document has deeper is shown in its English."""

UNKNOWN: Final = (LookupError, ValueError, TypeError, AttributeError, OverflowError)
"""What rendering a phrase raises that is none of ours."""

Param = Union[str, int, float, "Phrase", tuple["Param", ...]]
Text = Union[str, "Phrase"]
"""A phrase of ours, or what somebody else wrote."""


class _List(tuple[object, ...]):
    """A list that a form joins by its format: ``{codes: or }``; without one its items follow each other."""

    def __format__(self, separator: str) -> str:
        return separator.join(map(str, self))


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence, or a part of one, in no language yet."""

    code: str
    params: Mapping[str, Param]

    def __str__(self) -> str:
        """In English, as documents and logs hold it."""
        return self.render(DEFAULT)

    def render(self, language: str | None = None) -> str:
        """In a language; None: the one that is spoken. Raises one of `UNKNOWN` where it is none of ours."""
        with speaking(language or spoken()):
            return self._rendered(MAX_DEPTH)

    @property
    def renderings(self) -> Mapping[str, str] | None:
        """In each language; None: it lacks one, since one of a document may be anybody's."""
        try:
            return {language: self.render(language) for language in LANGUAGES}
        except UNKNOWN:
            return None

    @property
    def is_known(self) -> bool:
        """Whether it can be rendered in every language."""
        return self.renderings is not None

    def _rendered(self, depth: int) -> str:
        if depth <= 0:
            raise ValueError("phrases are nested too deep")
        values = {name: _rendered(value, depth - 1) for name, value in self.params.items()}
        number = self.params.get("number")
        if not isinstance(number, int | float):
            return CATALOGUES.form(f"findings.{self.code}").format_map(values)
        return CATALOGUES.tn(f"findings.{self.code}", number, **values)

    def changed(self, change: Callable[[str], str]) -> "Phrase":
        """The same with every text in it changed, for instance masked."""
        return Phrase(self.code, {name: _changed(value, change) for name, value in self.params.items()})

    @property
    def json(self) -> dict[str, Any]:
        """As documents have it."""
        return {"code": self.code, "params": {name: _to_json(value) for name, value in self.params.items()}}


def phrase(code: str, /, **params: Param | Iterable[Param]) -> Phrase:
    """A phrase with this code."""
    return Phrase(code, {name: _frozen(value) for name, value in params.items()})


def few(names: Iterable[str], most: int) -> Phrase:
    """Each name once, and at most so many; the others are counted."""
    once = list(dict.fromkeys(names))
    if len(once) <= most:
        return phrase("names", items=once)
    return phrase("names-and-more", items=once[:most], more=len(once) - most)


def _frozen(value: Any) -> Param:
    return value if isinstance(value, str | int | float | Phrase) else tuple(map(_frozen, value))


def _rendered(value: Param, depth: int) -> object:
    if isinstance(value, Phrase):
        return value._rendered(depth)
    return _List(_rendered(one, depth - 1) for one in value) if isinstance(value, tuple) else value


def _changed(value: Param, change: Callable[[str], str]) -> Param:
    if isinstance(value, Phrase):
        return value.changed(change)
    if isinstance(value, tuple):
        return tuple(_changed(one, change) for one in value)
    return change(value) if isinstance(value, str) else value


def _to_json(value: Param) -> Any:
    if isinstance(value, Phrase):
        return value.json
    return [_to_json(one) for one in value] if isinstance(value, tuple) else value


def charged(requirement: str | None, problem: Phrase) -> Phrase:
    """What is charged to a requirement; None: to none."""
    return problem if requirement is None else phrase("charged", requirement=requirement, problem=problem)


def missing(event: str) -> Phrase:
    """A message of this event did not come in time."""
    return phrase("missing", events=[f"`{event}`"])


def changed(text: Text, change: Callable[[str], str]) -> Text:
    """A text with every text in it changed, for instance masked."""
    return text.changed(change) if isinstance(text, Phrase) else change(text)


def words(value: Any) -> Text:
    """A JSON value in which phrases stand for what differs: its JSON text, each of them in words."""
    phrases: list[Phrase] = []
    border = secrets.token_hex(8)

    def mark(leaf: object) -> str:
        if not isinstance(leaf, Phrase):
            return str(leaf)
        phrases.append(leaf)
        return f"{border}{len(phrases) - 1}{border}"

    pieces = json.dumps(value, ensure_ascii=False, default=mark).split(border)
    if not phrases:
        return pieces[0]
    parts: list[Param] = [phrases[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces)]
    return Phrase("parts", {"parts": tuple(parts)})


# Documents


def english(text: Text | None) -> str | None:
    """A text as documents hold it."""
    return None if text is None else str(text)


def texts(**members: Text | Iterable[Text] | None) -> dict[str, Any]:
    """The phrases of an object's members, as its member `texts`; nothing where there are none."""
    found: dict[str, Any] = {}
    for name, value in members.items():
        if isinstance(value, Phrase):
            found[name] = value.json
        elif value is not None and not isinstance(value, str):
            several = [one.json if isinstance(one, Phrase) else None for one in value]
            if any(several):
                found[name] = several
    return {"texts": found} if found else {}


def text_of(entry: Mapping[str, Any], member: str) -> Text | None:
    """A member of a document's object as a text: its phrase where that can be rendered, else its English."""
    found = _phrase(_texts(entry).get(member))
    return found if found is not None and found.is_known else entry[member]


def _texts(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    found = entry.get("texts")
    return found if isinstance(found, dict) else {}


def message_of(entry: Mapping[str, Any]) -> Phrase:
    """The `message` of a document's object; that of an old document is a phrase of somebody else's words."""
    found = _phrase(entry)
    return found if found is not None and found.is_known else phrase("said", en=entry["message"], ja=entry["message"])


def _phrase(value: Any, depth: int = MAX_DEPTH) -> Phrase | None:
    """A phrase of a document, which may be anybody's; None where it is none."""
    if not isinstance(value, dict) or not isinstance(value.get("code"), str) or depth <= 0:
        return None
    params = value.get("params")
    if not isinstance(params, dict):
        return None
    found: dict[str, Param] = {}
    for name, param in params.items():
        read = _param(param, depth)
        if read is None:
            return None
        found[str(name)] = read
    return Phrase(value["code"], found)


def _param(value: Any, depth: int) -> Param | None:
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list) and depth > 0:
        items = [_param(one, depth - 1) for one in value]
        return tuple(one for one in items if one is not None) if None not in items else None
    return _phrase(value, depth - 1)


def translated(value: Any) -> Any:
    """A document, or a part of it, with its sentences in the language that is spoken; what cannot be, stays English."""
    if spoken() == DEFAULT:
        return value
    if isinstance(value, list):
        return [translated(one) for one in value]
    if not isinstance(value, dict):
        return value
    changed = {name: inner if name in ("params", "texts") else translated(inner) for name, inner in value.items()}
    own = {"message": value} if "params" in value else {}
    for name, written in {**_texts(value), **own}.items():
        if name in changed:
            changed[name] = _translated(changed[name], written)
    return changed


def _translated(english: Any, written: Any) -> Any:
    if isinstance(english, list) and isinstance(written, list) and len(english) == len(written):
        return [_translated(*pair) for pair in zip(english, written, strict=True)]
    return rendered(written, english) if isinstance(english, str) else english


def rendered(written: Any, english: str) -> str:
    """A phrase as documents have it, in the language that is spoken; its English where it cannot be rendered."""
    found = _phrase(written)
    renderings = None if found is None else found.renderings
    return english if renderings is None else renderings[spoken()]
