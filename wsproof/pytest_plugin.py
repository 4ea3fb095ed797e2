"""The scenarios as plain pytest items: `pytest -p wsproof.pytest_plugin --wsproof-url ws://…`.

It is no entry point: it loads only where it is asked for, since its packages have generic names. They stand on
the path only while they are imported.
"""

import os
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
    from conformance.generated.scenarios import origin
    from conformance.language.loading import SCENARIOS
    from conformance.language.suite import contract_scenarios
    from conformance.play.plan import DEFAULT_JOBS, Plan
    from conformance.run.peer_plugins import PeerPlugins, refuse_processes
    from conformance.run.plugin import Player, ScenarioCollector, register_marks
    from conformance.transport.target import UnreachableError, target_for
    from contract.errors import ContractError
    from contract.folder import ContractFolder
    from contract.model import Contract, load_contract
    from contract.profile import load_profile
    from contract.requirements import requirements_of
    from wsproof.commands.contracts import contract_at
    from wsproof.commands.endpoints import EndpointError, check_url
    from wsproof.commands.options import MAX_JOBS
    from wsproof.commands.profiles import DEFAULT_PROFILE


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `wsproof check`, as far as pytest has none of its own for them."""
    group = parser.getgroup("wsproof", "conformance of a WebSocket endpoint")
    group.addoption(
        "--wsproof-url", metavar="URL", help="endpoint; default: WSPROOF_URL, or the endpoint of the profile"
    )
    group.addoption(
        "--wsproof-profile",
        metavar="FILE",
        help=f"profile; default: WSPROOF_PROFILE, or {DEFAULT_PROFILE} in the current directory or in rootdir",
    )
    group.addoption(
        "--wsproof-contract",
        metavar="NAME|PATH",
        help="contract; default: WSPROOF_CONTRACT, `contract` in the profile, or chat",
    )
    group.addoption("--wsproof-strict", action="store_true", help="treat every SHOULD as a MUST")
    group.addoption(
        "--wsproof-allow-undecided",
        action="store_true",
        help="do not fail because most of the selected MUSTs are undecided",
    )
    group.addoption(
        "--wsproof-jobs", metavar="N", help=f"concurrent scenarios; default: WSPROOF_JOBS, or {DEFAULT_JOBS}"
    )
    group.addoption(
        "--wsproof-time-scale", metavar="X", default="1", help="multiply every deadline by this factor; default: 1"
    )
    group.addoption("--wsproof-bundled", action="store_true", help="collect the contract's scenarios")


def pytest_configure(config: pytest.Config) -> None:
    """Register the collector and the player."""
    refuse_processes(config)
    if config.getoption("--wsproof-bundled"):
        named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
        paths = [one.folder(SCENARIOS) for one in _contract(config).whole]
        paths.append(origin(_loaded(config)))
        config.args[:] = [*named, *(str(path) for path in paths if path is not None)]
    for plugin in (ScenarioCollector(), PeerPlugins()):
        config.pluginmanager.register(plugin)
    strict, allowed = config.getoption("--wsproof-strict"), config.getoption("--wsproof-allow-undecided")
    config.pluginmanager.register(Player(_plan, strict=strict, allow_undecided=allowed, contract_of=_loaded))
    if config.getoption("--markers"):  # else those of the files that are collected
        register_marks(config, contract_scenarios(_loaded(config), SCENARIOS))


def _plan(config: pytest.Config) -> Plan:
    try:
        folder = _contract(config)
        profile = load_profile(_profile_path(config), contract=folder)
        url = _setting(config, "url") or profile.endpoint
        if url is None:
            raise pytest.UsageError(f"no endpoint: give --wsproof-url, WSPROOF_URL, or `endpoint` in {DEFAULT_PROFILE}")
        check_url(url, profile)
        return Plan(
            target_for(url, profile),
            load_contract(folder, profile.limits),
            profile,
            requirements_of(folder),
            int(_number("jobs", _setting(config, "jobs") or DEFAULT_JOBS, 1, MAX_JOBS)),
            _number("time-scale", config.getoption("--wsproof-time-scale"), 0.1, 100),
        )
    except (ContractError, EndpointError, UnreachableError) as error:
        raise pytest.UsageError(str(error)) from None


def _contract(config: pytest.Config) -> ContractFolder:
    try:
        return contract_at(_setting(config, "contract"), _profile_path(config), config.invocation_params.dir)
    except ContractError as error:
        raise pytest.UsageError(str(error)) from None


def _loaded(config: pytest.Config) -> Contract:
    try:
        return load_contract(_contract(config))
    except ContractError as error:
        raise pytest.UsageError(str(error)) from None


def _setting(config: pytest.Config, name: str) -> str | None:
    """An option of ours, or else the command's variable of that name."""
    variable = f"WSPROOF_{name.upper()}"
    option = f"--wsproof-{name}"
    for source, value in ((option, config.getoption(option)), (variable, os.environ.get(variable))):
        if value is not None and not value.strip():
            raise pytest.UsageError(f"{source} is empty: give it a value, or leave it out")
        if value is not None:
            return str(value)
    return None


def _profile_path(config: pytest.Config) -> Path | None:
    given = _setting(config, "profile")
    if given is not None:
        return config.invocation_params.dir / given
    places = (folder / DEFAULT_PROFILE for folder in (config.invocation_params.dir, config.rootpath))
    return next((path for path in places if path.is_file()), None)


def _number(name: str, text: str | int, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not least <= value <= most or (isinstance(least, int) and value != int(value)):
        raise pytest.UsageError(f"--wsproof-{name} {text}: expected a number from {least} to {most}")
    return value
