"""A refusal proves that a token is bad only where good ones are accepted beside it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from tests.conformance.certificates import certificate
from tests.conformance.servers import websocket_server
from tests.evidence.edge import edge_before
from tests.evidence.servers import check, mortal, reference
from tests.evidence.situations import BUSY, TooManyHandshakes, turning_bad_tokens_away
from tests.hostile.checking import Checked

ACCEPTING_EVERYBODY = ("no-token-accepted", "invalid-token-accepted", "expired-token-accepted")

BAD_TOKENS = ("AUTH-01", "AUTH-02", "AUTH-03")

EDGES = [(429, 40, 1), (503, 40, 3)]
"""Status, handshakes a second that are never turned away, and which of the others are."""

CROWDED = [word for group in ("AUTH", "CONN", "JOIN", "ERR") for word in ("--select", group)]
"""Enough handshakes to be turned away."""


def verdicts(run: Checked) -> dict[str, str]:
    """Of AUTH-01 to AUTH-03."""
    return {one["id"]: one["verdict"] for one in run.document["requirements"] if one["id"] in BAD_TOKENS}


@pytest.mark.slow
@pytest.mark.parametrize(("status", "a_second", "nth"), [*EDGES, (429, 2, 1)])
def test_an_overloaded_edge_does_not_hide_that_bad_tokens_are_accepted(
    status: int, a_second: int, nth: int, tmp_path: Path
) -> None:
    options = CROWDED if a_second > 10 else ["--select", "AUTH"]
    door = TooManyHandshakes(BUSY[status], a_second, nth)
    with reference(*ACCEPTING_EVERYBODY) as url, edge_before(url, door) as outside:
        run = check(outside, tmp_path, *options)
    assert verdicts(run) == dict.fromkeys(BAD_TOKENS, "failed")
    assert run.failed() <= {*BAD_TOKENS, "AUTH-04"}


@pytest.mark.slow
@pytest.mark.parametrize(("status", "a_second", "nth"), EDGES)
def test_an_overloaded_edge_is_no_fault_of_the_server(status: int, a_second: int, nth: int, tmp_path: Path) -> None:
    with reference() as url, edge_before(url, TooManyHandshakes(BUSY[status], a_second, nth)) as outside:
        run = check(outside, tmp_path, *CROWDED)
    assert run.failed() == set()
    assert {
        one["id"] for one in run.document["requirements"] if one["verdict"] != "passed" and one["selected"]
    } == set()
    assert run.code == 0, run.terminal


@pytest.mark.slow
def test_bad_tokens_refused_with_503_are_refused(tmp_path: Path) -> None:
    """With another status than the one that says so."""
    with reference() as url, edge_before(url, turning_bad_tokens_away(BUSY[503])) as outside:
        run = check(outside, tmp_path)
    assert verdicts(run) == dict.fromkeys(BAD_TOKENS, "passed")
    assert run.failed() == {"AUTH-04"}


@pytest.mark.slow
def test_where_every_handshake_is_refused_no_refusal_proves_anything(tmp_path: Path) -> None:
    with reference("handshake-refused") as url:
        run = check(url, tmp_path)
    assert "CONN-01" in run.failed()
    assert {*verdicts(run).values()} <= {"inconclusive", "untested"}


@pytest.mark.slow
def test_a_reset_is_no_refusal(tmp_path: Path) -> None:
    with reference() as url, edge_before(url, turning_bad_tokens_away(b"")) as outside:
        run = check(outside, tmp_path)
    assert "passed" not in verdicts(run).values()


@pytest.mark.slow
def test_a_port_where_nobody_listens_is_no_refusal(tmp_path: Path) -> None:
    """The server ends with the first handshake, and stays away."""
    with mortal("1", "never") as url:
        run = check(url, tmp_path)
    assert run.failed() == set()
    assert "passed" not in verdicts(run).values()
    assert run.code != 0, run.terminal


@contextmanager
def asking_for_a_certificate(folder: Path) -> Iterator[str]:
    """A TLS endpoint that ends every connection with an alert, since the client has no certificate."""
    own = certificate(folder, "localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.cert, own.key)
    context.load_verify_locations(own.cert)
    context.verify_mode = ssl.CERT_REQUIRED
    with websocket_server(never_reached, tls=context) as url:
        yield url


def never_reached(connection: ServerConnection) -> None:
    """Nobody gets beyond TLS."""
    raise AssertionError(connection.request)


def test_a_tls_alert_is_no_refusal(tmp_path: Path) -> None:
    with asking_for_a_certificate(tmp_path) as url:
        run = check(url, tmp_path, "--set", f"tls.ca={tmp_path / 'localhost.pem'}")
    if run.code == 3:
        assert "cannot be reached" in run.terminal
        return
    assert run.code == 1, run.terminal
    assert "passed" not in verdicts(run).values()
