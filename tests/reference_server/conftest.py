"""Servers to test: without sockets, and real ones on free ports."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from contract.profile import Profile
from reference_server.core.settings import ServerSettings
from reference_server.network import running
from tests.bundled import load_profile
from tests.reference_server.bench import Bench


@pytest.fixture
def profile() -> Profile:
    """The defaults, with the reference server's fixtures."""
    return load_profile()


@pytest.fixture
def make_bench(profile: Profile) -> Callable[..., Bench]:
    """Build a bench with other settings than the defaults."""
    return lambda **options: Bench(replace(ServerSettings(profile=profile), **options))


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """The clean server."""
    return make_bench()


@pytest.fixture
def start(profile: Profile) -> Iterator[Callable[..., str]]:
    """Start real servers on free ports; each call returns a URL."""
    with ExitStack() as stack:

        def started(**options: Any) -> str:
            settings = replace(ServerSettings(profile=profile, port=0, close_timeout=0.5), **options)
            return stack.enter_context(running(settings)).url

        yield started
