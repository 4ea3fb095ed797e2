"""`wsproof lint`: all that is wrong with scenarios, and the requirements that nothing decides or verifies."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.generated.scenarios import generated_scenarios
from conformance.judge.verdicts import CLIENT_SECTION
from conformance.language.awaited import Expect, ExpectClose, ExpectOne, ExpectRefusal, SendRequest
from conformance.language.loading import OF_JOURNEYS, SCENARIOS, THOROUGH, read_scenarios, scenario_files
from conformance.language.scenario import Scenario, decided
from conformance.language.soundness import unsound
from conformance.language.suite import needed, own_requirements
from conformance.language.undeclared import unknown_requirements
from conformance.play.charges import charge_of
from conformance.play.endings import CLOSE_CAUSE
from contract.errors import ContractError
from contract.files import load_yaml
from contract.model import Contract
from contract.requirements import Requirement, load_requirements, requirements_of


@dataclass(frozen=True, slots=True)
class Findings:
    """What is wrong, one line each, and a summary; `notes` are worth knowing, and no problems."""

    problems: tuple[str, ...]
    summary: str
    notes: tuple[str, ...] = ()


def lint_scenarios(contract: Contract, path: Path | None = None) -> Findings:
    """Read scenarios, the contract's or those of `path`, and look for what could never be right.

    Never raises for their content.
    """
    try:
        requirements = requirements_of(contract.folder)
        bundled = path is None or path.resolve() == (contract.folder.path / SCENARIOS).resolve()
        journeys = _are_journeys(path)
        scenarios = _contract_scenarios(contract) if bundled else ()
        if path is not None and not bundled:
            scenarios = read_scenarios(contract, path, journeys=journeys)
        requirements = own_requirements(requirements, [path] if path is not None else [], scenarios)
    except ContractError as error:
        return Findings(error.lines, problem_count(len(error.lines)))
    found = (*unsound(scenarios, contract), *unknown_requirements(scenarios, requirements))
    problems = [line for error in found for line in error.lines]
    if not journeys:
        problems += _undecided(scenarios, requirements)
    if bundled:
        problems += _unverified(scenarios, requirements, contract)
    server = [one for one in requirements.values() if one.section.id != CLIENT_SECTION]
    verified = {name for one in scenarios for name in one.verifies} & {one.id for one in server}
    scenarios_verify = "1 scenario verifies" if len(scenarios) == 1 else f"{len(scenarios)} scenarios verify"
    counts = f"{scenarios_verify} {len(verified)} of {len(server)} requirements of a server"
    return Findings(tuple(problems), f"{counts}; {problem_count(len(problems))}")


def _contract_scenarios(contract: Contract) -> tuple[Scenario, ...]:
    """Those of the contract and its packs, the long ones as well, and those that it gives by itself."""
    written: tuple[Scenario, ...] = ()
    for folder in contract.folder.whole:
        paths = [path for name in (SCENARIOS, THOROUGH) if (path := folder.folder(name)) is not None]
        found = [one for path in paths for one in read_scenarios(contract, path)]
        written += tuple(found if folder is contract.folder else needed(found, written, contract))
    return (*written, *generated_scenarios(contract, requirements_of(contract.folder)))


def problem_count(count: int) -> str:
    """How many problems there are, in words."""
    return f"{count} problem{'' if count == 1 else 's'}"


def _are_journeys(path: Path | None) -> bool:
    """Whether the scenarios of a file or folder verify nothing, and have steps that only journeys have."""
    files = scenario_files(path) if path is not None else []
    scenarios = [one for file in files for one in load_yaml(file).value.get("scenarios") or ()]
    verbs = {verb for one in scenarios for step in one.get("steps") or () for verb in step}
    return not any("verifies" in one for one in scenarios) and bool(verbs & {*OF_JOURNEYS})


def deciding(scenario: Scenario, requirements: Mapping[str, Requirement]) -> set[str]:
    """The requirements that some step of a scenario decides, by itself or in a graded part."""
    found: set[str] = set()
    for step in scenario.steps:
        deed = step.deed
        found |= {name for name, _ in decided(step, scenario)}
        if isinstance(deed, Expect | SendRequest):
            found |= {name for one in deed.of for check in one.checks for name in check.charge.requirements}
        elif isinstance(deed, ExpectOne):
            found |= {name for one in deed.of if one.fails for name in one.fails.charge.requirements}
        elif isinstance(deed, ExpectRefusal):
            found |= {*deed.graded}
        elif isinstance(deed, ExpectClose):
            charge = charge_of(requirements, CLOSE_CAUSE)
            found |= {*charge.requirements} if charge is not None else set()
    return found


def _undecided(scenarios: tuple[Scenario, ...], requirements: Mapping[str, Requirement]) -> Iterator[str]:
    for one in scenarios:
        place = f"{one.path}:{one.line}"
        if one.source is None:
            continue  # nobody wrote it
        if not one.verifies:
            yield f"{place}: scenario {one.id} verifies nothing; name the requirements in `verifies`"
        known = deciding(one, requirements) | {name for name, each in requirements.items() if each.checked}
        for name in sorted({*one.verifies} & set(requirements) - known):
            yield f"{place}: scenario {one.id} verifies {name}, but no step of it decides that; name it at a step"


def _unverified(
    scenarios: tuple[Scenario, ...], requirements: Mapping[str, Requirement], contract: Contract
) -> Iterator[str]:
    verified = {name for one in scenarios for name in one.verifies}
    verified |= {one.id for one in requirements.values() if one.checked}
    if not contract.folder.is_bundled:
        # What a pack promises beside, it is the pack's matter to verify.
        own = contract.folder.requirements
        requirements = load_requirements(own) if own.is_file() else {}
    for requirement in requirements.values():
        if requirement.section.id != CLIENT_SECTION and requirement.id not in verified:
            name = f"{requirement.id} ({requirement.level})"
            yield f"{contract.folder.requirements}: {name} is not verified by any scenario"
