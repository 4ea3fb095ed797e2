"""The load test's test: a short load run against servers that are wrong only now and then, and against correct ones.

`python -m tests.load_matrix` prints the table fault × requirements that failed, and writes it to
`docs/load-matrix.md`; `python -m tests.load_matrix NAME …` prints only some rows, with what was seen.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from loadtest.settings.settings import LoadSettings
from reference_server.core.settings import ServerSettings
from reference_server.faults import catalogue_under_load, find
from reference_server.network import running
from reference_server.variants import LIBERTIES, LIBERTIES_UNDER_LOAD
from tests.bundled import load_profile
from tests.load_run import Enough, LoadRun, failed

PAGE = Path(__file__).resolve().parents[1] / "docs" / "load-matrix.md"

CLEAN = "none"
"""The row of the server without a fault."""

LIBERTY = "liberty "
"""Begins the name of a row of a correct server that does something in another permitted way."""

PROCESSES = 4
"""Played at once; mostly they wait."""

VALUES: Mapping[str, Any] = {
    "heartbeat.interval": 0.8,
    "heartbeat.timeout": 1.5,
    "ack_timeout": 1,
    "response_timeout": 1.5,
    "reconnect.base": 0.05,
    "tokens.load": "token-of-a-load-user-{n}",
}
"""Short times, and tokens that are long enough to be looked for."""

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "control-heartbeats": {"heartbeat.form": "control"},
    "no-heartbeats": {"heartbeat.form": "none"},
    LIBERTY + "history-on-join": {"history": "join"},
    LIBERTY + "history-on-connect": {"history": "connect"},
}
"""What some rows promise beside: of the first two, that is all."""

PROMISING: Mapping[str, str] = {
    "control-heartbeats": "Heartbeats are ping frames (`heartbeat.form: control`).",
    "no-heartbeats": "There are no heartbeats (`heartbeat.form: none`).",
}
"""Rows of a server that obeys another profile."""

IRRELEVANT = frozenset(
    {
        "refused-after-accepting",
        "refused-with-403",
        "errors-in-japanese",
        "errors-by-another-way",
        "binary-refused-by-error",
        "violations-end-tcp",
        "invalid-bursts-limited",
        "unread-messages-dropped",
        "unread-messages-dropped-when-numbered",
        "unread-connection-closed",
        "unread-connection-cut",
        "expired-token-stays",
        "compression-declined",
    }
)
"""Liberties that no user of these journeys meets."""

TRIES = 3
"""How often a fault is tried that was missed while this machine held the generator up, as its document says."""

USERS, CHANNELS, RATE = 12, 4, 30.0
JOURNEYS = ("chatter", "listener", "churner")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a requirement is charged with: how often, of how many chances, and in words."""

    level: str
    count: int
    applied: int
    said: str


@dataclass(frozen=True, slots=True)
class LoadRow:
    """What one variant was charged with. `undecided`: requirements that nothing can be said of.

    `late`: the generator was, so that it left undecided what did not come.
    """

    name: str
    breaks: frozenset[str]
    entails: frozenset[str]
    found: Mapping[str, Finding]
    verdict: str
    passed: bool
    reasons: tuple[str, ...]
    shed: Mapping[str, int]
    undecided: tuple[str, ...]
    late: bool
    seconds: float

    @property
    def missed(self) -> frozenset[str]:
        """What it was made to break, and is not charged with."""
        return self.breaks - frozenset(self.found)

    @property
    def wrong(self) -> frozenset[str]:
        """What it is charged with for no reason."""
        return frozenset(self.found) - self.breaks - self.entails

    @property
    def must(self) -> bool:
        """Whether a MUST failed."""
        return any(one.level == "MUST" for one in self.found.values())

    @property
    def good(self) -> bool:
        """Whether it was judged as it must be."""
        expected = "non-conformant" if self.must else "conformant"
        return not (self.missed or self.wrong) and self.verdict == expected and self.passed is not self.must


def names() -> list[str]:
    """The clean server first, then the correct ones that do something in another way, then every fault."""
    liberties = [LIBERTY + name for name in (*LIBERTIES, *LIBERTIES_UNDER_LOAD) if name not in IRRELEVANT]
    return [CLEAN, *PROMISING, *liberties, *(one.name for one in catalogue_under_load())]


def judge(name: str) -> LoadRow:
    """Put a short load on one variant, again where the generator was too late to decide."""
    for _ in range(TRIES):
        row = play(name)
        if not (row.missed and row.late):
            break
    return row


def play(name: str) -> LoadRow:
    """Put a short load on one variant."""
    began = time.monotonic()
    overrides = {**VALUES, **PROFILES.get(name, {})}
    is_fault = name != CLEAN and name not in PROMISING and not name.startswith(LIBERTY)
    liberties = (name.removeprefix(LIBERTY),) if name.startswith(LIBERTY) else ()
    server_settings = ServerSettings(
        profile=load_profile(None, overrides),
        port=0,
        close_timeout=1.0,
        faults=(name,) if is_fault else (),
        liberties=liberties,
    )
    with running(server_settings) as server:
        settings = LoadSettings(
            server.url,
            USERS,
            USERS,
            600.0,
            "",
            dict.fromkeys(JOURNEYS, 1.0),
            channels=CHANNELS,
            rate=RATE,
            run="12345678",
            overrides=overrides,
        )
        document = LoadRun(settings).play(Enough())
    known = find(name) if is_fault else None
    return LoadRow(
        name,
        frozenset(known.breaks if known else ()),
        frozenset(known.entails if known else ()),
        {one: _finding(clause) for one, clause in failed(document).items()},
        document["verdict"],
        document["outcome"]["passed"],
        tuple(document["outcome"]["reasons"]),
        document["shed"],
        tuple(one["id"] for one in document["requirements"] if one["verdict"] == "inconclusive"),
        bool(document["generator"]["late"]),
        time.monotonic() - began,
    )


def _finding(clause: Mapping[str, Any]) -> Finding:
    first = clause["findings"][0]
    detail = next((one["detail"] for one in first["examples"] if one["detail"]), None)
    said = f"{first['message']}: {detail}" if detail else first["message"]
    return Finding(clause["level"], clause["failed"], clause["applied"], said)


@contextmanager
def rows(wanted: Sequence[str]) -> Iterator[dict[str, Future[LoadRow]]]:
    """Play variants in processes of their own, several at once."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        yield {name: pool.submit(judge, name) for name in wanted}


def main(arguments: Sequence[str]) -> int:
    """Print the table; 1 where a fault was missed or charged wrongly."""
    began, played = time.monotonic(), []
    with rows(arguments or names()) as futures:
        for future in futures.values():
            row = future.result()
            played.append(row)
            print(_line(row), flush=True)
            for line in _seen(row) if arguments or not row.good else ():
                print(f"    {line}", file=sys.stderr)
    bad = sum(not row.good for row in played)
    print(f"{bad} of {len(played)} rows are wrong; {time.monotonic() - began:.0f} s", file=sys.stderr)
    if not arguments:
        PAGE.write_text(page(played), encoding="utf-8")
    return 1 if bad else 0


def _line(row: LoadRow) -> str:
    found = " ".join(f"{name} ×{one.count}" for name, one in sorted(row.found.items()))
    shed = " ".join(f"{name}: {count}" for name, count in row.shed.items())
    return f"{row.name} | {found or 'nothing'} | {shed} | {row.verdict} | exit {0 if row.passed else 1}"


def _seen(row: LoadRow) -> Iterator[str]:
    for name, one in sorted(row.found.items()):
        mark = " (wrong)" if name in row.wrong else ""
        yield f"{name} {one.level}{mark}: {one.count} of {one.applied}, {one.said}"
    yield from (f"missed {name}" for name in sorted(row.missed))
    yield from (f"outcome: {one}" for one in row.reasons)
    yield f"undecided: {' '.join(row.undecided) or 'nothing'}; {row.seconds:.1f} s"


def page(played: Sequence[LoadRow]) -> str:
    """The table as a page of the documentation."""
    faults, right = [row for row in played if row.breaks], [row for row in played if not row.breaks]
    missed, wrong = (sum(bool(getattr(row, kind)) for row in faults) for kind in ("missed", "wrong"))
    broken = {name for row in faults for name in row.breaks}
    lines = [
        "# The matrix under load",
        "",
        "What a load test reports for servers that are wrong only now and then (`wsproof serve --fault NAME`): twelve",
        "users in four channels, for a few seconds. `python -m tests.load_matrix` (or `make matrix`) runs them all and",
        "writes this page; `tests/faults/test_load_matrix.py` is the test. [The matrix](matrix.md) is that of checks.",
        "",
        f"**{len(faults)} faults** in {len(broken)} requirements: {len(faults) - missed} detected, {missed} missed, "
        f"{wrong} attributed to an unrelated requirement.",
        f"**{len(right)} correct servers**: {sum(row.good for row in right)} passed, "
        f"{sum(not row.good for row in right)} failed.",
        "",
        "**Breaks** lists the requirements that a fault is meant to break, with how often it was found. *Also* lists",
        "requirements that the same behaviour necessarily violates, if the run reported them. A broken SHOULD alone",
        "leaves the verdict `conformant` and the exit code 0, unless the run is `--strict`.",
        "",
        "| fault | what the server does | breaks | also | verdict | exit |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in faults:
        breaks = " ".join(
            f"**{name}** {row.found[name].count}" if name in row.found else f"missed: {name}"
            for name in sorted(row.breaks)
        )
        also = " ".join(f"{name} {row.found[name].count}" for name in sorted(set(row.found) - row.breaks))
        summary = find(row.name).summary
        lines.append(f"| `{row.name}` | {summary} | {breaks} | {also} | {row.verdict} | {0 if row.passed else 1} |")
    lines += [
        "",
        "## Correct servers",
        "",
        "*Shed* lists what they refused because they were overloaded. It is counted, and is not a violation.",
        "",
        "| server | what it does | reported | shed | verdict | exit |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in right:
        reported = " ".join(sorted(row.found)) or "nothing"
        shed = ", ".join(row.shed)
        verdict = f"{row.verdict} | {0 if row.passed else 1}"
        lines.append(f"| `{row.name}` | {summary_of(row.name)} | {reported} | {shed} | {verdict} |")
    return "\n".join(lines) + "\n"


def summary_of(name: str) -> str:
    """What a correct server does."""
    liberty = {**LIBERTIES, **LIBERTIES_UNDER_LOAD}.get(name.removeprefix(LIBERTY))
    if name.startswith(LIBERTY) and liberty is not None:
        return liberty.summary
    return PROMISING.get(name, "What the specification says.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
