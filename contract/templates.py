"""Messages that a contract writes down as templates: `${message.PATH}` is what stands there in the message before."""

import re
from collections.abc import Callable, Container
from typing import Any

from contract.json_text import dump_json
from contract.paths import value_at

REFERENCE = re.compile(r"\$\{([A-Za-z0-9_.:-]+)\}")


def filled(template: Any, message: Any) -> Any:
    """A template over a message. A text that is one reference becomes the value, whatever its type."""
    return replaced(template, lambda name: value_at(message, name.removeprefix("message.")))


def replaced(template: Any, value_of: Callable[[str], Any]) -> Any:
    """A template with each reference replaced by what `value_of` gives for its name."""
    if isinstance(template, dict):
        return {replaced(name, value_of): replaced(member, value_of) for name, member in template.items()}
    if isinstance(template, list):
        return [replaced(member, value_of) for member in template]
    if not isinstance(template, str) or "${" not in template:
        return template
    whole = REFERENCE.fullmatch(template)
    if whole:
        return value_of(whole[1])
    return REFERENCE.sub(lambda found: _text(value_of(found[1])), template)


def owned(template: Any, user: str, others: Container[str] = ()) -> Any:
    """A template in which `${token}` and `${user.MEMBER}` stand for those of one user.

    What names one of the `others`, as `${user.NAME.MEMBER}`, stays as it is.
    """

    def value_of(name: str) -> str:
        if name == "token":
            return f"${{token.{user}}}"
        kind, _, member = name.partition(".")
        own = kind == "user" and member.partition(".")[0] not in others
        return f"${{user.{user}.{member}}}" if own else f"${{{name}}}"

    return replaced(template, value_of)


def references(template: Any) -> frozenset[str]:
    """The names of all references in a template."""
    found: set[str] = set()
    replaced(template, lambda name: found.add(name))
    return frozenset(found)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dump_json(value)
