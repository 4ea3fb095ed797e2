"""What a run can choose from: all scenarios, and the requirements that they verify."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.generated.scenarios import generated_scenarios
from conformance.language.loading import FUZZ, SCENARIOS, THOROUGH, load_scenarios
from conformance.language.scenario import Scenario
from conformance.language.suite import contract_scenarios, joined, own_requirements
from conformance.language.undeclared import unknown_requirements
from contract.errors import together
from contract.model import Contract
from contract.requirements import Requirement, requirements_of


@dataclass(frozen=True, slots=True)
class Suite:
    """Scenarios, and all requirements by id: the contract's first."""

    requirements: Mapping[str, Requirement]
    scenarios: tuple[Scenario, ...]


def load_suite(
    contract: Contract,
    own: Sequence[Path] = (),
    *,
    bundled: bool = True,
    thorough: bool = False,
    fuzz: bool = False,
) -> Suite:
    """The contract's scenarios, those that it gives by itself, and those of the files and folders `own`; without
    `bundled`, those alone.

    Raises `ContractError` where a file is broken, or an id stands in two of them.
    """
    wanted = [name for name, is_wanted in ((SCENARIOS, bundled), (THOROUGH, bundled and thorough)) if is_wanted]
    scenarios = contract_scenarios(contract, *wanted, *([FUZZ] if fuzz else ()))
    if bundled:
        scenarios = joined(scenarios, generated_scenarios(contract, requirements_of(contract.folder)))
    return with_own(contract, scenarios, own)


def with_own(contract: Contract, scenarios: tuple[Scenario, ...], own: Sequence[Path]) -> Suite:
    """Scenarios that are read already, and those of the files and folders `own`. Raises as `load_suite` does."""
    read = {one.path.resolve() for one in scenarios}
    for path in own:
        found = [one for one in load_scenarios(contract, path) if one.path.resolve() not in read]
        scenarios = joined(scenarios, found)
        read |= {one.path.resolve() for one in found}
    requirements = own_requirements(requirements_of(contract.folder), own, scenarios)
    unknown = unknown_requirements(scenarios, requirements)
    if unknown:
        raise together(unknown)
    return Suite(requirements, scenarios)
