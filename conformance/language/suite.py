"""A contract's scenarios and a user's own, and the requirements that they verify.

Own requirements stand in a `requirements.yaml` beside the scenarios. An id that is declared nowhere is one as well, as
long as its section is nobody's: `ACME-01`. In a section that is declared it can only be a mistake.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from conformance.language.awaited import Expect, ExpectOne, ExpectRefusal, SendRequest
from conformance.language.loading import REQUIREMENTS, load_scenarios
from conformance.language.scenario import Scenario
from contract.errors import ContractError
from contract.folder import BUNDLED
from contract.model import Contract
from contract.requirements import LEVELS, Clause, Level, Requirement, Section, load_requirements, replaced_by


def contract_scenarios(contract: Contract, *names: str) -> tuple[Scenario, ...]:
    """The scenarios in the folders of these names, the contract's own and those of its packs.

    A pack's are left out that are only there for requirements of the contract's own, which its own scenarios verify.
    """
    scenarios: tuple[Scenario, ...] = ()
    for name in names:
        for folder in contract.folder.whole:
            path = folder.folder(name)
            if path is not None:
                found = load_scenarios(contract, path)
                scenarios = joined(
                    scenarios, found if folder is contract.folder else needed(found, scenarios, contract)
                )
    return scenarios


def needed(found: Iterable[Scenario], own: Iterable[Scenario], contract: Contract) -> Iterator[Scenario]:
    """The scenarios of a pack that are not only there for what the contract's own verify."""
    standing_in = {name for names in replaced_by(contract.folder).values() for name in names}
    verified = standing_in & {name for one in own for name in one.verifies}
    return (one for one in found if not verified.issuperset(one.verifies))


def joined(first: Sequence[Scenario], more: Iterable[Scenario]) -> tuple[Scenario, ...]:
    """Scenarios of several files. Raises `ContractError` where two have the same id, each with all its variants."""
    seen = {family(one): one for one in first}
    added = tuple(more)
    for one in added:
        if family(one) in seen:
            other = seen[family(one)]
            message = f"scenario {family(one)!r} is already defined in {other.path}:{other.line}; use another id"
            if other.path.is_relative_to(BUNDLED):
                message += ", or run only your own scenarios (--only-scenarios)"
            raise ContractError(message, one.path, one.line)
    return (*first, *added)


def family(scenario: Scenario) -> str:
    """The id that stands in the file, without the variant's name."""
    return scenario.id.partition("/")[0]


def own_requirements(
    known: Mapping[str, Requirement], own: Iterable[Path], scenarios: Iterable[Scenario]
) -> Mapping[str, Requirement]:
    """The known requirements, those declared beside own scenarios, and those that scenarios bring undeclared.

    An unknown id in a declared section is none. Raises `ContractError` for a broken file.
    """
    found = dict(known)
    files = (path / REQUIREMENTS if path.is_dir() else path.parent / REQUIREMENTS for path in own)
    for file in dict.fromkeys(one for one in files if one.is_file()):
        found |= load_requirements(file, beside=found)
    sections = {one.section.id for one in found.values()}
    brought: dict[str, tuple[Scenario, set[Level | None]]] = {}
    for scenario in scenarios:
        for name, level in _named(scenario):
            if name not in found and name.partition("-")[0] not in sections:
                brought.setdefault(name, (scenario, set()))[1].add(level)
    return found | {name: _brought(name, *brought[name]) for name in sorted(brought)}


def _named(scenario: Scenario) -> Iterator[tuple[str, Level | None]]:
    """The requirements that a scenario names, and at which level; None: at the requirement's own."""
    steps = [name for step in scenario.steps for name in step.charge.requirements]
    yield from ((name, scenario.level) for name in scenario.verifies if name not in steps)
    for step in scenario.steps:
        deed = step.deed
        charges = [step.charge]
        if isinstance(deed, Expect | SendRequest):
            charges += [check.charge for one in deed.of for check in one.checks]
        elif isinstance(deed, ExpectOne):
            charges += [one.fails.charge for one in deed.of if one.fails]
        elif isinstance(deed, ExpectRefusal):
            yield from ((name, None) for name in deed.graded)
        yield from ((name, each.level or scenario.level) for each in charges for name in each.requirements)


def _brought(name: str, scenario: Scenario, levels: set[Level | None]) -> Requirement:
    """A requirement of which only scenarios speak: the first one's title says what it is about."""
    level = "MUST" if None in levels else min((one for one in levels if one), key=LEVELS.index)
    section = name.partition("-")[0]
    titles = scenario.title, scenario.title_ja or scenario.title
    return Requirement(
        name, level, Section(section, section, section, ""), scenario.path.name, *titles, (Clause(level, *titles),)
    )
