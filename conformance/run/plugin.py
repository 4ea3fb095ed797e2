"""The pytest plugin: collects scenario files, plays what is selected at once, and reports each as an item.

A failing MUST fails its item; a SHOULD does under `--wsproof-strict`, and is a warning otherwise. What cannot
be decided is skipped, with its reason.
"""

import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.generated.scenarios import generated_scenarios, origin
from conformance.judge.verdicts import Charged, Rules, ScenarioVerdict, requirement_verdicts, run_verdict
from conformance.language.loading import load_scenarios
from conformance.language.scenario import Scenario
from conformance.language.suite import own_requirements
from conformance.play.plan import Plan
from conformance.run.descriptors import fitted
from conformance.run.run import Run
from conformance.transport.troubles import OwnTroubleError
from contract.errors import ContractError
from contract.escaping import visible
from contract.findings import Phrase, Text, phrase
from contract.formats import SCENARIOS, family
from contract.model import Contract
from contract.requirements import requirements_of

PlanFactory = Callable[[pytest.Config], Plan]


def _shown(text: Text) -> str:
    return visible(str(text))


class ConformanceWarning(UserWarning):
    """A SHOULD that the endpoint does not follow."""


class ScenarioFailedError(Exception):
    """The endpoint broke a requirement."""

    def __init__(self, charged: tuple[Charged, ...]) -> None:
        super().__init__("; ".join(f"{one.requirement}: {_shown(one.failure.message)}" for one in charged))
        self.charged = charged


class ScenarioFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each scenario of the file."""
        scenarios = self.config.stash.get(SELECTION, None)
        if scenarios is None:
            contract = self.config.stash[CONTRACT]
            try:
                if self.path == origin(contract):
                    scenarios = generated_scenarios(contract, requirements_of(contract.folder))
                else:
                    # Not its whole folder: what else lies there may be anything.
                    scenarios = load_scenarios(contract, self.path)
            except ContractError as error:
                raise self.CollectError(str(error)) from None
        register_marks(self.config, scenarios)
        for scenario in scenarios:
            if scenario.path.resolve() == self.path.resolve():
                yield ScenarioItem.from_parent(self, name=scenario.id, scenario=scenario)


def marks(scenario: Scenario) -> list[str]:
    """What its item is marked with: its group (in lower case, too), its tags, and the requirements it verifies."""
    group = scenario.group
    return list(dict.fromkeys(one for one in (group, group.lower(), *scenario.tags, *scenario.verifies) if one))


def register_marks(config: pytest.Config, scenarios: Iterable[Scenario]) -> None:
    """Make the marks of scenarios known to pytest, which refuses others under `--strict-markers`."""
    known = {line.partition(":")[0].strip() for line in config.getini("markers")}
    for name in sorted({mark_name(config, one) for scenario in scenarios for one in marks(scenario)} - known):
        config.addinivalue_line("markers", f"{name}: scenarios of wsproof")


def mark_name(config: pytest.Config, text: str) -> str:
    """A text as the name of a mark that `-m` can ask for, and that does nothing to an item.

    Marks with arguments, such as `skip` and pytest-timeout's `timeout`, do; so an author's tag of that name is another.
    """
    name = re.sub(r"\W", "_", text)
    heads = (line.partition(":")[0] for line in config.getini("markers"))
    taken = {"and", "or", "not", *(head.partition("(")[0] for head in heads if "(" in head)}
    return f"wsproof_{name.strip('_')}" if name.startswith("_") or name in taken else name


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: Scenario, **rest: Any) -> None:
        super().__init__(**rest)
        self.scenario = scenario
        self.verdict: ScenarioVerdict | None = None
        for mark in marks(scenario):
            self.add_marker(getattr(pytest.mark, mark_name(self.config, mark)), append=True)

    def runtest(self) -> None:
        """Wait for the scenario's verdict."""
        player = self.config.stash[PLAYER]
        self.verdict = verdict = player.result(self.scenario)
        outcome = verdict.outcome
        binding = ("MUST", "SHOULD") if player.strict else ("MUST",)
        broken = tuple(one for one in verdict.charged if one.level in binding)
        if broken:
            raise ScenarioFailedError(broken)
        for one in verdict.charged:
            text = f"{one.requirement} ({one.level}): {_shown(one.failure.message)}"
            warnings.warn(ConformanceWarning(text), stacklevel=2)
        if outcome.ending == "unfinished":
            pytest.skip(f"untested: {_shown(outcome.reason or '')}")
        if verdict.verdict == "inconclusive":
            once = "; ".join(str(phrase("seen-once", reason=one.failure.message)) for one in verdict.unconfirmed)
            undecided = outcome.ending == "inconclusive" and outcome.reason
            pytest.skip(f"inconclusive: {_shown(undecided or once)}")
        if outcome.ending == "error":
            raise RuntimeError(_shown(outcome.reason or ""))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What was expected and what came, without a traceback of ours."""
        if not isinstance(excinfo.value, ScenarioFailedError):
            return super().repr_failure(excinfo, style)
        lines = []
        for one in excinfo.value.charged:
            lines.append(f"{one.requirement} ({one.level}) at step {one.failure.step}: {_shown(one.failure.message)}")
            for what, shown in (("expected", one.failure.expected), ("received", one.failure.received)):
                if shown is not None:
                    lines.append(f"  {what}: {_shown(shown)}")
        return "\n".join(lines)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the scenario stands."""
        return self.path, self.scenario.line - 1, self.scenario.id


def _with_own_requirements(plan: Plan, scenarios: Sequence[Scenario]) -> Plan:
    """The plan with the requirements that the scenarios bring. Raises `ContractError`."""
    known = own_requirements(plan.requirements, {one.path for one in scenarios}, scenarios)
    return replace(plan, requirements=known)


class Player:
    """Holds the run: everything selected is played at once, and the items wait for their verdicts."""

    def __init__(
        self,
        plan_of: PlanFactory,
        *,
        strict: bool = False,
        allow_undecided: bool = False,
        contract_of: Callable[[pytest.Config], Contract] | None = None,
        scenarios: Sequence[Scenario] | None = None,
        run: Run | None = None,
    ) -> None:
        """`run` plays `scenarios`, where it is known before pytest collects them; else `contract_of` says what they are
        about."""
        self.contract_of = contract_of
        self.plan_of = plan_of
        self.strict = strict
        self.allow_undecided = allow_undecided
        self.reasons: tuple[Phrase, ...] = ()
        """Why the session fails, where no item does."""
        self.scenarios = scenarios
        self.run = run
        self.finished: Callable[[ScenarioVerdict], None] | None = None

    def pytest_configure(self, config: pytest.Config) -> None:
        """Make the run known to the items, and the selection to the files."""
        config.stash[PLAYER] = self
        config.stash[SELECTION] = self.scenarios
        if self.contract_of is not None:
            config.stash[CONTRACT] = self.contract_of(config)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Start as soon as it is known what is selected."""
        items = [item for item in session.items if isinstance(item, ScenarioItem)]
        if not items or session.config.option.collectonly:
            return
        scenarios = [item.scenario for item in items]
        twice = next((one for one, count in Counter(one.id for one in scenarios).items() if count > 1), None)
        if twice is not None:
            raise pytest.UsageError(f"two files define a scenario {twice!r}")
        if self.run is None:
            try:
                plan = _with_own_requirements(self.plan_of(session.config), scenarios)
                self.run = Run(fitted(plan, scenarios), scenarios)
            except (ContractError, OwnTroubleError) as error:
                raise pytest.UsageError(str(error)) from None
        self.run.start(self.finished)

    def result(self, scenario: Scenario) -> ScenarioVerdict:
        """The verdict of one scenario."""
        assert self.run is not None
        return self.run.result(scenario)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What no item can say of the whole run fails the session: that next to nothing was decided, or an outage."""
        if self.run is None or session.exitstatus != pytest.ExitCode.OK:
            return
        verdicts = self.run.verdicts()
        judged = requirement_verdicts(self.run.plan.requirements, verdicts)
        rules = Rules(self.strict, allow_undecided=self.allow_undecided)
        found = run_verdict(rules, judged, verdicts, complete=self.run.complete, outages=self.run.outages)
        if not found.passed:
            self.reasons = (*(one.message for one in self.run.outages), *found.reasons)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say why."""
        for reason in self.reasons:
            terminalreporter.write_line(f"wsproof: {_shown(reason)}", red=True)

    def pytest_unconfigure(self) -> None:
        """Whatever ended the session ends the run."""
        if self.run is not None:
            self.run.stop()


PLAYER: pytest.StashKey[Player] = pytest.StashKey()
SELECTION: pytest.StashKey[Sequence[Scenario] | None] = pytest.StashKey()
CONTRACT: pytest.StashKey[Contract] = pytest.StashKey()


def _is_asked_for(config: pytest.Config, path: Path) -> bool:
    """Whether a file stands for what the contract gives by itself, and was named: not merely met in a folder."""
    if CONTRACT not in config.stash or path != origin(config.stash[CONTRACT]):
        return False
    named = (config.invocation_params.dir / one.partition("::")[0] for one in config.args)
    return any(one.resolve() == path.resolve() for one in named)


class ScenarioCollector:
    """Collects the scenario files among pytest's arguments."""

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ScenarioFile | None:
        """A YAML file that says that it holds scenarios; whatever its name, where it is known to hold some."""
        scenarios = parent.config.stash.get(SELECTION, None)
        if scenarios is not None:
            known = any(one.path.resolve() == file_path.resolve() for one in scenarios)
            return ScenarioFile.from_parent(parent, path=file_path) if known else None
        if _is_asked_for(parent.config, file_path):
            return ScenarioFile.from_parent(parent, path=file_path)
        if file_path.suffix not in (".yaml", ".yml"):
            return None
        try:
            with file_path.open(encoding="utf-8", errors="replace") as file:
                head = file.read(4_096)
        except OSError:
            return None
        if f"{family(SCENARIOS)}/" not in head:
            return None
        return ScenarioFile.from_parent(parent, path=file_path)
