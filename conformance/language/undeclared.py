"""Requirements that scenarios name and nothing declares, each where it is named."""

from collections.abc import Collection, Iterable, Iterator

from conformance.language import expectations
from conformance.language.places import Source, once
from conformance.language.scenario import Scenario, flat
from contract.errors import ContractError
from contract.plain_words import near


def unknown_requirements(scenarios: Iterable[Scenario], known: Collection[str]) -> list[ContractError]:
    """Each place that names a requirement which there is not."""
    return once(error for one in scenarios for error in _unknown_requirements(one, known))


def _unknown_requirements(scenario: Scenario, known: Collection[str]) -> Iterator[ContractError]:
    source = scenario.source
    for number, name in enumerate(scenario.verifies if source is not None else ()):
        if name not in known and source is not None:
            yield source.error(_undeclared(name, known), "verifies", number)
    for step in flat(scenario.steps):
        if step.written is None:
            continue
        for name in {*step.charge.requirements} - {*known}:
            yield _naming(step.written.source).error(_undeclared(name, known), "requirement")
        for path, name in expectations.charged(step.written):
            if name not in known:
                yield step.written.source.error(_undeclared(name, known), step.written.verb, *path)


def _undeclared(name: str, known: Collection[str]) -> str:
    return f"no requirements.yaml declares {name}{near(name, known)}"


def _naming(place: Source) -> Source:
    """What a step is charged to is named by the outermost call that names something; else by the step."""
    naming = place
    while place.call is not None:
        place = place.call
        naming = place if place.names("requirement") else naming
    return naming
