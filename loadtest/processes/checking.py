"""Settings are checked before any load starts; what cannot work gets one clear line."""

import math
from pathlib import Path

from contract.model import load_contract
from contract.profile import Profile, load_profile
from loadtest.delivery.stamps import LENGTH, MAX_WORKERS
from loadtest.measure.phases import phases_of
from loadtest.measure.thresholds import parse_threshold
from loadtest.settings.settings import LoadError, LoadSettings, contract_of, load_journeys
from loadtest.settings.tokens import read_tokens
from loadtest.users.journey_compiler import compile_journey

try:
    import resource
except ImportError:  # pragma: no cover  # no such limits on Windows
    resource = None  # type: ignore[assignment]

SPARE_DESCRIPTORS = 100
SMALLEST_SIZE = LENGTH + 1
"""Characters of a text that holds a stamp and a space."""


def check_settings(settings: LoadSettings) -> Profile:
    """The profile that the settings name. Raises `LoadError` and `ContractError` for what cannot work."""
    _check_numbers(settings)
    if settings.source_addresses and settings.master is not None:
        raise LoadError("--source-address cannot be used with --master: give it to each --worker")
    if settings.abort_on_breach and not settings.thresholds:
        raise LoadError("--abort-on-breach needs a --threshold")
    if not settings.journeys:
        raise LoadError("no journey to run")
    profile = read_profile(settings)
    contract = load_contract(contract_of(settings), profile.limits)
    known = {one.id: one for one in load_journeys(contract, settings.journey_file)}
    for name in settings.journeys:
        if name not in known:
            raise LoadError(f"--journey {name}: no such journey; known: {', '.join(sorted(known))}")
        compile_journey(known[name], contract, profile)
    phases = [one.name for one in phases_of(settings)]
    for text in settings.thresholds:
        phase = parse_threshold(text).phase
        if phase is not None and phase not in phases:
            raise LoadError(f"--threshold {text!r}: the phases of this run are {', '.join(phases)}; got {phase!r}")
    if settings.size is not None and not SMALLEST_SIZE <= settings.size <= profile.limits.text_length:
        limit = profile.limits.text_length
        raise LoadError(f"--size {settings.size}: expected {SMALLEST_SIZE} to {limit} characters (limits.text_length)")
    read_tokens(settings.tokens, profile, settings.most_users)
    if settings.master is None:
        raise_descriptor_limit(math.ceil(settings.most_users / settings.processes))
    return profile


def _check_numbers(settings: LoadSettings) -> None:
    counts = [("--users", settings.most_users), ("--channels", settings.channels), ("--processes", settings.processes)]
    if settings.master is not None:
        counts.append(("--expect-workers", settings.expect_workers))
    for option, count in counts:
        if count < 1:
            raise LoadError(f"{option} {count}: expected at least 1")
    if settings.players >= MAX_WORKERS:
        raise LoadError(f"{settings.players} processes: expected fewer than {MAX_WORKERS}")
    if settings.processes > settings.most_users:
        raise LoadError(f"--processes {settings.processes}: expected at most {settings.users}, the number of users")
    for option, value in (
        ("--spawn-rate", settings.spawn_rate),
        ("--time", settings.whole_duration),
        ("--rate", settings.rate),
        ("--wait", settings.wait),
        *((f"--stages {one.users}", one.seconds) for one in settings.stages),
        *(("--stages", one.rate) for one in settings.stages if one.rate is not None),
    ):
        if not (value > 0 and math.isfinite(value)):
            raise LoadError(f"{option} {value:g}: expected more than 0")


def raise_descriptor_limit(users: int = 0) -> None:
    """Raise this process's limit, which its children inherit, to what so many users need. Raises `LoadError`."""
    if resource is None:  # pragma: no cover
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = users + SPARE_DESCRIPTORS if users else hard
    if soft == resource.RLIM_INFINITY or (needed != resource.RLIM_INFINITY and soft >= needed):
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise LoadError(f"--users {users}: needs {needed} file descriptors, but the hard limit is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def read_profile(settings: LoadSettings) -> Profile:
    """The profile that the settings name. Raises `ContractError`, and `LoadError` where it offers no channel."""
    profile = load_profile(
        Path(settings.profile) if settings.profile else None, settings.overrides, contract=contract_of(settings)
    )
    if not profile.channels.open:
        raise LoadError("the profile's channels.open lists no channel; virtual users need one")
    return profile
