"""One run of the suite: pytest plays the scenarios, and the results become a document and its reports."""

import contextlib
import gc
import os
import threading
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from conformance.judge.baseline import BaselineEntry
from conformance.judge.baseline_update import Former, updated_baseline
from conformance.judge.hints import hints
from conformance.judge.verdicts import ScenarioVerdict
from conformance.language.scenario import Scenario
from conformance.language.selection import is_generated
from conformance.play.plan import Plan
from conformance.run.limits import FailureLimit, out_of_time
from conformance.run.plugin import ConformanceWarning, Player, ScenarioCollector
from conformance.run.progress import Status
from conformance.run.results import RunFacts, results_document
from conformance.run.run import Run
from conformance.run.stream import StreamWriter, read_stream
from conformance.transport.troubles import fault
from contract.escaping import visible
from contract.files import readable
from contract.findings import Phrase
from contract.redaction import Redactor
from reports.shared.documents import write_text
from wsproof import __version__
from wsproof.commands.check_options import CheckOptions
from wsproof.commands.profiles import shown_changes
from wsproof.exit_codes import ExitCode
from wsproof.interruption import Interruption
from wsproof.output.files import OutputError, write_all
from wsproof.output.formats import Wanted, forget_former, print_wanted, writers
from wsproof.output.progress import Progress
from wsproof.output.summaries import show_summary

if TYPE_CHECKING:
    from conformance.fuzz.driver import Fuzz

NOTICE = "wsproof: interrupted; closing connections and writing reports. Press Ctrl-C again to exit at once."


def _generated(plan: Plan, scenarios: Sequence[Scenario], options: CheckOptions) -> "Fuzz | None":
    """The run of generated messages, where one is wanted."""
    if options.fuzz is None:
        return None
    # Hypothesis takes its time to load.
    from conformance.fuzz.driver import Fuzz, FuzzOptions

    kinds = [one for one in scenarios if is_generated(one)]
    return Fuzz(plan, kinds, FuzzOptions(options.fuzz, options.seed))


class Check:
    """One run of the suite."""

    def __init__(
        self,
        address: str,
        plan: Plan,
        scenarios: Sequence[Scenario],
        options: CheckOptions,
        baseline: tuple[BaselineEntry, ...] | None,
        former: Former,
        wanted: tuple[Wanted, ...],
        *,
        embedded: bool,
    ) -> None:
        self.plan = plan
        self.wanted = wanted
        self.former = former
        self.verdicts: list[ScenarioVerdict] = []
        self.fuzz = _generated(plan, scenarios, options)
        self.scenarios = [one for one in scenarios if not is_generated(one)]
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
        self.limit = FailureLimit(options.maxfail, self._counts) if options.maxfail is not None else None
        # Before pytest collects anything: a signal may come at any time.
        self.played = Run(plan, self.scenarios, self.limit)
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
                click.echo(f"wsproof: {problem}", err=True)
            code = ExitCode.USAGE if problems else _exit_code(document)
        return ExitCode.INTERRUPTED if interruption.happened else code

    def _interrupt(self) -> None:
        """A signal came."""
        self._end(None)

    def _end(self, reason: Phrase | None) -> None:
        """End the run before everything was played."""
        if self.fuzz is not None:
            self.fuzz.interrupt(reason)
        self.played.interrupt(reason)

    def _counts(self, verdict: ScenarioVerdict) -> bool:
        """Whether a scenario's failure is one that fails the run."""
        rules, name = self.facts.rules, verdict.outcome.scenario.id
        charged = [one for one in verdict.charged if one.level in rules.binding]
        return verdict.verdict == "error" or any(rules.expected(name, one.requirement) is None for one in charged)

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
        with progress, self._clock():
            if self.scenarios:
                self._pytest()
            verdicts = run.verdicts()
            complete, ended = run.complete or not self.scenarios, run.ended
            if self.fuzz is not None:
                verdicts = self._generate(self.fuzz, verdicts, stream)
                complete, ended = complete and self.fuzz.complete, ended or self.fuzz.ended
        self.verdicts = verdicts
        for verdict in verdicts:
            stream.scenario(verdict, run.started)
        duration = time.monotonic() - self.began
        suspected = hints(verdicts, self.plan.contract, self.plan.profile, secure=self.plan.target.tls is not None)
        facts = replace(
            self.facts,
            duration=duration,
            complete=complete,
            ended=None if complete else ended,
            outages=run.outages,
            hints=tuple(suspected),
        )
        stream.close(facts)
        return results_document(facts, self.plan.requirements, verdicts, run.started)

    def _generate(self, fuzz: "Fuzz", played: Sequence[ScenarioVerdict], stream: StreamWriter) -> list[ScenarioVerdict]:
        """Send generated messages, unless the suite came to an early end; all verdicts."""
        failed = list(played)
        if self.played.ended is not None:
            fuzz.interrupt(self.played.ended)

        def finished(verdict: ScenarioVerdict) -> None:
            stream.scenario(verdict, self.played.started)
            failed.append(verdict)
            if self.limit is not None and self.limit.reached(failed):
                fuzz.interrupt(self.limit.reason)

        return fuzz.join(played, finished)

    @contextlib.contextmanager
    def _clock(self) -> Iterator[None]:
        """End the run when its time is over."""
        seconds, limit = self.options.seconds, self.options.time_limit
        if seconds is None or limit is None:
            yield
            return
        left = max(self.began + seconds - time.monotonic(), 0.0)
        timer = threading.Timer(left, self._end, (out_of_time(limit),))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

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
        gc.freeze()
        with warnings.catch_warnings():
            # They stand in the summary.
            warnings.simplefilter("ignore", ConformanceWarning)
            code = pytest.main([*files, *quiet, *root], plugins=[ScenarioCollector(), self.player])
        if code in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
            raise RuntimeError("pytest could not run the scenarios")

    def _write(self, document: dict[str, Any]) -> list[str]:
        """Write the reports and show the summary; what could not be written."""
        options = self.options
        reports = writers(self.wanted, document, options.language)
        if options.write_baseline is not None:
            if document["complete"]:
                text = updated_baseline(self.former, self.facts.rules, self.plan.requirements, self.verdicts)
                reports.append((options.write_baseline, lambda path: write_text(path, text)))
            else:
                click.echo(f"wsproof: {options.write_baseline} was not written: the run is incomplete", err=True)
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
        "contract": plan.contract.folder.option,
        "profile": readable(options.profile) if options.profile is not None else None,
        "set": shown_changes(options.changes, plan.profile.secrets()),
        **{name: list(map(readable, getattr(options, name))) for name in ("scenarios", "only_scenarios")},
        "maxfail": options.maxfail,
        "time_limit": options.time_limit,
        "selection": list(map(readable, options.select)),
        "deselection": list(map(readable, options.deselect)),
        "require_complete": options.require_complete,
        "allow_undecided": options.allow_undecided,
        "baseline": readable(options.baseline) if options.baseline is not None else None,
        **({"fuzz": {"examples": options.fuzz, "seed": options.seed}} if options.fuzz else {}),
        "heartbeat_interval_s": plan.profile.heartbeat.interval,
        "heartbeat_timeout_s": plan.profile.heartbeat.timeout,
    }


def _exit_code(document: Mapping[str, Any]) -> int:
    if any(one["verdict"] == "error" for one in document["scenarios"]):
        return ExitCode.USAGE
    if not (document["complete"] or "ended" in document):
        return ExitCode.INTERRUPTED
    return ExitCode.PASSED if document["outcome"]["passed"] else ExitCode.FAILED
