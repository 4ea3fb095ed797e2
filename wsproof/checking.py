"""`wsproof check`: pytest plays the scenarios, and the results become a document and its reports."""

import os
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from conformance.baseline import BaselineEntry, baseline_text, for_selection, load_baseline
from conformance.descriptors import fitted
from conformance.hints import hints
from conformance.loading import BUNDLED, FUZZ, THOROUGH, load_scenarios
from conformance.pace import Status
from conformance.plan import DEFAULT_JOBS, Plan
from conformance.plugin import ConformanceWarning, Player, ScenarioCollector
from conformance.results import RunFacts, baseline_of, results_document
from conformance.run import THOROUGH_ROUNDS, Run
from conformance.scenario import Scenario
from conformance.selection import SelectionError, select
from conformance.stream import StreamWriter, read_stream
from conformance.transport import Target, UnreachableError, resolve
from conformance.troubles import OwnTroubleError, fault
from conformance.verdicts import ScenarioVerdict
from contract.errors import ContractError
from contract.escaping import visible
from contract.findings import Phrase
from contract.formats import RESULTS
from contract.model import load_contract
from contract.profile import Profile
from contract.redaction import Redactor
from contract.requirements import Requirement, load_requirements
from reports.documents import write_text
from wsproof import __version__
from wsproof.endpoints import EndpointError, endpoint
from wsproof.exit_codes import ExitCode
from wsproof.formats import Wanted, forget_former, print_wanted, wanted_reports, writers
from wsproof.interruption import Interruption
from wsproof.options import shown_changes
from wsproof.output import OutputError, prepare_file, prepare_folder, write_all
from wsproof.progress import Progress
from wsproof.summaries import show_summary

if TYPE_CHECKING:
    from conformance.fuzz.driver import Fuzz


REPORTS = ("html", "junit", "json")
"""The reports of every check."""
NOTICE = "wsproof: interrupted; connections are closed and the reports written. Once more ends it at once."


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of `wsproof check`."""

    select: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    scenarios: Path | None = None
    profile: Path | None = None
    changes: tuple[str, ...] = ()
    """The profile's file, and what `--set` changed, for whoever repeats the run."""
    strict: bool = False
    require_complete: bool = False
    allow_undecided: bool = False
    baseline: Path | None = None
    write_baseline: Path | None = None
    jobs: int | None = None
    time_scale: float = 1.0
    thorough: bool = False
    fuzz: int | None = None
    seed: int = 0
    output: Path = Path("wsproof-report")
    formats: tuple[str, ...] = ()
    json_path: str | None = None
    quiet: bool = False
    language: str = "en"


def run_check(url: str | None, profile: Profile, options: CheckOptions) -> int:
    """Check an endpoint, write the reports, and give the exit code back."""
    try:
        requirements = load_requirements()
        known = load_scenarios(options.scenarios or BUNDLED, THOROUGH if options.thorough else None)
        known += load_scenarios(FUZZ) if options.fuzz else ()
        scenarios = select(known, requirements, options.select, options.deselect)
        if options.fuzz and all(one.path.parent != FUZZ for one in scenarios):
            raise SelectionError("--fuzz: the selection leaves no kind of messages to generate")
        baseline = _baseline(options, known, scenarios, requirements)
        wanted = _prepare(options)
        with endpoint(url, profile) as address:
            target = resolve(address, verify=profile.tls.verify, ca=profile.tls.ca, timeout=profile.response_timeout)
            plan = _plan(target, profile, requirements, scenarios, options, embedded=url is None)
            return _Check(address, plan, scenarios, options, baseline, wanted, embedded=url is None).run()
    except (SelectionError, EndpointError, ContractError, OutputError, OwnTroubleError) as error:
        return _complain(str(error), ExitCode.USAGE)
    except UnreachableError as error:
        return _complain(f"the endpoint {url} cannot be reached: {error}", ExitCode.UNREACHABLE)
    except ValueError as error:
        return _complain(f"{url}: {error}", ExitCode.USAGE)


def _plan(
    target: Target,
    profile: Profile,
    requirements: Mapping[str, Requirement],
    scenarios: Sequence[Scenario],
    options: CheckOptions,
    *,
    embedded: bool,
) -> Plan:
    """What the run is made of, with as many jobs as file descriptors are enough for. Raises `OwnTroubleError`."""
    contract = load_contract(None, profile.limits)
    jobs = options.jobs or DEFAULT_JOBS
    rounds = THOROUGH_ROUNDS if options.thorough else 1
    plan = Plan(target, contract, profile, requirements, jobs, options.time_scale, rounds)
    fitting = fitted(plan, scenarios, embedded=embedded)
    if fitting.jobs < jobs and not options.quiet:
        why = "the limit of file descriptors (ulimit -n) allows no more"
        click.echo(f"wsproof: {fitting.jobs} scenarios at once, not {jobs}: {why}", err=True)
    return fitting


def _complain(message: str, code: int) -> int:
    click.echo(f"wsproof: {message}", err=True)
    return code


def _baseline(
    options: CheckOptions,
    known: Sequence[Scenario],
    scenarios: Sequence[Scenario],
    requirements: Mapping[str, Requirement],
) -> tuple[BaselineEntry, ...] | None:
    if options.baseline is None:
        return None
    # A file may serve thorough runs, and those with generated messages, as well.
    listable = known if options.scenarios else (*load_scenarios(BUNDLED, THOROUGH), *load_scenarios(FUZZ))
    return for_selection(load_baseline(options.baseline, requirements, listable), known, scenarios, requirements)


def _prepare(options: CheckOptions) -> tuple[Wanted, ...]:
    """What cannot be written is said before the run, and not after it; the reports that are wanted."""
    prepare_folder(options.output)
    if options.write_baseline is not None:
        prepare_file(options.write_baseline, "--write-baseline")
    return wanted_reports(REPORTS, options.formats, options.json_path, options.output, RESULTS)


def _generated(plan: Plan, scenarios: Sequence[Scenario], options: CheckOptions) -> "Fuzz | None":
    """The run of generated messages, where one is wanted."""
    if options.fuzz is None:
        return None
    # Hypothesis takes its time to load.
    from conformance.fuzz.driver import Fuzz, FuzzOptions

    kinds = [one for one in scenarios if one.path.parent == FUZZ]
    return Fuzz(plan, kinds, FuzzOptions(options.fuzz, options.seed))


class _Check:
    """One run of the suite."""

    def __init__(
        self,
        address: str,
        plan: Plan,
        scenarios: Sequence[Scenario],
        options: CheckOptions,
        baseline: tuple[BaselineEntry, ...] | None,
        wanted: tuple[Wanted, ...],
        *,
        embedded: bool,
    ) -> None:
        self.plan = plan
        self.wanted = wanted
        self.fuzz = _generated(plan, scenarios, options)
        self.scenarios = [one for one in scenarios if one.path.parent != FUZZ]
        self.options = options
        self.began = time.monotonic()
        self.facts = RunFacts(
            version=__version__,
            endpoint=address,
            contract=(plan.contract.title, plan.contract.version),
            started=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            duration=0.0,
            strict=options.strict,
            require_complete=options.require_complete,
            allow_undecided=options.allow_undecided,
            baseline=baseline,
            settings=_settings(plan, options, embedded=embedded),
        )
        # Before pytest collects anything: a signal may come at any time.
        self.played = Run(plan, self.scenarios)
        self.player = Player(lambda _: plan, strict=options.strict, scenarios=self.scenarios, run=self.played)

    def run(self) -> int:
        folder = self.options.output
        forget_former(self.wanted)
        with Interruption(self._interrupt, "" if self.options.quiet else NOTICE) as interruption:
            try:
                kinds = self.fuzz.scenarios if self.fuzz is not None else ()
                scenarios = [*self.scenarios, *kinds]
                stream = StreamWriter(folder / "results.jsonl", self.facts, self.plan.requirements, scenarios)
            except OSError as error:
                raise OutputError(f"{error.filename} cannot be written: {error.strerror}") from None
            document, problems = self._played(stream)
            if stream.error is not None:
                problems.append(f"{folder / 'results.jsonl'} cannot be written: {stream.error.strerror}")
            problems += self._write(document)
            for problem in problems:
                _complain(problem, ExitCode.USAGE)
            code = ExitCode.USAGE if problems else _exit_code(document)
        return ExitCode.INTERRUPTED if interruption.happened else code

    def _interrupt(self) -> None:
        """A signal came."""
        if self.fuzz is not None:
            self.fuzz.interrupt()
        self.played.interrupt()

    def _played(self, stream: StreamWriter) -> tuple[dict[str, Any], list[str]]:
        """The document, and what kept it from being whole: a fault of ours leaves what was found until then."""
        try:
            document = self._play(stream)
        except Exception as error:
            if os.environ.get("WSPROOF_TRACE"):
                raise
            self._interrupt()
            stream.abandon()
            return read_stream(stream.path), [self._said(fault(error))]
        return document, [] if self.played.fault is None else [self._said(self.played.fault)]

    def _said(self, own: Phrase) -> str:
        """A fault for people; an exception may quote anything."""
        return visible(Redactor(self.plan.profile.secrets()).redact(str(own)))

    def _play(self, stream: StreamWriter) -> dict[str, Any]:
        run = self.played

        def finished(verdict: ScenarioVerdict) -> None:
            stream.scenario(verdict, run.started)

        self.player.finished = finished
        kinds = self.fuzz.scenarios if self.fuzz is not None else ()
        progress = Progress(len(self.scenarios) + len(kinds), self._status, quiet=self.options.quiet)
        with progress:
            if self.scenarios:
                self._pytest()
            verdicts = run.verdicts()
            complete = run.complete or not self.scenarios
            if self.fuzz is not None:
                verdicts = self.fuzz.join(verdicts, lambda one: stream.scenario(one, run.started))
                complete = complete and self.fuzz.complete
        for verdict in verdicts:
            stream.scenario(verdict, run.started)
        duration = time.monotonic() - self.began
        suspected = hints(verdicts, self.plan.contract, self.plan.profile, secure=self.plan.target.tls is not None)
        facts = replace(self.facts, duration=duration, complete=complete, outages=run.outages, hints=tuple(suspected))
        stream.close(facts)
        return results_document(facts, self.plan.requirements, verdicts, run.started)

    def _status(self) -> Status:
        status = self.played.status()
        if self.fuzz is not None and self.fuzz.began:
            return self.fuzz.status(len(self.scenarios), status.failed)
        return status

    def _pytest(self) -> None:
        # The user's own pytest settings and plugins have no say in a check.
        for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS"):
            os.environ.pop(name, None)
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        files = list(dict.fromkeys(str(one.path.resolve()) for one in self.scenarios))
        # Captured output would be the progress.
        quiet = ["--capture=no", *(f"-pno:{name}" for name in ("terminal", "cacheprovider", "logging", "warnings"))]
        root = ["-c", os.devnull, "--rootdir", str(Path(files[0]).parent), "--noconftest"]
        with warnings.catch_warnings():
            # They stand in the summary.
            warnings.simplefilter("ignore", ConformanceWarning)
            code = pytest.main([*files, *quiet, *root], plugins=[ScenarioCollector(), self.player])
        if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
            raise RuntimeError("pytest could not play the scenarios")

    def _write(self, document: dict[str, Any]) -> list[str]:
        """Write the reports and show the summary; what could not be written."""
        options = self.options
        reports = writers(self.wanted, document, options.language)
        if options.write_baseline is not None and document["complete"]:
            text = baseline_text(baseline_of(document, self.facts.rules))
            reports.append((options.write_baseline, lambda path: write_text(path, text)))
        written, problems = write_all(reports)
        on_stdout = print_wanted(self.wanted, document, options.language)
        show_summary(document, options.language, err=on_stdout)
        click.echo("  ".join(str(path) for path in written), err=on_stdout)
        return problems


def _settings(plan: Plan, options: CheckOptions, *, embedded: bool) -> dict[str, Any]:
    return {
        "jobs": plan.jobs,
        "time_scale": plan.time_scale,
        "rounds": plan.rounds,
        "embedded": embedded,
        "profile": str(options.profile) if options.profile is not None else None,
        "set": shown_changes(options.changes, plan.profile.secrets()),
        "scenarios": str(options.scenarios) if options.scenarios is not None else None,
        "selection": list(options.select),
        "deselection": list(options.deselect),
        "require_complete": options.require_complete,
        "allow_undecided": options.allow_undecided,
        "baseline": str(options.baseline) if options.baseline is not None else None,
        **({"fuzz": {"examples": options.fuzz, "seed": options.seed}} if options.fuzz else {}),
        "heartbeat_interval_s": plan.profile.heartbeat.interval,
        "heartbeat_timeout_s": plan.profile.heartbeat.timeout,
    }


def _exit_code(document: Mapping[str, Any]) -> int:
    if any(one["verdict"] == "error" for one in document["scenarios"]):
        return ExitCode.USAGE
    if not document["complete"]:
        return ExitCode.INTERRUPTED
    return ExitCode.PASSED if document["outcome"]["passed"] else ExitCode.FAILED
