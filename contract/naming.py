"""How a message's name is told: by the contract's rules, or else by what its schemas have that differs.

1. A contract that has rules (`messages.name` in contract.yaml) tells names by them, in order. What a rule finds at a
   path is looked up among the values that schemas declare there (`const`, `enum`), so that a message may be called
   otherwise than what it carries.
2. Without rules, the path is looked for at which all messages of one side declare different constants, the shortest
   one first: `type`, `event`, `0`.
3. Where there is none, each message's constants and required members are its marks. A message has the name whose marks
   it bears all; of several, the one with the most. Two messages with the same marks cannot be told apart: the one that
   is declared first stands for both, and `alike` says so.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract.paths import agrees, has, value_at
from contract.roles import NameRule, Side

MOST_DEEP = 4
"""Members of members that are looked at."""

Resolve = Callable[[Any], Iterable[Mapping[str, Any]]]
"""A schema and all that it draws in through `$ref` and `allOf`."""

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A message as naming knows it: its name, the sides that send it, and its marks."""

    name: str
    senders: frozenset[Side]
    constants: Mapping[str, tuple[Scalar, ...]]
    """By path, the values that its schema allows there, where it requires the member and lists them."""
    required: frozenset[str]
    """The paths of what it requires."""


def kind_of(name: str, senders: frozenset[Side], schema: Any, resolve: Resolve, under: str = "") -> Kind:
    """The marks of a message whose schema describes what stands at the path `under`."""
    constants: dict[str, tuple[Scalar, ...]] = {}
    required: set[str] = set()
    _collect(schema, resolve, under, constants, required, 0)
    return Kind(name, senders, constants, frozenset(required))


def _collect(
    schema: Any,
    resolve: Resolve,
    path: str,
    constants: dict[str, tuple[Scalar, ...]],
    required: set[str],
    depth: int,
) -> None:
    if depth > MOST_DEEP:
        return
    parts = list(resolve(schema))
    for part in parts:
        values = _values(part)
        if values is not None:
            known = constants.get(path)
            constants[path] = values if known is None else tuple(one for one in known if one in values)
    names = {name for part in parts for name in part.get("required", ()) if isinstance(name, str)}
    for name in sorted(names):
        inner = [part["properties"][name] for part in parts if name in part.get("properties", {})]
        place = f"{path}.{name}" if path else name
        required.add(place)
        _collect({"allOf": inner}, resolve, place, constants, required, depth + 1)
    # What an array must have at its start is as good as a member.
    for index, inner in enumerate(one for part in parts for one in part.get("prefixItems", ())):
        place = f"{path}.{index}" if path else f"{index}"
        required.add(place)
        _collect(inner, resolve, place, constants, required, depth + 1)


def _values(part: Mapping[str, Any]) -> tuple[Scalar, ...] | None:
    if "const" in part:
        listed: Sequence[Any] = [part["const"]]
    elif isinstance(part.get("enum"), list):
        listed = part["enum"]
    else:
        return None
    return tuple(listed) if all(isinstance(one, Scalar) for one in listed) else None


class Naming:
    """Tells the names of messages."""

    def __init__(self, kinds: Sequence[Kind], rules: Sequence[NameRule] = ()) -> None:
        self.kinds = tuple(kinds)
        self.rules = tuple(rules)
        self.alike: list[tuple[str, str]] = []
        """Messages of one side that cannot be told apart: the second of each is taken for the first."""
        self._by_side: dict[Side, Callable[[Any], str | None]] = {}
        for side in _SIDES:
            self._by_side[side] = self._by_rules() if rules else self._inferred(side)

    def __call__(self, value: Any, side: Side = "server") -> str | None:
        """The name of a message of a side; None where it bears none, and a text where it bears an unknown one."""
        return self._by_side[side](value)

    def _by_rules(self) -> Callable[[Any], str | None]:
        tables = [None if rule.at is None else _table(self.kinds, rule) for rule in self.rules]

        def told(value: Any) -> str | None:
            for rule, table in zip(self.rules, tables, strict=True):
                if not agrees(value, rule.match) or (rule.has is not None and not has(value, rule.has)):
                    continue
                if rule.at is None:
                    return rule.name
                found = value_at(value, rule.at)
                if isinstance(found, str | int) and not isinstance(found, bool):
                    return (table or {}).get(found, str(found))
            return None

        return told

    def _inferred(self, side: Side) -> Callable[[Any], str | None]:
        kinds = [one for one in self.kinds if side in one.senders]
        path = _telling_path(kinds)
        if path is not None:
            table = {(type(value), value): one.name for one in kinds for value in one.constants[path]}

            def by_path(value: Any) -> str | None:
                found = value_at(value, path)
                if not isinstance(found, Scalar) or not has(value, path):
                    return None
                known = table.get((type(found), found))
                return known or (found if isinstance(found, str) else None)

            return by_path
        for number, one in enumerate(kinds):
            same = next((two for two in kinds[:number] if _marks(one) == _marks(two)), None)
            if same is not None:
                self.alike.append((same.name, one.name))
        ordered = sorted(kinds, key=lambda one: -len(one.constants) * 100 - len(one.required))

        def by_marks(value: Any) -> str | None:
            return next((one.name for one in ordered if _bears(value, one)), None)

        return by_marks


_SIDES: tuple[Side, ...] = ("server", "client")


def _marks(one: Kind) -> Any:
    return dict(one.constants), one.required


def _bears(value: Any, one: Kind) -> bool:
    return all(has(value, path) for path in one.required) and all(
        any(type(value_at(value, path)) is type(known) and value_at(value, path) == known for known in values)
        for path, values in one.constants.items()
        if path
    )


def _telling_path(kinds: Sequence[Kind]) -> str | None:
    """The shortest path at which all have constants, none of which two share."""
    if not kinds:
        return None
    paths = set.intersection(*({*one.constants} for one in kinds)) - {""}
    for path in sorted(paths, key=lambda one: (one.count("."), len(one), one)):
        values = [(type(value), value) for one in kinds for value in one.constants[path]]
        if len(values) == len({*values}):
            return path
    return None


def _table(kinds: Sequence[Kind], rule: NameRule) -> dict[Scalar, str]:
    """The names of messages by what their schemas declare at the path of a rule."""
    table: dict[Scalar, str] = {}
    for one in kinds:
        fits = all(value in one.constants.get(path, (value,)) for path, value in rule.match.items())
        for value in one.constants.get(rule.at or "", ()) if fits else ():
            table.setdefault(value, one.name)
    return table
