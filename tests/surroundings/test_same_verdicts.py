"""The reference server is acquitted whatever happens around it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.surroundings.adversity import busy_cores, standing_still
from tests.surroundings.checked import ROOT, Verdicts, checked, serving
from tests.surroundings.proxy import delayed

pytestmark = pytest.mark.slow

CHANNELS = ("market-square", "station", "harbour")


@contextmanager
def strangers(url: str) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.surroundings.strangers", url, *CHANNELS]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        yield
    finally:
        process.communicate()


PROFILE = """
heartbeat: {interval: 1s, timeout: 2s}
users:
  alice: {token: alice-token}
  bob: {token: bob-token}
  carol: {token: carol-token}
tokens: {expired: expired-token, expiring: {token: expiring-token, after: 2s}}
channels:
  open: [market-square, station, harbour]
  private: channel-private
  missing: missing-{nonce}
"""


@pytest.fixture
def shared_channels(tmp_path: Path) -> str:
    """A profile whose scenarios have no channels of their own."""
    path = tmp_path / "wsproof.yaml"
    path.write_text(PROFILE)
    return str(path)


def undecided_or_failed(verdicts: Verdicts) -> dict[str, str | None]:
    return {name: verdicts.reasons[name] for name, verdict in verdicts.of.items() if verdict != "passed"}


def test_busy_cores_and_a_server_that_stands_still() -> None:
    with serving() as server, busy_cores(), standing_still(server.process.pid):
        assert undecided_or_failed(checked(server.url)) == {}


def test_strangers_on_the_same_channels(shared_channels: str) -> None:
    with serving() as server, strangers(server.url):
        undecided = undecided_or_failed(checked(server.url, profile=("--profile", shared_channels)))
    # Three channels are too few for one scenario, have the names that they have, and others are there as well.
    lacking = {name.partition("/")[0] for name in undecided}
    assert lacking == {
        "join-many-channels",
        "join-similar-names",
        "join-any-name",
        "send-beside-a-member-that-does-not-read",
        "send-beside-a-poster-that-does-not-read",
        "send-while-an-unread-member-ends",
        "close-silent-client-is-owed-much",
        "close-answered-with-much-unread",
    }


def test_strangers_and_a_server_that_tells_of_them(shared_channels: str) -> None:
    """Events that the contract does not name are a SHOULD (ENV-08), and are charged to nothing else."""
    with serving("--fault", "presence-announced") as server, strangers(server.url):
        verdicts = checked(server.url, profile=("--profile", shared_channels))
    assert verdicts.overall == "conformant"
    requirements = {name for name in undecided_or_failed(verdicts) if name == name.upper()}
    assert requirements == {"ENV-08"}


def test_a_link_with_a_delay(tmp_path: Path) -> None:
    """300 ms there and 300 ms back."""
    with serving() as server, delayed(server.port, 0.3) as port:
        url = server.url.replace(f":{server.port}", f":{port}")
        assert undecided_or_failed(checked(url, "--time-scale", "3", "--jobs", "120")) == {}
