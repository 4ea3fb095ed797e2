"""The bundled chat contract, read once a process: every test module that looks at it asks here."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from conformance.language import loading, soundness
from conformance.language.scenario import Scenario
from conformance.language.suite import contract_scenarios
from conformance.play import record
from conformance.play.record import Conversation, Message
from conformance.run import lint
from conformance.run import suite as suites
from conformance.run.lint import Findings
from conformance.run.suite import Suite
from conformance.transport.exchange import Received
from contract import profile as profiles
from contract import requirements
from contract.choices import Limits
from contract.errors import ContractError
from contract.folder import find_contract
from contract.model import Contract
from contract.model import load_contract as load_contract_of
from contract.profile import Profile
from contract.requirements import Requirement, requirements_of

CHAT = find_contract("chat")
SCENARIO_FILES, THOROUGH, FUZZ, JOURNEYS = (CHAT.path / name for name in ("scenarios", "thorough", "fuzz", "journeys"))


def load_contract(_: None = None, limits: Limits | None = None) -> Contract:
    """The chat's contract."""
    return load_contract_of(CHAT, limits)


def load_profile(
    path: Path | None = None, overrides: Mapping[str, Any] | None = None, *rest: Any, **more: Any
) -> Profile:
    """`contract.profile.load_profile` with the chat's defaults."""
    return profiles.load_profile(path, overrides, *rest, contract=CHAT, **more)


def load_requirements(path: Path | None = None, *rest: Any, **more: Any) -> Mapping[str, Requirement]:
    """The chat's requirements; with `path`, those of a file."""
    return requirements_of(CHAT) if path is None else requirements.load_requirements(path, *rest, **more)


def load_suite(*own: Any, **more: Any) -> Suite:
    """`conformance.run.suite.load_suite` of the chat."""
    return suites.load_suite(load_contract(), *own, **more)


def with_own(scenarios: tuple[Scenario, ...], own: Sequence[Path]) -> Suite:
    """`conformance.run.suite.with_own` of the chat."""
    return suites.with_own(load_contract(), scenarios, own)


def load_scenarios(path: Path | None = None, *more: Any, **rest: Any) -> tuple[Scenario, ...]:
    """The chat's scenarios, its packs' as well; with `path`, those of a file or folder that are about the chat."""
    if path is None:
        return contract_scenarios(load_contract(), loading.SCENARIOS)
    return loading.load_scenarios(load_contract(), path, *more, **rest)


@cache
def bundled(path: Path | None = None, *, journeys: bool = False) -> tuple[Scenario, ...]:
    """Those of `path`, one of the chat's folders; read once."""
    return load_scenarios(path, journeys=journeys)


def read_scenarios(*paths: Path, **rest: Any) -> tuple[Scenario, ...]:
    """`conformance.language.loading.read_scenarios` of files that are about the chat."""
    return loading.read_scenarios(load_contract(), *paths, **rest)


def lint_scenarios(path: Path | None = None) -> Findings:
    """`conformance.run.lint.lint_scenarios` of the chat."""
    return lint.lint_scenarios(load_contract(), path)


def unsound(scenarios: Iterable[Scenario]) -> list[ContractError]:
    """`conformance.language.soundness.unsound` of scenarios that are about the chat."""
    return soundness.unsound(scenarios, load_contract())


def read_message(happening: Received, conversation: Conversation) -> Message:
    """`conformance.play.record.read_message` of the chat's messages."""
    return record.read_message(happening, conversation, load_contract())
