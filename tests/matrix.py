"""The tester's test: the whole suite against every faulty variant of the reference server.

`python -m tests.matrix` prints the table fault × requirements reported, and writes it to `docs/matrix.md`;
`python -m tests.matrix NAME …` prints only some rows, with what was seen. With `--few`, what convicts a fault on that
page is played, and a share of all other scenarios; the page stays as it is.
"""

import gc
import re
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
from zlib import crc32

from conformance.language.awaited import Expect, ExpectOne
from conformance.language.scenario import Scenario, Step
from conformance.play.plan import Plan
from conformance.run.replays import CONTROL_TAG
from conformance.run.run import Run
from conformance.transport.target import resolve
from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.faults import catalogue
from reference_server.network import running
from reference_server.variants import LIBERTIES
from tests.bundled import THOROUGH, bundled, load_contract, load_profile, load_requirements
from wsproof.launcher import GARBAGE

PAGE = Path(__file__).resolve().parents[1] / "docs" / "matrix.md"

CLEAN = "none"
"""The row of the server without a fault."""

LIBERTY = "liberty "
"""Begins the name of a row of a correct server that does something in another permitted way."""

PROCESSES = 4
"""Played at once; mostly they wait."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one variant was charged with: by requirement, `convicted_by` has a scenario and `seen` what it saw."""

    fault: str
    breaks: frozenset[str]
    entails: frozenset[str]
    convicted_by: dict[str, str]
    seen: dict[str, str]
    errors: tuple[str, ...]
    undecided: dict[str, str]
    seconds: float

    @property
    def good(self) -> bool:
        """Whether it was judged as it must be."""
        return not (self.missed or self.wrong or self.errors)

    @property
    def reported(self) -> frozenset[str]:
        """What it is charged with."""
        return frozenset(self.seen)

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
    return bundled() + bundled(THOROUGH)


NEAR, FAR, BESIDE = 4, 1, 3
"""Variants of a scenario that are played where not the whole suite is: of one that can charge what a fault touches, of
any other, and of each for a correct server."""


CROWDED = ("ack-missing-now-and-then", "deliveries-lost-in-a-crowd")
"""Faults that show only among very many connections."""


def played_against(name: str, whole: bool) -> tuple[Scenario, ...]:
    """The scenarios for one variant of the server.

    The long ones only for faults that show after a while. All others where `whole` and for the clean server; else the
    ones that convict the fault on the page, and a few of the rest, not the same for every fault.
    """
    fault = {one.name: one for one in catalogue()}.get(name)
    known = [one for one in scenarios() if (fault is not None and fault.thorough) or "thorough" not in one.tags]
    if whole or name in (CLEAN, *CROWDED):
        return tuple(known)
    touched = {*fault.breaks, *fault.entails} if fault else set()
    wire = fault is None or any(one.startswith("WIRE-") for one in touched)
    convicting = convicting_on_page().get(name, frozenset())
    turn: Counter[str] = Counter()
    chosen = []
    for one in known:
        kind = one.id.partition("/")[0]
        turn[kind] += 1
        charges = {*one.verifies, *(each for step in one.steps for each in charged(step))}
        near = bool(touched & charges - {"CONN-01", "CONN-02", "JOIN-01", "SEND-01", "ERR-07"})
        if fault is None:
            fits = turn[kind] <= BESIDE
        elif near:
            fits = turn[kind] <= NEAR or not convicting
        else:
            share = CONTROL_TAG in one.tags or crc32(f"{name} {kind}".encode()) % 2 == 0
            fits = turn[kind] <= FAR and share and (wire or one.group != "WIRE")
        if fits or one.id in convicting or "thorough" in one.tags:
            chosen.append(one)
    return tuple(chosen)


@cache
def convicting_on_page() -> dict[str, frozenset[str]]:
    """By fault, the scenarios that the page names."""
    rows = re.findall(r"^\| `([^`]+)` \|.*\| ([^|]*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: frozenset(re.findall("`([^`]+)`", last)) for name, last in rows}


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
    chosen = played_against(fault, whole)
    requirements = load_requirements()
    settings = ServerSettings(profile=profile(), port=0, close_timeout=1.0, faults=faults, liberties=liberties)
    with running(settings) as server:
        plan = Plan(resolve(server.url), load_contract(None, profile().limits), profile(), requirements)
        run = Run(plan, chosen)
        run.start()
        verdicts = [run.result(one) for one in chosen]
        run.stop()
    convicted_by: dict[str, str] = {}
    seen: dict[str, str] = {}
    for verdict in verdicts:
        for one in verdict.charged:
            text = f"{verdict.outcome.scenario.id}, step {one.failure.step}: {one.failure.message}; "
            convicted_by.setdefault(one.requirement, verdict.outcome.scenario.id)
            seen.setdefault(one.requirement, text + f"expected {one.failure.expected}, received {one.failure.received}")
    errors = tuple(f"{one.outcome.scenario.id}: {one.outcome.reason}" for one in verdicts if one.verdict == "error")
    breaks = frozenset(known[fault].breaks) if fault in known else frozenset()
    entails = frozenset(known[fault].entails) if fault in known else frozenset()
    undecided = {one.outcome.scenario.id: str(one.outcome.reason) for one in verdicts if one.verdict == "inconclusive"}
    return Row(fault, breaks, entails, convicted_by, seen, errors, undecided, time.monotonic() - began)


def names() -> list[str]:
    """The clean server first, then the correct ones that do something in another way, then every fault."""
    return [CLEAN, *(LIBERTY + name for name in LIBERTIES), *(one.name for one in catalogue())]


def _ready() -> None:
    """A process has its scenarios, and does not search them for garbage again and again."""
    gc.set_threshold(GARBAGE)
    scenarios()
    gc.freeze()


@contextmanager
def rows(wanted: Sequence[str], whole: bool = True) -> Iterator[dict[str, Future[Row]]]:
    """Play variants in processes of their own, several at once."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), _ready) as pool:
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
    if whole and not wanted:
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
        "What `wsproof check` reports for every mutant of the reference server (`wsproof serve --fault NAME`).",
        "`python -m tests.matrix` (or `make matrix`) runs them all and writes this page; `tests/faults/` is the test.",
        "Faults that show only after a while are run with the scenarios of `--thorough`.",
        "",
        f"**{len(faults)} faults** in {len(broken)} requirements: {len(faults) - missed} detected, {missed} missed, "
        f"{wrong} attributed to an unrelated requirement.",
        f"**{len(right)} correct servers**: {len(right) - accused} passed, {accused} failed.",
        "",
        "**Breaks** lists the requirements that a fault is meant to break. *Also* lists requirements that the same",
        "behaviour necessarily violates, if the run reported them. *Detected by* is the first scenario that failed.",
        "",
        "| fault | what the server does | breaks | also | detected by |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in faults:
        also = " ".join(sorted(row.reported - row.breaks))
        breaks = " ".join(f"**{name}**" if name in row.reported else f"missed: {name}" for name in sorted(row.breaks))
        by = " ".join(f"`{row.convicted_by[name]}`" for name in sorted(row.breaks & row.reported))
        lines.append(f"| `{row.fault}` | {summaries[row.fault]} | {breaks} | {also} | {by} |")
    lines += ["", "## Correct servers", "", "| server | what it does | reported |", "| --- | --- | --- |"]
    for row in right:
        what = summaries.get(row.fault, "What the specification says.")
        lines.append(f"| `{row.fault}` | {what} | {' '.join(sorted(row.reported)) or 'nothing'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
