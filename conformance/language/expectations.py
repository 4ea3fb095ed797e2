"""What the expectations of a step name: events, members and values that the contract has or lacks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from conformance.language.deed import event_of, names
from conformance.language.satisfiable import Flaw, Where
from conformance.language.satisfiable import flaws as pattern_flaws
from conformance.language.scenario import Written
from contract.choices import CLOSE_CODES
from contract.declared import Declared, path_flaw
from contract.model import Contract
from contract.paths import by_index
from contract.plain_words import near

Expected = tuple[Where, Mapping[str, Any]]


def expected(step: Written) -> Iterator[Expected]:
    """Every message that a step expects, or expects not to come, with its place in the step."""
    if step.verb in ("expect", "expect_nothing"):
        yield (), step.body
    elif step.verb == "request":
        yield from replies(step.body)
    elif step.verb in ("expect_all", "expect_one"):
        yield from ((("of", index), one) for index, one in enumerate(step.body["of"]))


def replies(body: Mapping[str, Any]) -> Iterator[Expected]:
    """The replies that a request names, each with its place in the step."""
    found = body.get("reply", ())
    if isinstance(found, Mapping):
        yield ("reply",), found
    else:
        yield from ((("reply", index), one) for index, one in enumerate(found))


def is_message(one: Mapping[str, Any]) -> bool:
    """Whether what is expected is a message, and no end of the connection."""
    return any(member in one for member in ("event", "name", "match"))


def events(step: Written) -> Iterator[tuple[Where, str]]:
    """The names of the messages that a step expects."""
    for where, one in expected(step):
        yield from (((*where, member), one[member]) for member in ("event", "name") if member in one)


def captures(step: Written) -> Iterator[Mapping[str, str]]:
    """What a step captures."""
    yield from (one["capture"] for _, one in expected(step) if "capture" in one)


def charged(step: Written) -> Iterator[tuple[Where, str]]:
    """The requirements that graded parts of a step name."""
    for where, one in expected(step):
        for number, check in enumerate(one.get("checks", ())):
            yield from (((*where, "checks", number, "requirement"), name) for name in names(check["requirement"]))
        if "fails" in one:
            yield from (((*where, "fails", "requirement"), name) for name in names(one["fails"]["requirement"]))
    if "graded" in step.body:
        yield from ((("graded",), name) for name in names(step.body["graded"]))


def flaws(step: Written, contract: Contract) -> Iterator[Flaw]:
    """What of a step's expectations no valid message can be."""
    for where, one in expected(step):
        name = event_of(one)
        if "name" in one and "event" in one:
            yield (*where, "name"), "name and event mean the same; write one of them"
            continue
        flaw = _event_flaw(name, contract, absent=step.verb == "expect_nothing")
        if flaw is not None:
            yield (*where, "name" if "name" in one else "event"), flaw
            continue
        if name is None and "match" in one:
            # What must not come may be a client's message that comes back.
            names = sorted(contract.events) if step.verb == "expect_nothing" else contract.named("server")
            yield from _unnamed_flaws(one["match"], (*where, "match"), contract, names)
        declared = declared_of(contract, name)
        patterns = [((*where, "match"), one["match"])] if "match" in one else []
        patterns += [((*where, "checks", n, "match"), check["match"]) for n, check in enumerate(one.get("checks", ()))]
        for place, pattern in patterns:
            yield from (((*place, *inner), text) for inner, text in pattern_flaws(pattern, declared))
            yield from _named(pattern, place, contract)
        if one.get("optional") and one.get("capture"):
            yield (*where, "capture"), "an optional message may not come; nothing of it can be captured"
        for captured, path in one.get("capture", {}).items():
            lost = path_flaw(path, declared)
            if lost is not None:
                yield (*where, "capture", captured), lost
    known = {*CLOSE_CODES, *contract.roles.close_codes}
    for place, code in _close_codes(step):
        if isinstance(code, str) and code not in known:
            meant = near(code, known) or f"; known: {', '.join(sorted(known))}"
            yield place, f"unknown close code {code!r}{meant}"


def _close_codes(step: Written) -> Iterator[tuple[Where, int | str]]:
    """The close codes that a step names."""
    yield from ((("codes", index), code) for index, code in enumerate(step.body.get("codes", ())))
    for where, one in expected(step):
        yield from (((*where, "close", index), code) for index, code in enumerate(one.get("close", ())))


def declared_of(contract: Contract, name: str | None) -> Declared:
    """What the contract declares of a whole message; nothing where it has no name, or there is no document."""
    parts = {one.at for one in contract.roles.messages.payload}
    if name is None or not contract.events or len(parts) > 1:
        return Declared([], contract.registry)
    event = contract.events[name]
    if not parts:
        return event.declared
    return Declared([_around(parts.pop(), event.message.schema)], contract.registry)


def _around(path: str, schema: Any) -> Any:
    """The schema of a message that has what a schema describes at a path, and anything else."""
    if not path:
        return schema
    name, _, rest = path.partition(".")
    inner = _around(rest, schema)
    if by_index([name]):
        index = int(name)
        return {"type": "array", "prefixItems": [{}] * index + [inner]} if index >= 0 else {"type": "array"}
    return {"type": "object", "properties": {name: inner}, "additionalProperties": True}


def _unnamed_flaws(pattern: Any, where: Where, contract: Contract, names: Iterable[str]) -> Iterator[Flaw]:
    """What none of the messages of these names can be, if there are any: a flaw of that which comes closest."""
    if any(pattern_flaws(pattern, declared_of(contract, None))):
        return  # no message of any contract can be this
    found = [[*pattern_flaws(pattern, declared_of(contract, name))] for name in names]
    if found and all(found):
        where_, text = min(found, key=len)[0]
        yield (*where, *where_), f"no message of the server matches: {text}"


def _event_flaw(name: str | None, contract: Contract, *, absent: bool) -> str | None:
    if name is None or not contract.events:
        return None
    event = contract.events.get(name)
    servers = contract.named("server")
    known = f"; a server sends {', '.join(servers)}"
    if event is None:
        return f"the contract has no event {name!r}{near(name, servers) or known}"
    if not event.from_server and not absent:
        return f"{name!r} is a client event{known}"
    return None


def _named(pattern: Any, place: Where, contract: Contract) -> Iterator[Flaw]:
    """Names that operators hold and the contract does not have: causes of errors that are misspelt (any code matches a
    cause that the profile does not have), and schemas."""
    if isinstance(pattern, Mapping):
        for name, inner in pattern.items():
            if isinstance(inner, str) and "${" not in inner:
                flaw = _name_flaw(name, inner, contract)
                if flaw is not None:
                    yield (*place, name), flaw
            yield from _named(inner, (*place, name), contract)
    elif isinstance(pattern, list):
        for index, inner in enumerate(pattern):
            yield from _named(inner, (*place, index), contract)


def _name_flaw(operator: str, name: str, contract: Contract) -> str | None:
    causes = contract.errors.codes
    if operator == "$error_code" and name not in causes and near(name, causes):
        return f"unknown cause {name!r}{near(name, causes)}"
    if operator == "$schema" and not contract.has_schema(name):
        known = (*contract.schemas, *contract.events)
        return f"the contract has no schema {name!r}{near(name, known) or '; known: ' + ', '.join(sorted(known))}"
    return None
