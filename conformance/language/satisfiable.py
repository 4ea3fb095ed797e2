"""What of an expectation no valid message can be: operators that there are not, members and values that none has.

An operator is held against what it may hold (`wanted_flaw`), and then against what the contract declares at its place.
"""

from collections.abc import Iterator
from typing import Any

from conformance.language.matching import ABSENT, OPERATORS, matches
from conformance.language.operators import OF_STRINGS, is_sized, wanted_flaw
from conformance.language.values import OF_ANY_TYPE
from contract.declared import Declared
from contract.paths import by_index
from contract.plain_words import near
from contract.templates import REFERENCE

Where = tuple[str | int, ...]
Flaw = tuple[Where, str]


def flaws(expected: Any, declared: Declared, where: Where = ()) -> Iterator[Flaw]:
    """What can never match where the contract declares `declared`, each with its place in the expectation."""
    if isinstance(expected, dict) and "$probe" in expected:
        return  # it stands for what a contract without a probe does not have
    if is_sized(expected):
        if not declared.permits_type("string"):
            yield where, _never("a string", where)
    elif isinstance(expected, dict):
        if any(str(name).startswith("$") for name in expected):
            yield from _of_operators(expected, declared, where)
        elif by_index(expected) and declared.permits_type("array"):
            yield from _of_items(expected, declared, where)
        else:
            yield from _of_members(expected, declared, where)
    elif isinstance(expected, list):
        yield from _of_list(expected, declared, where)
    elif isinstance(expected, str) and "${" in expected:
        if not _may_be_any(expected) and not declared.permits_type("string"):
            yield where, _never("a string", where)
    elif not declared.permits(expected):
        yield where, f"{_place(where)} is never {expected!r} in a valid message"


def _may_be_any(text: str) -> bool:
    """Whether a text with references may become something else than a text: what was captured, and own values, may."""
    found = REFERENCE.fullmatch(text)
    return found is not None and ("." not in found[1] or found[1].partition(".")[0] in OF_ANY_TYPE)


def _of_operators(expected: dict[str, Any], declared: Declared, where: Where) -> Iterator[Flaw]:
    for name, wanted in expected.items():
        here = (*where, name)
        if name not in OPERATORS:
            known = f"; known: {', '.join(sorted(OPERATORS))}"
            what = f"unknown operator {name!r}" if name.startswith("$") else f"member {name!r} beside an operator"
            yield here, what + (near(name, OPERATORS) or known)
            continue
        problem = wanted_flaw(name, wanted)
        if problem is not None:
            yield here, problem
        else:
            yield from _of_operator(name, wanted, declared, here)


def _of_operator(name: str, wanted: Any, declared: Declared, here: Where) -> Iterator[Flaw]:
    where = here[:-1]
    if name in ("$optional", "$not"):
        yield from flaws(wanted, declared, here)
    elif name in ("$in", "$all"):
        for index, item in enumerate(wanted):
            yield from flaws(item, declared, (*here, index))
    elif name == "$type":
        if not declared.permits_type(wanted):
            yield here, _never(f"of the type {wanted}", where)
    elif name == "$prefix" and isinstance(wanted, list):
        yield from _of_list(wanted, declared, here)
    elif name == "$unordered":
        if not declared.permits_type("array"):
            yield here, _never("a list", where)
        elif declared.is_uniform:
            for index, item in enumerate(wanted):
                yield from flaws(item, declared.item(0), (*here, index))
    elif name == "$between" and any(isinstance(one, int | float) for one in wanted):
        if not declared.permits_type("integer"):
            yield here, _never("a number", where)
    elif name == "$error_code":
        if not declared.permits_type("string") and not declared.permits_type("integer"):
            yield here, _never("a string", where)
    elif name in OF_STRINGS and not declared.permits_type("string"):
        yield here, _never("a string", where)


def _of_list(expected: list[Any], declared: Declared, where: Where) -> Iterator[Flaw]:
    if not declared.permits_type("array"):
        yield where, _never("a list", where)
    for index, item in enumerate(expected):
        yield from flaws(item, declared.item(index), (*where, index))


def _of_items(expected: dict[str, Any], declared: Declared, where: Where) -> Iterator[Flaw]:
    """Items of a list by their indices; of an object that may be there instead, nothing is said."""
    if declared.permits_type("object") and declared.names:
        return
    for name, wanted in expected.items():
        yield from flaws(wanted, declared.item(int(name)), (*where, name))


def _of_members(expected: dict[str, Any], declared: Declared, where: Where) -> Iterator[Flaw]:
    if not declared.permits_type("object"):
        yield where, _never("an object", where)
        return
    for name, wanted in expected.items():
        here = (*where, name)
        if name in declared.names or declared.anything:
            yield from flaws(wanted, declared.member(name), here)
        elif not matches(wanted, ABSENT):
            known = f"; known: {', '.join(sorted(declared.names))}"
            yield here, f"the contract has no member {name!r} in {_place(where)}{near(name, declared.names) or known}"


def _never(what: str, where: Where) -> str:
    return f"{_place(where)} is never {what} in a valid message"


def _place(where: Where) -> str:
    names = [str(part) for part in where if not str(part).startswith("$")]
    return f"`{'.'.join(names)}`" if names else "the message"
