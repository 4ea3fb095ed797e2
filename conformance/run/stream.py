"""The run as it goes on, in JSON Lines: a header, a line for each finished scenario, a footer.

Whatever ends the program, what had finished by then is in the file, and with it all that a report needs. The format is
that of `schemas/stream.schema.json`.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any, get_args

from conformance.judge.baseline import BaselineEntry
from conformance.judge.outcomes import undecided, unfinished
from conformance.judge.verdicts import Charged, Rules, ScenarioVerdict, charge_failures
from conformance.language.deed import Charge
from conformance.language.scenario import Decided, Scenario
from conformance.play.context import Failure, Observation
from conformance.play.engine import Ending, Outcome
from conformance.play.outage import Outage
from conformance.play.record import Record
from conformance.play.transcript import Entry
from conformance.run.limits import not_finished
from conformance.run.results import (
    RunFacts,
    baseline_entry,
    ended_entry,
    hint_entry,
    observation_entry,
    outage_entry,
    results_document,
    scenario_entry,
)
from contract.errors import ContractError
from contract.findings import Phrase, message_of, text_of
from contract.formats import STREAM, family
from contract.requirements import CheckUse, Clause, Requirement, Section
from contract.schemas import format_validator, violations

MAX_LINE = 64 * 1024 * 1024
"""Longest line that is read, in bytes."""

MAX_BYTES = 512 * 1024 * 1024
"""Largest file that is read, in bytes."""


class StreamWriter:
    """Writes a stream, from several threads. A line is handed to the system before the next thing happens."""

    def __init__(
        self, path: Path, facts: RunFacts, requirements: Mapping[str, Requirement], scenarios: Sequence[Scenario]
    ) -> None:
        """Raises `OSError` where the file cannot be written."""
        self.path = path
        self.error: OSError | None = None
        self._written: dict[str, ScenarioVerdict] = {}
        self._lock = threading.Lock()
        self._file: IO[bytes] = path.open("wb", buffering=0)
        self._write(_header(facts, requirements, scenarios))

    def scenario(self, verdict: ScenarioVerdict, run_started: float) -> None:
        """A scenario is finished, or its verdict is another one after all: the last line for an id is what holds."""
        name = verdict.outcome.scenario.id
        with self._lock:
            known = self._written.get(name)
            if known is not verdict and (known is not None or verdict.outcome.ending != "unfinished"):
                self._write(_scenario(verdict, run_started))
                self._written[name] = verdict

    def close(self, facts: RunFacts) -> None:
        """Write the footer."""
        footer = {"kind": "footer", "complete": facts.complete, "duration_s": round(facts.duration, 3)}
        seen = {"outages": list(map(outage_entry, facts.outages)), "hints": list(map(hint_entry, facts.hints))}
        with self._lock:
            self._write({**footer, **ended_entry(facts.ended), **seen})
            self._end()

    def abandon(self) -> None:
        """Close the file without a footer."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        try:
            self._file.close()
        except OSError as error:  # a disk may report only now that it is full
            self.error = self.error or error

    def _write(self, value: Mapping[str, Any]) -> None:
        line = memoryview(json.dumps(value, ensure_ascii=True, allow_nan=False).encode() + b"\n")
        try:
            while line and self.error is None:
                line = line[self._file.write(line) :]
        except OSError as error:
            # The run goes on: its other reports may come about all the same.
            self.error = error


def _header(facts: RunFacts, requirements: Mapping[str, Requirement], scenarios: Sequence[Scenario]) -> dict[str, Any]:
    title, version = facts.contract
    return {
        "format": STREAM,
        "kind": "header",
        "tool": {"name": "wsproof", "version": facts.version},
        "endpoint": facts.endpoint,
        "contract": {"title": title, "version": version},
        "started": facts.started,
        "strict": facts.strict,
        "require_complete": facts.require_complete,
        "allow_undecided": facts.allow_undecided,
        "settings": dict(facts.settings),
        "baseline": None
        if facts.baseline is None
        else [baseline_entry(one) | {"whole": one.whole} for one in facts.baseline],
        "requirements": [asdict(one) for one in requirements.values()],
        "scenarios": [_outline(one) for one in scenarios],
    }


def _outline(one: Scenario) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "title_ja": one.title_ja,
        "group": one.group,
        "tags": list(one.tags),
        "verifies": list(one.verifies),
        "level": one.level,
    }


def _scenario(verdict: ScenarioVerdict, run_started: float) -> dict[str, Any]:
    outcome = verdict.outcome
    entry = scenario_entry(verdict, run_started, Rules())
    kept = ("id", "reason", "texts", "started_s", "duration_s", "failures", "transcript")
    return {
        "kind": "scenario",
        **{name: entry[name] for name in kept if name in entry},
        "ending": outcome.ending,
        "reached": _decided(outcome.reached),
        "unreached": _decided(outcome.unreached),
        "applied": dict(verdict.applied),
        "unconfirmed": entry.get("unconfirmed", []),
        **({"observations": list(map(observation_entry, outcome.observations))} if outcome.observations else {}),
        "absent": [one.failure.absent for one in verdict.charged],
        "heard": bool(outcome.record.saw_messages or outcome.record.messages),
    }


def _decided(found: Mapping[Decided, int]) -> list[list[Any]]:
    return [[name, level, count] for (name, level), count in sorted(found.items(), key=str)]


def is_stream(path: Path) -> bool:
    """Whether a file is a stream, by its name or its first bytes."""
    try:
        with path.open("rb") as file:
            return path.suffix == ".jsonl" or family(STREAM).encode() in file.read(200)
    except OSError:
        return False


def read_stream(path: Path) -> dict[str, Any]:
    """The results document of a stream, whether its run came to its end or not.

    A last line that was cut off does not count. Raises `ContractError`, with the line, where another one is broken.
    """
    header: Mapping[str, Any] | None = None
    footer: Mapping[str, Any] | None = None
    lines: dict[str, Mapping[str, Any]] = {}
    for number, value in _values(path):
        if header is None:
            header = value
        elif value["kind"] == "scenario":
            lines[value["id"]] = value
        elif value["kind"] == "footer":
            footer = value
        if value["kind"] == "header" and header is not value:
            raise ContractError("a second header: two runs in one file", path, number)
    if header is None or header["kind"] != "header":
        raise ContractError("expected the header of a run in the first line", path, 1)
    return _document(header, lines, footer)


def _values(path: Path) -> Iterable[tuple[int, Mapping[str, Any]]]:
    validator = format_validator("stream")
    try:
        with path.open("rb") as file:
            number = size = 0
            while line := file.readline(MAX_LINE):
                number += 1
                size += len(line)
                if size > MAX_BYTES:
                    raise ContractError(f"larger than {MAX_BYTES} bytes", path, number)
                if not line.endswith(b"\n"):
                    return
                value = _parsed(line, path, number)
                for violation in violations(validator, value)[:1]:
                    raise ContractError(str(violation), path, number)
                yield number, value
    except OSError as error:
        raise ContractError(f"cannot be read: {error.strerror or error}", path) from None


def _parsed(line: bytes, path: Path, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise ContractError("expected a JSON object on one line", path, number) from None


def _document(
    header: Mapping[str, Any], lines: Mapping[str, Mapping[str, Any]], footer: Mapping[str, Any] | None
) -> dict[str, Any]:
    scenarios = [_scenario_of(one) for one in header["scenarios"]]
    ended = (footer or {}).get("ended")
    ends = [one["started_s"] + one["duration_s"] for one in lines.values()]
    facts = RunFacts(
        version=header["tool"]["version"],
        endpoint=header["endpoint"],
        contract=(header["contract"]["title"], header["contract"]["version"]),
        started=header["started"],
        duration=footer["duration_s"] if footer is not None else max(ends, default=0.0),
        strict=header["strict"],
        require_complete=header["require_complete"],
        allow_undecided=header.get("allow_undecided", False),
        outages=tuple(map(_outage_of, (footer or {}).get("outages", ()))),
        hints=tuple(map(message_of, (footer or {}).get("hints", ()))),
        baseline=None if header["baseline"] is None else tuple(map(_baseline_of, header["baseline"])),
        complete=footer is not None and footer["complete"] and all(one.id in lines for one in scenarios),
        ended=None if ended is None else message_of(ended),
        settings=header["settings"],
    )
    requirements = {one["id"]: _requirement_of(one) for one in header["requirements"]}
    cut_off = not_finished(facts.ended)
    verdicts = [_verdict_of(one, lines.get(one.id), cut_off) for one in scenarios]
    if footer is None:
        # Nothing was confirmed any more.
        verdicts = [undecided(one, cut_off) for one in verdicts]
    return results_document(facts, requirements, verdicts)


def _scenario_of(one: Mapping[str, Any]) -> Scenario:
    names = {name: tuple(one[name]) for name in ("verifies", "tags")}
    given = {"id": one["id"], "title": one["title"], "group": one["group"], "level": one["level"], **names}
    return Scenario(**given, title_ja=one.get("title_ja"), needs=(), actors=(), steps=(), path=Path(), line=0)


def _baseline_of(one: Mapping[str, Any]) -> BaselineEntry:
    return BaselineEntry(**{"requirement": None, "scenario": None, **one})


def _outage_of(one: Mapping[str, Any]) -> Outage:
    names = tuple(one["playing"]), one["back_after_s"], one["culprit"], tuple(one["suspected"])
    return Outage(one["at_s"], one["kind"], *names)


def _requirement_of(one: Mapping[str, Any]) -> Requirement:
    clauses = tuple(
        Clause(**{**clause, "checks": tuple(CheckUse(**use) for use in clause.get("checks", ()))})
        for clause in one["clauses"]
    )
    return Requirement(**{**one, "section": Section(**one["section"]), "clauses": clauses})


def _verdict_of(scenario: Scenario, line: Mapping[str, Any] | None, cut_off: Phrase) -> ScenarioVerdict:
    if line is None:
        return charge_failures(unfinished(scenario, "unfinished", cut_off), (), {})
    record = Record(0.0, ())
    record.transcript.first = list(map(_entry_of, line["transcript"]))
    record.saw_messages = line["heard"]
    ending: Ending = next(one for one in get_args(Ending) if one == line["ending"])
    reached, unreached = (dict(map(_decided_of, line[name])) for name in ("reached", "unreached"))
    times = line["started_s"], line["duration_s"]
    reason = text_of(line, "reason")
    observations = tuple(map(_observation_of, line.get("observations", ())))
    outcome = Outcome(scenario, ending, reason, (), reached, unreached, record, *times, observations=observations)
    failures, unconfirmed = (tuple(map(_charged_of, line.get(name, ()))) for name in ("failures", "unconfirmed"))
    failures = tuple(
        replace(one, failure=replace(one.failure, absent=absent))
        for one, absent in zip(failures, line.get("absent") or [None] * len(failures), strict=True)
    )
    return ScenarioVerdict(outcome, failures, line.get("applied", {}), unconfirmed)


def _observation_of(one: Mapping[str, Any]) -> Observation:
    return Observation(*(text_of(one, name) or "" for name in ("what", "seen")))


def _decided_of(one: Any) -> tuple[Decided, int]:
    """How often a clause was decided; the streams of version 1 have the requirement alone."""
    return ((one, None), 1) if isinstance(one, str) else ((one[0], one[1]), one[2])


def _charged_of(one: Mapping[str, Any]) -> Charged:
    charge = Charge((one["requirement"],), one["level"])
    expected, received = (text_of(one, name) for name in ("expected", "received"))
    step = text_of(one, "step") or ""
    failure = Failure(charge, step, one["actor"], message_of(one), expected, received, check=one.get("check"))
    return Charged(one["requirement"], one["level"], failure)


def _entry_of(one: Mapping[str, Any]) -> Entry:
    kept = {name: value for name, value in one.items() if name != "texts"}
    return Entry(**{**kept, "data": text_of(one, "data") or ""})
