"""Every fault is charged to the requirements it breaks, and to none besides.

Only a share of the scenarios is played against each here; `make matrix` plays them all. `make test` plays the first
fault of each section, and the clean server.
"""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from reference_server.faults import catalogue
from reference_server.variants import LIBERTIES
from tests.matrix import CLEAN, LIBERTY, PAGE, Row, rows
from tests.slow import slow_but

FIRST = {one.breaks[0].partition("-")[0]: one.name for one in reversed(catalogue())}.values()
"""One fault of each section."""

UNDECIDED = {
    LIBERTY + "invalid-bursts-limited": {
        "auth-token-not-repeated",
        "env-sequence",
        "err-burst-of-all-kinds",
        "err-burst-of-all-kinds-in-order",
        "err-bursts-of-two-connections",
        "err-codes",
        "err-one-after-the-other",
        "err-seen-by-no-other-user",
        "err-seen-by-nobody-else",
        "join-without-permission",
        "send-order-amid-other-messages",
    }
}
"""Scenarios that a correct server leaves undecided: they send invalid messages faster than it takes them."""


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Row]]]:
    """The rows that this run asks for, played side by side."""
    wanted = [
        item.callspec.params["name"]
        for item in request.session.items
        if hasattr(item, "callspec") and item.path == request.path
    ]
    with rows(wanted, whole=False) as futures:
        yield futures


@pytest.mark.parametrize("name", slow_but(FIRST, (one.name for one in catalogue())))
def test_fault_is_charged_to_what_it_breaks(name: str, played: dict[str, Future[Row]]) -> None:
    row = played[name].result()
    assert not row.errors, row.errors
    assert not row.missed, f"missed {sorted(row.missed)}; reported {sorted(row.reported)}"
    assert not row.wrong, "\n".join(f"{one}: {row.seen[one]}" for one in sorted(row.wrong))


@pytest.mark.parametrize("name", slow_but([CLEAN], [CLEAN, *(LIBERTY + name for name in LIBERTIES)]))
def test_correct_server_is_acquitted(name: str, played: dict[str, Future[Row]]) -> None:
    row = played[name].result()
    assert not row.reported, row.seen
    assert not row.errors
    undecided = {one.partition("/")[0] for one in row.undecided}
    assert undecided <= UNDECIDED.get(name, set()), row.undecided


def test_the_page_has_every_row() -> None:
    """`make matrix` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    for one in catalogue():
        assert f"| `{one.name}` | {one.summary} |" in text
    for name in LIBERTIES:
        assert f"| `{LIBERTY}{name}` |" in text
