"""What the expectations of a step name: events, members and values that the contract has or lacks."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from conformance.language.deed import names
from conformance.language.satisfiable import Flaw, Where
from conformance.language.satisfiable import flaws as pattern_flaws
from conformance.language.scenario import Written
from contract.choices import CLOSE_CODES
from contract.declared import Declared, path_flaw
from contract.model import Contract
from contract.plain_words import near

Expected = tuple[Where, Mapping[str, Any]]


def expected(step: Written) -> Iterator[Expected]:
    """Every message that a step expects, or expects not to come, with its place in the step."""
    if step.verb in ("expect", "expect_nothing"):
        yield (), step.body
    elif step.verb in ("expect_all", "expect_one"):
        yield from ((("of", index), one) for index, one in enumerate(step.body["of"]))


def events(step: Written) -> Iterator[tuple[Where, str]]:
    """The events that a step expects."""
    yield from (((*where, "event"), one["event"]) for where, one in expected(step) if "event" in one)


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
        name = one.get("event")
        flaw = _event_flaw(name, contract, absent=step.verb == "expect_nothing")
        if flaw is not None:
            yield (*where, "event"), flaw
            continue
        declared = contract.events[name].declared if name is not None else Declared([], contract.registry)
        patterns = [((*where, "match"), one["match"])] if "match" in one else []
        patterns += [((*where, "checks", n, "match"), check["match"]) for n, check in enumerate(one.get("checks", ()))]
        for place, pattern in patterns:
            yield from (((*place, *inner), text) for inner, text in pattern_flaws(pattern, declared))
            yield from _causes(pattern, place, contract.errors.codes)
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


def _event_flaw(name: str | None, contract: Contract, *, absent: bool) -> str | None:
    if name is None:
        return None
    event = contract.events.get(name)
    servers = contract.named("server")
    known = f"; a server sends {', '.join(servers)}"
    if event is None:
        return f"the contract has no event {name!r}{near(name, servers) or known}"
    if not event.from_server and not absent:
        return f"{name!r} is a client event{known}"
    return None


def _causes(pattern: Any, place: Where, known: Collection[str]) -> Iterator[Flaw]:
    """Causes of errors that are misspelt: any code matches a cause that the profile does not have."""
    if isinstance(pattern, Mapping):
        for name, inner in pattern.items():
            if name == "$error_code" and isinstance(inner, str) and inner not in known and near(inner, known):
                yield (*place, name), f"unknown cause {inner!r}{near(inner, known)}"
            yield from _causes(inner, (*place, name), known)
    elif isinstance(pattern, list):
        for index, inner in enumerate(pattern):
            yield from _causes(inner, (*place, index), known)
