"""Selects scenarios by requirement, group, level, tag or id."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from conformance.scenario import Scenario
from contract.requirements import Requirement


class SelectionError(Exception):
    """A selection matches nothing: a run of nothing would be green for no reason."""


def select(
    scenarios: Sequence[Scenario],
    requirements: Mapping[str, Requirement],
    wanted: Sequence[str] = (),
    unwanted: Sequence[str] = (),
) -> tuple[Scenario, ...]:
    """The scenarios that some of `wanted` names (all, where it is empty) and none of `unwanted` does.

    Raises `SelectionError` where a name matches nothing, or nothing is left.
    """
    chosen = _named(scenarios, requirements, wanted) if wanted else {one.id for one in scenarios}
    chosen -= _named(scenarios, requirements, unwanted)
    left = tuple(one for one in scenarios if one.id in chosen)
    if not left:
        raise SelectionError("the selection leaves no scenario")
    return left


def _named(scenarios: Sequence[Scenario], requirements: Mapping[str, Requirement], names: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        hits = {one.id for one in scenarios if _matches(one, requirements, name)}
        if not hits:
            known = {part for one in scenarios for part in (one.id, one.group, *one.verifies, *one.tags)}
            near = get_close_matches(name, sorted(known), n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise SelectionError(f"--select {name}: no scenario has this id, group, requirement, level or tag{hint}")
        found |= hits
    return found


def _matches(scenario: Scenario, requirements: Mapping[str, Requirement], name: str) -> bool:
    if name in (scenario.id, scenario.id.partition("/")[0]) or name in scenario.tags:
        return True
    upper = name.upper()
    if upper == scenario.group or upper in scenario.verifies:
        return True
    return any(one in requirements and requirements[one].has_clause(upper) for one in scenario.verifies)
