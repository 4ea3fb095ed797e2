"""Every fault is charged to the requirements it breaks, and to none besides.

The WIRE scenarios are left out where a fault does not touch the transport, and the others where it touches nothing
else; `make matrix` plays them all.
"""

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from tests.matrix import CLEAN, Row, names, rows


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


@pytest.mark.parametrize("name", names())
def test_fault_is_charged_to_what_it_breaks(name: str, played: dict[str, Future[Row]]) -> None:
    row = played[name].result()
    assert not row.errors, row.errors
    assert not row.missed, f"missed {sorted(row.missed)}; reported {sorted(row.reported)}"
    assert not row.wrong, "\n".join(f"{one}: {row.seen[one]}" for one in sorted(row.wrong))


def test_the_clean_server_is_acquitted(played: dict[str, Future[Row]]) -> None:
    assert not played[CLEAN].result().reported
