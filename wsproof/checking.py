"""`wsproof check`: pytest plays the scenarios, and the results become a document and its reports."""

import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import click
import pytest

from conformance.loading import BUNDLED, THOROUGH, load_scenarios
from conformance.plugin import Player, ScenarioCollector
from conformance.results import RunFacts, results_document
from conformance.run import DEFAULT_JOBS, THOROUGH_ROUNDS, Plan, Run
from conformance.scenario import Scenario
from conformance.selection import SelectionError, select
from conformance.transport import UnreachableError, resolve
from conformance.verdicts import ScenarioVerdict, requirement_verdicts
from contract.errors import ContractError
from contract.model import load_contract
from contract.profile import Profile
from contract.requirements import load_requirements
from reports.documents import to_json, write_json, write_text
from reports.render import render
from wsproof import __version__
from wsproof.endpoints import EndpointError, endpoint

EXIT_CONFORMANT, EXIT_NON_CONFORMANT, EXIT_USAGE, EXIT_UNREACHABLE, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of `wsproof check`."""

    select: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    scenarios: Path | None = None
    strict: bool = False
    require_complete: bool = False
    jobs: int | None = None
    time_scale: float = 1.0
    thorough: bool = False
    output: Path = Path("wsproof-report")
    json_path: str | None = None


def run_check(url: str | None, profile: Profile, options: CheckOptions) -> int:
    """Check an endpoint, write the reports, and give the exit code back."""
    try:
        requirements = load_requirements()
        loaded = load_scenarios(options.scenarios or BUNDLED, THOROUGH if options.thorough else None)
        scenarios = select(loaded, requirements, options.select, options.deselect)
        with endpoint(url, profile) as address:
            target = resolve(address, verify=profile.tls.verify, ca=profile.tls.ca, timeout=profile.response_timeout)
            contract = load_contract(None, profile.limits)
            jobs = options.jobs or DEFAULT_JOBS
            rounds = THOROUGH_ROUNDS if options.thorough else 1
            plan = Plan(target, contract, profile, requirements, jobs, options.time_scale, rounds)
            return _Check(address, plan, scenarios, options, embedded=url is None).run()
    except (SelectionError, EndpointError, ContractError) as error:
        return _complain(str(error), EXIT_USAGE)
    except UnreachableError as error:
        return _complain(f"the endpoint {url} cannot be reached: {error}", EXIT_UNREACHABLE)
    except ValueError as error:
        return _complain(f"{url}: {error}", EXIT_USAGE)


def _complain(message: str, code: int) -> int:
    click.echo(f"wsproof: {message}", err=True)
    return code


class _Check:
    """One run of the suite."""

    def __init__(
        self, address: str, plan: Plan, scenarios: Sequence[Scenario], options: CheckOptions, *, embedded: bool
    ) -> None:
        self.address = address
        self.embedded = embedded
        self.plan = plan
        self.scenarios = scenarios
        self.options = options
        self.started = datetime.now(UTC)

    def run(self) -> int:
        began = time.monotonic()
        player = Player(lambda _: self.plan, strict=self.options.strict, scenarios=self.scenarios)
        with Progress(len(self.scenarios)) as progress:
            player.finished = progress.finished
            progress.player = player
            code = self._pytest(player)
        if player.run is None:
            return _complain("pytest collected no scenario", EXIT_USAGE)
        document = self._document(player.run, time.monotonic() - began, complete=code != pytest.ExitCode.INTERRUPTED)
        self._write(document)
        return self._exit_code(document, interrupted=code == pytest.ExitCode.INTERRUPTED)

    def _pytest(self, player: Player) -> int:
        # The user's own pytest settings and plugins have no say in a check.
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(name, None)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        files = list(dict.fromkeys(str(one.path.resolve()) for one in self.scenarios))
        quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:logging", "-p", "no:warnings"]
        root = ["-c", os.devnull, "--rootdir", str(Path(files[0]).parent), "--noconftest"]
        return int(pytest.main([*files, *quiet, *root], plugins=[ScenarioCollector(), player]))

    def _document(self, run: Run, duration: float, *, complete: bool) -> dict[str, Any]:
        verdicts = run.done()
        requirements = requirement_verdicts(self.plan.requirements, verdicts)
        facts = RunFacts(
            version=__version__,
            endpoint=self.address,
            started=self.started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            duration=duration,
            strict=self.options.strict,
            complete=complete,
            settings={
                "jobs": self.plan.jobs,
                "time_scale": self.plan.time_scale,
                "rounds": self.plan.rounds,
                "embedded": self.embedded,
                "selection": " ".join(self.options.select) or None,
                "heartbeat_interval_s": self.plan.profile.heartbeat.interval,
                "heartbeat_timeout_s": self.plan.profile.heartbeat.timeout,
            },
        )
        return results_document(facts, self.plan.contract, requirements, verdicts, run.started)

    def _write(self, document: dict[str, Any]) -> None:
        folder = self.options.output
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / "results.json", document)
        write_text(folder / "report.html", render("html", document))
        write_text(folder / "junit.xml", render("junit", document))
        on_stdout = self.options.json_path == "-"
        if on_stdout:
            click.echo(to_json(document), nl=False)
        elif self.options.json_path:
            write_json(Path(self.options.json_path), document)
        show_summary(document, err=on_stdout)
        click.echo(f"{folder / 'report.html'}  {folder / 'junit.xml'}  {folder / 'results.json'}", err=on_stdout)

    def _exit_code(self, document: dict[str, Any], *, interrupted: bool) -> int:
        if interrupted:
            return EXIT_INTERRUPTED
        if any(one["verdict"] == "error" for one in document["scenarios"]):
            return EXIT_USAGE
        if document["verdict"] == "non-conformant":
            return EXIT_NON_CONFORMANT
        if document["verdict"] == "incomplete" and self.options.require_complete:
            return EXIT_NON_CONFORMANT
        return EXIT_CONFORMANT


def show_summary(document: Mapping[str, Any], *, err: bool) -> None:
    """The readable summary, in colour where a person reads it."""
    from reports.text import load_summary, summary

    stream = sys.stderr if err else sys.stdout
    colour = stream.isatty() and "NO_COLOR" not in os.environ
    width = min(os.get_terminal_size(stream.fileno()).columns, 120) if stream.isatty() else 100
    text = (summary if document["format"].startswith("wsproof.results/") else load_summary)(document, colour, width)
    click.echo(text, nl=not text.endswith("\n"), err=err, color=colour)


class Progress:
    """A line on stderr: how many scenarios are finished, and what the others wait for."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.failed = 0
        self.player: Player | None = None
        self._terminal = sys.stderr.isatty()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self._terminal:
            click.echo("\r\x1b[K", nl=False, err=True)

    def finished(self, verdict: ScenarioVerdict) -> None:
        """One more scenario is finished."""
        self.done += 1
        self.failed += verdict.verdict == "failed"

    def _work(self) -> None:
        while not self._over.wait(0.2 if self._terminal else 10):
            line = self._line()
            click.echo(f"\r\x1b[K{line[:100]}" if self._terminal else line, nl=not self._terminal, err=True)

    def _line(self) -> str:
        text = f"{self.done} of {self.total} scenarios finished"
        text += f", {self.failed} failed" if self.failed else ""
        run = self.player.run if self.player else None
        for name, what in sorted((run.waiting() if run else {}).items()):
            if what:
                return f"{text}; {name} waits for {what}"
        return text
