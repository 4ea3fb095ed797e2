"""A load test charges every fault that shows only under load to what it breaks, and accuses no correct server.

One fault of each requirement is played here, and all servers that shed load; `make matrix` plays everything, and
`make test` three faults and the clean server.
"""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from loadtest.judge.judge import Judged
from loadtest.judge.verdict import requirement_results
from reference_server.faults import catalogue_under_load, find
from reference_server.variants import LIBERTIES_UNDER_LOAD
from tests.bundled import load_requirements
from tests.load_matrix import CLEAN, LIBERTY, PAGE, PROMISING, LoadRow, names, rows, summary_of
from tests.slow import slow_but

FIRST = list({one.breaks[0]: one.name for one in reversed(catalogue_under_load())}.values())[::-1]
"""One fault of each requirement."""

RIGHT = (CLEAN, *PROMISING, *(LIBERTY + name for name in LIBERTIES_UNDER_LOAD))


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[LoadRow]]]:
    """The rows that this run asks for, played side by side."""
    wanted = [
        item.callspec.params["name"]
        for item in request.session.items
        if hasattr(item, "callspec") and item.path == request.path
    ]
    with rows(wanted) as futures:
        yield futures


@pytest.mark.parametrize("name", slow_but(FIRST[:3], FIRST))
def test_fault_is_charged_to_what_it_breaks(name: str, played: dict[str, Future[LoadRow]]) -> None:
    row = played[name].result()
    assert not row.missed, f"missed {sorted(row.missed)}; found {row.found}"
    assert not row.wrong, row.found
    assert row.verdict == ("non-conformant" if row.must else "conformant"), row.reasons
    assert row.passed is not row.must


@pytest.mark.parametrize("name", slow_but([CLEAN], RIGHT))
def test_correct_server_is_acquitted(name: str, played: dict[str, Future[LoadRow]]) -> None:
    row = played[name].result()
    assert not row.found
    assert (row.verdict, row.passed) == ("conformant", True), row.reasons


@pytest.mark.slow
def test_load_that_is_shed_is_counted(played: dict[str, Future[LoadRow]]) -> None:
    shed = {name: set(played[LIBERTY + name].result().shed) for name in LIBERTIES_UNDER_LOAD}
    assert {name: kinds for name, kinds in shed.items() if kinds} == {
        "handshakes-shed-503": {"HTTP 503"},
        "handshakes-shed-429": {"HTTP 429"},
        "posts-rate-limited": {"RATE_LIMITED"},
        "posts-rate-limited-tersely": {"RATE_LIMITED"},
        "joins-rate-limited": {"RATE_LIMITED"},
        "connections-closed-for-load": {"4429"},
    }


def test_every_requirement_that_load_can_judge_is_broken() -> None:
    judged = {one.id for one, _ in requirement_results(load_requirements(), Judged())}
    assert judged == {name for one in catalogue_under_load() for name in one.breaks}


def test_the_page_has_every_row() -> None:
    """`make matrix` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    for one in catalogue_under_load():
        assert f"| `{one.name}` | {find(one.name).summary} |" in text
    for name in set(names()) - {one.name for one in catalogue_under_load()}:
        assert f"| `{name}` | {summary_of(name)} |" in text
