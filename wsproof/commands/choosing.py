"""What a check is about: the scenarios that its options choose, and the failures that are expected of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from conformance.judge.baseline import BaselineEntry, for_selection, load_baseline
from conformance.judge.baseline_update import Former, former
from conformance.language.scenario import Scenario
from conformance.language.selection import SelectionError, is_generated, select
from conformance.run.suite import Suite, load_suite
from contract.model import Contract
from contract.requirements import LEVELS, Level
from reports.shared.documents import write_text
from wsproof.commands.check_options import CheckOptions
from wsproof.exit_codes import ExitCode
from wsproof.output.files import prepare_file, prepare_stdout, write_stdout


@dataclass(frozen=True, slots=True)
class Chosen:
    """All that there is, and the scenarios that are to be played."""

    contract: Contract
    suite: Suite
    scenarios: tuple[Scenario, ...]

    def level(self, scenario: Scenario) -> Level:
        """The level that a scenario decides: its own, or the highest of what it verifies."""
        known = self.suite.requirements
        levels = {known[name].level for name in scenario.verifies if name in known}
        own: set[Level] = {one for one in LEVELS if one == scenario.level}
        return min(own or levels or {LEVELS[0]}, key=LEVELS.index)


def choose(contract: Contract, options: CheckOptions) -> Chosen:
    """The scenarios of the options. Raises `ContractError` and `SelectionError`."""
    own = options.only_scenarios or options.scenarios
    bundled = not options.only_scenarios
    suite = load_suite(contract, own, bundled=bundled, thorough=options.thorough, fuzz=bool(options.fuzz))
    if not suite.scenarios:
        raise SelectionError(f"the contract {contract.folder.name} has no scenarios: give some with --scenarios")
    scenarios = select(suite.scenarios, suite.requirements, options.select, options.deselect)
    if options.fuzz and not any(map(is_generated, scenarios)):
        raise SelectionError("--fuzz: the selection leaves no messages to generate")
    return Chosen(contract, suite, scenarios)


def expected_failures(path: Path, options: CheckOptions, chosen: Chosen) -> tuple[BaselineEntry, ...]:
    """The entries of a baseline, each told whether this run plays all that concerns it. Raises `ContractError`."""
    requirements = chosen.suite.requirements
    # A file may serve thorough runs, and those with generated messages, as well.
    every = (
        chosen.suite
        if options.only_scenarios
        else load_suite(chosen.contract, options.scenarios, thorough=True, fuzz=True)
    )
    entries = load_baseline(path, requirements, every.scenarios)
    return for_selection(entries, chosen.suite.scenarios, chosen.scenarios, requirements)


def former_baseline(options: CheckOptions, chosen: Chosen, baseline: Iterable[BaselineEntry]) -> Former:
    """What `--write-baseline` begins with: its own file, else that of `--baseline`. Raises `ContractError`."""
    path = options.write_baseline
    if path is None or not path.is_file():
        return Former() if options.baseline is None else former(options.baseline, baseline)
    return former(path, expected_failures(path, options, chosen), baseline)


def list_scenarios(contract: Contract, options: CheckOptions) -> int:
    """Print the chosen scenarios, a line or a JSON object each. Raises as `choose` does, and `OutputError`."""
    chosen = choose(contract, options)
    if options.json_path is None:
        rows = [(one.id, chosen.level(one), one.group, ", ".join(one.verifies)) for one in chosen.scenarios]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            click.echo("  ".join([*(part.ljust(width) for part, width in zip(row, widths, strict=False)), row[3]]))
    else:
        _write_list(options.json_path, [_listed(one, chosen) for one in chosen.scenarios])
    count = len(chosen.scenarios)
    click.echo(f"{count} scenario{'' if count == 1 else 's'}", err=True)
    return ExitCode.PASSED


def _listed(one: Scenario, chosen: Chosen) -> dict[str, Any]:
    members = ("id", "title", "title_ja", "group", "verifies", "tags", "needs")
    return {**{name: getattr(one, name) for name in members}, "level": chosen.level(one)}


def _write_list(file: str, scenarios: list[dict[str, Any]]) -> None:
    text = json.dumps({"scenarios": scenarios}, ensure_ascii=False, indent=2) + "\n"
    if file == "-":
        prepare_stdout()
        write_stdout(text)
    else:
        prepare_file(Path(file), "--json")
        write_text(Path(file), text)
