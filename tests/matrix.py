"""The tester's test: the whole suite against every faulty variant of the reference server.

`python -m tests.matrix` prints the table fault × requirements reported, and writes it to `docs/matrix.md`;
`--few` plays few variants of the scenarios that a fault does not touch. `python -m tests.matrix NAME …` prints only
some rows, with what was seen.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path

from conformance.loading import BUNDLED, THOROUGH, load_scenarios
from conformance.run import Plan, Run
from conformance.scenario import Expect, ExpectOne, Scenario, Step
from conformance.transport import resolve
from contract.model import load_contract
from contract.profile import Profile, load_profile
from contract.requirements import load_requirements
from reference_server.faults import catalogue
from reference_server.faults.fault import Fault
from reference_server.liberties import LIBERTIES
from reference_server.network import running
from reference_server.settings import ServerSettings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "matrix.md"

CLEAN = "none"
"""The row of the server without a fault."""

LIBERTY = "liberty "
"""Begins the name of a row of a correct server that does something in another permitted way."""

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Row:
    """What one variant was charged with; `seen` has an example for each requirement."""

    fault: str
    breaks: frozenset[str]
    entails: frozenset[str]
    reported: frozenset[str]
    seen: dict[str, str]
    errors: tuple[str, ...]
    undecided: dict[str, str]
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it was judged as it must be."""
        return not (self.missed or self.wrong or self.errors)

    @property
    def missed(self) -> frozenset[str]:
        """What it was made to break, and is not charged with."""
        return self.breaks - self.reported

    @property
    def wrong(self) -> frozenset[str]:
        """What it is charged with for no reason."""
        return self.reported - self.breaks - self.entails


@cache
def profile() -> Profile:
    """Short times, so that the table does not take all day."""
    return load_profile(
        None,
        {
            "heartbeat.interval": 0.8,
            "heartbeat.timeout": 1.5,
            "ack_timeout": 2,
            "response_timeout": 2,
            "quiet_period": 0.3,
        },
    )


@cache
def scenarios() -> tuple[Scenario, ...]:
    """The bundled ones."""
    return load_scenarios(BUNDLED, THOROUGH)


FEW = 1
"""Variants of a scenario that has nothing to do with a fault, where not the whole suite is played."""


def played_against(fault: Fault | None, whole: bool) -> tuple[Scenario, ...]:
    """The scenarios for one variant of the server.

    The long ones only for faults that show after a while. All others where `whole`; else all variants of those that
    can charge what the fault touches, few of every other scenario, and none of the transport's own rules where the
    fault leaves them alone.
    """
    thorough = fault is not None and fault.thorough
    known = [one for one in scenarios() if thorough or "thorough" not in one.tags]
    if whole or fault is None:
        return tuple(known)
    touched = {*fault.breaks, *fault.entails}
    wire = any(name.startswith("WIRE-") for name in touched)
    turn: Counter[str] = Counter()
    chosen = []
    for one in known:
        turn[one.id.partition("/")[0]] += 1
        charges = {*one.verifies, *(name for step in one.steps for name in charged(step))}
        near = touched & charges - {"CONN-01", "CONN-02", "JOIN-01", "SEND-01", "ERR-07"}
        few = turn[one.id.partition("/")[0]] <= FEW and (wire or one.group != "WIRE")
        if near or few:
            chosen.append(one)
    return tuple(chosen)


def charged(step: Step) -> Iterator[str]:
    """The requirements that a step may charge."""
    yield from step.charge.requirements
    if isinstance(step.deed, ExpectOne):
        yield from (name for one in step.deed.of if one.fails for name in one.fails.charge.requirements)
    if isinstance(step.deed, Expect):
        yield from (name for one in step.deed.of for check in one.checks for name in check.charge.requirements)


def judge(fault: str, whole: bool = True) -> Row:
    """Run the suite against one variant."""
    began = time.monotonic()
    known = {one.name: one for one in catalogue()}
    faults = (fault,) if fault in known else ()
    liberties = (fault.removeprefix(LIBERTY),) if fault.startswith(LIBERTY) else ()
    chosen = played_against(known.get(fault), whole)
    requirements = load_requirements()
    settings = ServerSettings(profile=profile(), port=0, close_timeout=1.0, faults=faults, liberties=liberties)
    with running(settings) as server:
        plan = Plan(resolve(server.url), load_contract(None, profile().limits), profile(), requirements)
        run = Run(plan, chosen)
        run.start()
        verdicts = [run.result(one) for one in chosen]
        run.stop()
    seen: dict[str, str] = {}
    for verdict in verdicts:
        for one in verdict.charged:
            text = f"{verdict.outcome.scenario.id}, step {one.failure.step}: {one.failure.message}; "
            seen.setdefault(one.requirement, text + f"expected {one.failure.expected}, received {one.failure.received}")
    errors = tuple(f"{one.outcome.scenario.id}: {one.outcome.reason}" for one in verdicts if one.verdict == "error")
    breaks = frozenset(known[fault].breaks) if fault in known else frozenset()
    entails = frozenset(known[fault].entails) if fault in known else frozenset()
    undecided = {one.outcome.scenario.id: str(one.outcome.reason) for one in verdicts if one.verdict == "inconclusive"}
    return Row(fault, breaks, entails, frozenset(seen), seen, errors, undecided, time.monotonic() - began)


def names() -> list[str]:
    """The clean server first, then the correct ones that do something in another way, then every fault."""
    return [CLEAN, *(LIBERTY + name for name in LIBERTIES), *(one.name for one in catalogue())]


@contextmanager
def rows(wanted: Sequence[str], whole: bool = True) -> Iterator[dict[str, Future[Row]]]:
    """Play variants in processes of their own, several at once."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        yield {name: pool.submit(judge, name, whole) for name in wanted}


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where a fault was missed or charged wrongly."""
    whole = "--few" not in arguments
    wanted = [one for one in arguments if one != "--few"]
    played: list[Row] = []
    print("| fault | breaks | reported |\n| --- | --- | --- |")
    with rows(wanted or names(), whole) as futures:
        for future in futures.values():
            row = future.result()
            played.append(row)
            print(f"| {row.fault} | {' '.join(sorted(row.breaks))} | {' '.join(sorted(row.reported))} |", flush=True)
            for line in _seen(row, everything=bool(wanted)):
                print(f"    {row.fault}: {line}", file=sys.stderr)
    bad = sum(not row.good for row in played)
    print(f"{bad} of {len(played)} rows are wrong", file=sys.stderr)
    if not wanted:
        PAGE.write_text(page(played), encoding="utf-8")
    return 1 if bad else 0


def _seen(row: Row, *, everything: bool) -> Iterator[str]:
    if not everything and row.good:
        return
    for name in sorted(row.reported if everything else row.wrong):
        yield f"{name}: {row.seen[name][:600]}"
    yield from (f"missed {name}" for name in sorted(row.missed))
    yield from row.errors
    if row.wrong:
        yield f"wrong {' '.join(sorted(row.wrong))}"
    if not row.breaks:
        yield from (f"undecided {name}: {reason}" for name, reason in row.undecided.items())


def page(played: Sequence[Row]) -> str:
    """The table as a page of the documentation."""
    faults = [row for row in played if row.breaks]
    right = [row for row in played if not row.breaks]
    summaries = {one.name: one.summary for one in catalogue()} | {
        LIBERTY + one.name: one.summary for one in LIBERTIES.values()
    }
    missed = sum(bool(row.missed) for row in faults)
    wrong = sum(bool(row.wrong) for row in faults)
    accused = sum(bool(row.reported) for row in right)
    broken = {name for row in faults for name in row.breaks}
    lines = [
        "# The matrix",
        "",
        "What the suite reports for every faulty variant of the reference server (`wsproof serve --fault NAME`).",
        "`python -m tests.matrix` (or `make matrix`) plays them all and writes this page; `tests/faults/` is the test.",
        "Long-run faults are played with the scenarios of a thorough run.",
        "",
        f"**{len(faults)} faults** break {len(broken)} requirements: {len(faults) - missed} caught, {missed} missed, "
        f"{wrong} charged to a requirement that has nothing to do with them.",
        f"**{len(right)} correct servers**: {len(right) - accused} acquitted, {accused} accused.",
        "",
        "**Breaks** is what a fault was made for; *with it* are requirements whose statements the same behaviour",
        "violates, and which the run reported as well.",
        "",
        "| fault | what the server does | breaks | with it |",
        "| --- | --- | --- | --- |",
    ]
    for row in faults:
        also = " ".join(sorted(row.reported - row.breaks))
        breaks = " ".join(f"**{name}**" if name in row.reported else f"missed: {name}" for name in sorted(row.breaks))
        lines.append(f"| `{row.fault}` | {summaries[row.fault]} | {breaks} | {also} |")
    lines += ["", "## Correct servers", "", "| server | what it does | reported |", "| --- | --- | --- |"]
    for row in right:
        what = summaries.get(row.fault, "What the specification says.")
        lines.append(f"| `{row.fault}` | {what} | {' '.join(sorted(row.reported)) or 'nothing'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
