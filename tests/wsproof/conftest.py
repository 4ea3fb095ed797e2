"""The endpoint of tests that need no other."""

from collections.abc import Iterator

import pytest

from contract.profile import load_profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running


@pytest.fixture(scope="module")
def reference() -> Iterator[str]:
    """The URL of a reference server as it is by default."""
    with running(ServerSettings(profile=load_profile(), port=0)) as server:
        yield server.url
