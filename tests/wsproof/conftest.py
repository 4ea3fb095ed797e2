"""The endpoint of tests that need no other."""

from collections.abc import Iterator

import pytest

from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The URL of a reference server as it is by default."""
    with running(ServerSettings(profile=load_profile(), port=0)) as server:
        yield server.url
