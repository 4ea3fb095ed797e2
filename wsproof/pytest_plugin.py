"""The scenarios as plain pytest items: `pytest -p wsproof.pytest_plugin --wsproof-url ws://…`.

It is no entry point: it loads only where it is asked for, since its packages have generic names. They stand on
the path only while they are imported.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from wsproof.launcher import home, take_the_lead


@contextmanager
def _own_packages() -> Iterator[None]:
    before = list(sys.path)
    take_the_lead(home())
    try:
        yield
    finally:
        sys.path[:] = before


with _own_packages():
    from conformance.loading import BUNDLED
    from conformance.plan import DEFAULT_JOBS, Plan
    from conformance.plugin import Player, ScenarioCollector
    from conformance.transport import UnreachableError, resolve
    from contract.errors import ContractError
    from contract.model import load_contract
    from contract.profile import load_profile
    from contract.requirements import load_requirements
    from wsproof.endpoints import EndpointError, check_url


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `wsproof check`, as far as pytest has none of its own for them."""
    group = parser.getgroup("wsproof", "conformance of a WebSocket endpoint")
    group.addoption("--wsproof-url", metavar="URL", help="the endpoint; default: that of the profile")
    group.addoption("--wsproof-profile", metavar="FILE", type=Path, help="the endpoint's file")
    group.addoption("--wsproof-strict", action="store_true", help="count SHOULDs as MUSTs")
    group.addoption(
        "--wsproof-allow-undecided", action="store_true", help="pass even if most of the selected MUSTs are undecided"
    )
    group.addoption("--wsproof-jobs", metavar="N", type=int, default=DEFAULT_JOBS, help="scenarios at once")
    group.addoption("--wsproof-time-scale", metavar="X", type=float, default=1.0, help="stretch every deadline")
    group.addoption("--wsproof-bundled", action="store_true", help="collect the bundled scenarios")


def pytest_configure(config: pytest.Config) -> None:
    """Register the collector and the player."""
    if config.getoption("--wsproof-bundled"):
        config.args.append(str(BUNDLED))
    config.pluginmanager.register(ScenarioCollector())
    strict, allowed = config.getoption("--wsproof-strict"), config.getoption("--wsproof-allow-undecided")
    config.pluginmanager.register(Player(_plan, strict=strict, allow_undecided=allowed))
    groups = ("conn", "auth", "hb", "env", "join", "send", "err", "close", "wire")
    for name in ("slow", "control", "additional", "isolation", *groups):
        config.addinivalue_line("markers", f"{name}: scenarios of wsproof")


def _plan(config: pytest.Config) -> Plan:
    try:
        profile = load_profile(config.getoption("--wsproof-profile"))
        given = config.getoption("--wsproof-url")
        if given is not None and not given.strip():
            raise pytest.UsageError("--wsproof-url is empty: give it a URL, or leave it out")
        url = given or profile.endpoint
        if url is None:
            raise pytest.UsageError("give --wsproof-url, or --wsproof-profile with an endpoint in it")
        check_url(url, profile)
        return Plan(
            resolve(url, verify=profile.tls.verify, ca=profile.tls.ca),
            load_contract(None, profile.limits),
            profile,
            load_requirements(),
            config.getoption("--wsproof-jobs"),
            config.getoption("--wsproof-time-scale"),
        )
    except (ContractError, EndpointError, UnreachableError) as error:
        raise pytest.UsageError(str(error)) from None
