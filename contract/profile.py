"""The profile: what an endpoint may choose for itself, and the fixtures it offers (`wsproof.yaml`)."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from contract.access import Access, check_access, read_access, token_problem
from contract.choices import (
    CLOSE_CODES,
    TOKEN_NAMES,
    Auth,
    Heartbeat,
    History,
    Limits,
    Reconnect,
    Tls,
    Where,
    read_error_codes,
    read_heartbeat,
    read_reconnect,
    read_tls,
)
from contract.commands import with_outputs
from contract.consistency import contradictions
from contract.defaults import defaults, with_defaults
from contract.durations import seconds
from contract.errors import ContractError
from contract.files import Document, load_yaml
from contract.fixtures import Channels, Tokens, User, read_channels, read_tokens, read_users, renewed
from contract.folder import ContractFolder
from contract.mistakes import check_document, refuse
from contract.overrides import culprit, expand, overridden, part_problem, refuse_overrides, unset
from contract.redaction import named_secrets
from contract.roles import Roles
from contract.user_members import asked_members, hidden_texts


@dataclass(frozen=True, slots=True)
class Profile:
    """An endpoint's values and fixtures. All durations are in seconds."""

    endpoint: str | None = None
    auth: Auth = field(default_factory=Auth)
    origin: str | None = None
    """The `Origin` of every handshake; None: none is sent."""
    ack_timeout: float = 5.0
    response_timeout: float = 5.0
    quiet_period: float = 0.5
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    close_codes: Mapping[str, int] = field(default_factory=lambda: CLOSE_CODES)
    error_codes: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    declared_limits: frozenset[str] = field(default=frozenset(), compare=False)
    """Those that the profile or its contract gives; the others are only assumed."""
    reconnect: Reconnect = field(default_factory=Reconnect)
    load_thresholds: tuple[str, ...] = ()
    """What a load test has to keep where nobody names other thresholds."""
    users: Mapping[str, User] = field(default_factory=dict)
    tokens: Tokens = field(default_factory=Tokens)
    channels: Channels = field(default_factory=Channels)
    history: History = "none"
    """What was said before is replayed to whoever joins a channel, or to a user that connects again."""
    tls: Tls = field(default_factory=Tls)
    access: Access = field(default_factory=Access)
    offered: tuple[str, ...] = ()
    """The subprotocols of the contract, which a handshake offers unless a scenario says otherwise."""
    path: str | None = None
    """What follows the endpoint's path by the contract, with references to the user's members; None: nothing does."""
    hidden: tuple[str, ...] = field(default=(), repr=False)
    """What users send as credentials beside their tokens."""

    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the endpoint's own scenarios and contract ask for by `${value.NAME}`."""

    def secrets(self) -> tuple[str, ...]:
        """Every token and credential of the profile, and what stands before the server, longest first, for masking."""
        found = {*self.hidden, *(token for _, token in self.all_tokens())}
        found |= {*self.access.secrets(), *self.tokens.minted}
        found |= {secret for user in self.users.values() for secret in named_secrets(user.members)}
        found |= {*named_secrets(self.values)}
        return tuple(sorted(found, key=len, reverse=True))

    def all_tokens(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """Every token, behind the names that lead to it."""
        yield from ((("users", user.key, "token"), user.token) for user in self.users.values() if user.token)
        tokens = self.tokens
        named = (("invalid", tokens.invalid), ("expired", tokens.expired), ("expiring", tokens.expiring))
        yield from ((("tokens", name), token) for name, token in named if token)


def load_profile(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    contract: ContractFolder | None = None,
    run_commands: bool = True,
) -> Profile:
    """Read a profile. What it does not say, the contract says; without `path`, all.

    `overrides` maps dotted names (`heartbeat.interval`) to values that replace the file's. A file that names
    any of users, tokens and channels offers only the fixtures that it names. Without `run_commands`, secrets that
    commands print are others. Raises `ContractError`.
    """
    standing = defaults(contract)
    document = _file(path)
    own = document.value
    if isinstance(own, dict) and overrides:
        document = Document(document.path, overridden(own, overrides), document.node)
    # What a variable stands for is held against the schema, and not its name.
    refuse(document, unset(document.value, environ))
    expanded = Document(document.path, expand(document.value, environ), document.node)
    if isinstance(own, dict):
        # An override has no line in the file: its errors name the option instead.
        for name in overrides or ():
            problem = part_problem(name, document.value, expanded.value)
            if problem is not None:
                option = culprit(name, own, overrides or {}, environ)
                raise ContractError(f"--set {option}: {problem.removeprefix(f'{option}: ')}")
    check_document(expanded, "profile", document.value)
    folder = document.path.parent
    value = with_outputs(expanded.value, folder, expanded.error, run=run_commands)
    roles = contract.roles if contract is not None else Roles()
    causes = roles.errors.codes
    whole = with_defaults(value, standing)
    found = [*contradictions(value, document.value, standing, causes, asked_members(roles))]
    refuse_overrides(found, overrides or {})
    refuse(document, found)
    try:
        members = ((standing.get("channels") or {}).get("private") or {}).get("members", ())
        profile = _profile(whole, folder, overrides or {}, causes, members)
        profile = replace(
            profile,
            tokens=renewed(profile.tokens, expanded.value.get("tokens") or {}, folder),
            offered=roles.subprotocols.offer,
            path=roles.path,
            hidden=hidden_texts(profile.users.values(), roles),
        )
    except ValueError as error:
        raise ContractError(str(error), document.path) from None
    _check_travelling(profile, expanded)
    return profile


def _file(path: Path | None) -> Document:
    document = load_yaml(path) if path is not None else Document(Path("(defaults)"), {}, None)
    return Document(document.path, {}, None) if document.value is None else document


def _check_travelling(profile: Profile, document: Document) -> None:
    """Raise `ContractError` for what cannot stand where it has to travel."""
    check_access(profile.access, profile.auth.header, document.error)
    for place, token in profile.all_tokens():
        problem = token_problem(token, profile.auth.where)
        if problem is not None:
            raise document.error(f"{'.'.join(place)} {problem}", place)


def _profile(
    value: Mapping[str, Any],
    folder: Path,
    overrides: Mapping[str, Any],
    causes: Iterable[str],
    members: Iterable[str],
) -> Profile:
    auth = value.get("auth", {})
    where: Where = auth.get("in", "query")
    return Profile(
        endpoint=value.get("endpoint"),
        auth=Auth(where, auth.get("name", TOKEN_NAMES[where])),
        origin=value.get("origin"),
        ack_timeout=seconds(value.get("ack_timeout", 5)),
        response_timeout=seconds(value.get("response_timeout", 5)),
        quiet_period=seconds(value.get("quiet_period", 0.5)),
        heartbeat=read_heartbeat(value.get("heartbeat", {})),
        close_codes=MappingProxyType({**CLOSE_CODES, **value.get("close_codes", {})}),
        error_codes=read_error_codes(value.get("error_codes", {}), causes),
        limits=Limits(**value.get("limits", {})),
        declared_limits=frozenset(value.get("limits", {})),
        reconnect=read_reconnect(value.get("reconnect", {})),
        load_thresholds=tuple(value.get("load", {}).get("thresholds", ())),
        users=MappingProxyType(read_users(value.get("users") or {})),
        tokens=read_tokens(value.get("tokens") or {}),
        channels=read_channels(value.get("channels") or {}, members),
        history=value.get("history", "none"),
        tls=read_tls(value.get("tls", {}), folder, overrides),
        access=read_access(value),
        values=dict(value.get("values") or {}),
    )
