"""`wsproof lint` of a contract folder: mistakes, notes on its document, and what is only observed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conformance.language.expectations import declared_of
from conformance.language.satisfiable import flaws
from conformance.run.lint import Findings, lint_scenarios, problem_count
from contract.errors import ContractError
from contract.folder import ASYNCAPI, CONTRACT, ContractFolder
from contract.mistakes import Mistake, Where, mistake, refuse
from contract.model import Contract, load_contract
from contract.observed import indistinct, observations
from contract.profile import load_profile
from contract.role_lookup import name_of


def lint_contract(find: Callable[[], ContractFolder]) -> Findings:
    """Read the contract that `find` finds, its profile.yaml and its scenarios. Never raises for their content."""
    try:
        folder = find()
        contract = load_contract(folder)
        if folder.document is not None:
            refuse(folder.document, _unmatchable(contract, folder.document.value))
        load_profile(contract=folder, run_commands=False)
    except ContractError as error:
        return Findings(error.lines, problem_count(len(error.lines)))
    found = lint_scenarios(contract)
    notes = (*map(str, contract.notes), *indistinct(contract), *observations(contract))
    return Findings(found.problems, found.summary, notes)


def is_contract(path: Path) -> bool:
    """Whether a path is a contract's folder, its contract.yaml or its AsyncAPI document."""
    if path.is_dir():
        return any((path / name).is_file() for name in (CONTRACT, *ASYNCAPI))
    return path.name in (CONTRACT, *ASYNCAPI)


def _unmatchable(contract: Contract, value: Any) -> Iterator[Mistake]:
    """What of a `match` no valid message can be."""
    for where, one in _awaited(value):
        name = name_of(one)
        if name in contract.events and isinstance(one, dict) and "match" in one:
            place: Where = (*where, "match")
            found = flaws(one["match"], declared_of(contract, name))
            yield from (mistake((*place, *at), text, place) for at, text in found)


def _awaited(value: Any) -> Iterator[tuple[Where, Any]]:
    """The messages that a contract awaits."""
    if "acknowledgement" in value:
        yield ("acknowledgement", "expect"), value["acknowledgement"]["expect"]
    for index, one in enumerate(value.get("heartbeats", ())):
        yield from ((("heartbeats", index, name), one[name]) for name in ("ping", "answer") if name in one)
    for index, one in enumerate(value.get("requests", ())):
        if "cancel" in one:
            yield ("requests", index, "cancel"), one["cancel"]
    for index, one in enumerate((value.get("probe") or {}).get("expect", ())):
        yield ("probe", "expect", index), one
