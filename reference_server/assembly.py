"""Puts a server together from its settings; the one place where faults and liberties join it."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from contract.model import load_contract
from contract.profile import Profile
from reference_server import faults
from reference_server import variants as liberties
from reference_server.chat.hub import Hub
from reference_server.chat.session import Rules
from reference_server.core.accounts import Accounts
from reference_server.core.handshake import Door
from reference_server.core.hooks import Hook
from reference_server.core.server import Core
from reference_server.core.settings import ServerSettings, spoken
from wire.close_codes import is_legal_code


@dataclass(frozen=True, slots=True)
class Assembly:
    """A server that lacks nothing but a network. `profile` is what it obeys, faults included."""

    profile: Profile
    door: Door
    core: Core
    hooks: tuple[Hook, ...]


def assemble(settings: ServerSettings, wall_clock: Callable[[], float] = time.time) -> Assembly:
    """Build a server.

    Raises `UnknownFaultError`, `UnknownLibertyError`, and `ValueError` for a profile that no server could obey.
    """
    hooks = (
        *(faults.find(name).make() for name in settings.faults),
        *(liberties.find(name).make() for name in settings.liberties),
    )
    profile = settings.profile
    for hook in hooks:
        profile = hook.changed_profile(profile)
    _check_close_codes(settings.profile)
    rules = Rules(profile, load_contract(spoken(), profile.limits), settings.rate_limit)
    hub = Hub(rules, secrets.token_hex(4), wall_clock)
    for hook in hooks:
        hook.attach(hub, settings.profile, settings.endpoint_path)
    door = Door(settings.endpoint_path, profile.auth, Accounts(profile), profile.access.subprotocols)
    return Assembly(profile, door, Core(hub, hooks), hooks)


def _check_close_codes(profile: Profile) -> None:
    for cause, code in profile.close_codes.items():
        if not is_legal_code(code):
            raise ValueError(f"close_codes.{cause}: {code} is not legal on the wire (RFC 6455 §7.4)")
