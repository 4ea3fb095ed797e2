"""The endpoint of tests that run real load tests."""

from collections.abc import Iterator

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The reference server, with a heartbeat that a short run sees."""
    profile = load_profile(None, {"heartbeat.interval": 0.5, "heartbeat.timeout": 5})
    with running(ServerSettings(profile=profile, port=0)) as server:
        yield server.url
