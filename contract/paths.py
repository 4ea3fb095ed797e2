"""Dotted paths into messages, such as `payload.message.id` or `0`: members of objects, and items of lists by index.

A negative index counts from the end: `-1` is the last item.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_INDEX = re.compile(r"-?[0-9]+")


def value_at(message: Any, path: str) -> Any:
    """The value at a path; None where there is none."""
    for name in path.split("."):
        if isinstance(message, dict):
            if name not in message:
                return None
            message = message[name]
        elif isinstance(message, list) and _INDEX.fullmatch(name) and -len(message) <= int(name) < len(message):
            message = message[int(name)]
        else:
            return None
    return message


def by_index(names: Iterable[str]) -> bool:
    """Whether names look at the items of a list: each is an index, and there is one."""
    names = tuple(names)
    return bool(names) and all(_INDEX.fullmatch(name) for name in names)


def set_at(message: Any, path: str, value: Any) -> Any:
    """A copy of a message with a value at a path. Raises LookupError where that leads nowhere."""
    name, _, rest = path.partition(".")
    inner = value if not rest else set_at(value_at(message, name), rest, value)
    if isinstance(message, dict):
        return {**message, name: inner}
    if isinstance(message, list) and _INDEX.fullmatch(name) and -len(message) <= int(name) < len(message):
        index = int(name) % len(message)
        return [*message[:index], inner, *message[index + 1 :]]
    raise LookupError(path)


def nested(path: str, value: Any) -> Any:
    """Objects inside of each other with a value at a path: what a pattern for that place alone looks like."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value


def has(message: Any, path: str) -> bool:
    """Whether there is a value at a path, null included."""
    parent, _, last = path.rpartition(".")
    inner = value_at(message, parent) if parent else message
    if isinstance(inner, dict):
        return last in inner
    return isinstance(inner, list) and bool(_INDEX.fullmatch(last)) and -len(inner) <= int(last) < len(inner)


def agrees(message: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether the values at some paths are these: equal, and of the same JSON type."""
    return all(
        has(message, path) and type(value_at(message, path)) is type(value) and value_at(message, path) == value
        for path, value in wanted.items()
    )
