"""Selects scenarios by requirement, group, level, tag or id."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from conformance.language.scenario import Scenario
from contract.requirements import LEVELS, Requirement

GENERATED = "generated"
"""The tag of scenarios that are played with generated messages."""


class SelectionError(Exception):
    """A selection matches nothing: a run of nothing would be green for no reason."""


def is_generated(scenario: Scenario) -> bool:
    """Whether a scenario is played with generated messages."""
    return GENERATED in scenario.tags


def select(
    scenarios: Sequence[Scenario],
    requirements: Mapping[str, Requirement],
    wanted: Sequence[str] = (),
    unwanted: Sequence[str] = (),
) -> tuple[Scenario, ...]:
    """The scenarios that some of `wanted` names (all, where it is empty) and none of `unwanted` does.

    Raises `SelectionError` where a name matches nothing, or nothing is left.
    """
    chosen = _named(scenarios, requirements, "--select", wanted) if wanted else {one.id for one in scenarios}
    chosen -= _named(scenarios, requirements, "--deselect", unwanted)
    left = tuple(one for one in scenarios if one.id in chosen)
    if not left:
        options = [f"--select {name}" for name in wanted] + [f"--deselect {name}" for name in unwanted]
        raise SelectionError(f"{' '.join(options)}: no scenarios are selected")
    return left


def _named(
    scenarios: Sequence[Scenario], requirements: Mapping[str, Requirement], option: str, names: Sequence[str]
) -> set[str]:
    found: set[str] = set()
    for name in names:
        hits = {one.id for one in scenarios if _matches(one, requirements, name)}
        if not hits:
            what = "no scenario has this id, group, requirement, level or tag"
            raise SelectionError(f"{option} {name}: {what}{did_you_mean(name, _known(scenarios))}")
        found |= hits
    return found


def _known(scenarios: Sequence[Scenario]) -> set[str]:
    named = {
        part for one in scenarios for part in (one.id, one.id.partition("/")[0], one.group, *one.verifies, *one.tags)
    }
    return {*named, *LEVELS}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The known names that come close to a wrong one, as the end of an error message; empty where none does."""
    spelled = {one.casefold(): one for one in sorted(known)}
    near = [spelled[one] for one in get_close_matches(name.casefold(), sorted(spelled), n=3, cutoff=0.6)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _matches(scenario: Scenario, requirements: Mapping[str, Requirement], name: str) -> bool:
    if name in (scenario.id, scenario.id.partition("/")[0]) or name in scenario.tags:
        return True
    upper = name.upper()
    if upper == scenario.group or upper in scenario.verifies:
        return True
    if scenario.level not in (None, upper):
        return False
    return any(one in requirements and requirements[one].has_clause(upper) for one in scenario.verifies)
