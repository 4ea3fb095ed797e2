"""What holds for all tests, and the servers that tests of several folders play against."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.conformance.chat import Chat
from wsproof.launcher import GARBAGE

# No test has a wall-clock limit: a busy machine draws and plays slowly, and is right all the same.
settings.register_profile(
    "any-machine", parent=settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("many", parent=settings.get_profile("any-machine"))
# `make test` tries few examples of each property; `make test-slow` tries them again with many.
settings.register_profile("few", parent=settings.get_profile("any-machine"), max_examples=25)
settings.load_profile("few")

# What collection makes lives to the end: searching it for garbage again and again took half of the time of collection.
gc.disable()


def pytest_collection_finish() -> None:
    """Leave modules, scenarios and the list of tests out of every search for garbage from here on."""
    gc.freeze()
    gc.set_threshold(GARBAGE)
    gc.enable()


@pytest.fixture
def url() -> Iterator[str]:
    """A chat server of a few lines, where a folder or a module has no other."""
    with Chat().serve() as address:
        yield address
