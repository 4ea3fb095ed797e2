"""The profile: what an endpoint may choose for itself, and the fixtures it offers (`wsproof.yaml`)."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from contract.errors import ContractError
from contract.files import Document, load_yaml
from contract.schemas import check_document

DEFAULT_PATH = "/v1/socket"

Where = Literal["query", "header", "subprotocol"]
HeartbeatForm = Literal["message", "control", "none"]


@dataclass(frozen=True, slots=True)
class Auth:
    """Where the token travels: a query parameter, a header, or a subprotocol offered beside `name`."""

    where: Where = "query"
    name: str = "access_token"


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """`interval` and `timeout` in seconds; `tolerance` as a fraction of the interval."""

    interval: float = 30.0
    tolerance: float = 0.2
    timeout: float = 10.0
    form: HeartbeatForm = "message"


@dataclass(frozen=True, slots=True)
class Limits:
    """`message_bytes` of a whole message in bytes, `text_length` in Unicode code points."""

    message_bytes: int = 65_536
    text_length: int = 4_096


@dataclass(frozen=True, slots=True)
class Reconnect:
    """A client's backoff: `base` and `cap` in seconds."""

    base: float = 1.0
    factor: float = 2.0
    cap: float = 30.0
    jitter: str = "full"


@dataclass(frozen=True, slots=True)
class User:
    """A fixture user; `key` is its role in scenarios (alice, bob, carol)."""

    key: str
    token: str = field(repr=False)
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens that are no user's. `expiring_after` in seconds from connecting; None: not offered."""

    invalid: str = field(default="wsproof-invalid-token", repr=False)
    expired: str | None = field(default=None, repr=False)
    expiring: str | None = field(default=None, repr=False)
    expiring_after: float = 2.0
    load: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Channels:
    """`open`: a pattern with `{nonce}` where users create channels, or the closed list of usable ones."""

    open: str | tuple[str, ...] = "wsproof-{nonce}"
    private: str | None = None
    private_members: tuple[str, ...] = ("carol",)
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Tls:
    """How a `wss` endpoint's certificate is checked; `ca` is a PEM file."""

    verify: bool = True
    ca: str | None = None


CLOSE_CODES: Mapping[str, int] = MappingProxyType(
    {
        "normal": 1000,
        "going_away": 1001,
        "protocol_error": 1002,
        "unsupported_data": 1003,
        "invalid_utf8": 1007,
        "policy": 1008,
        "too_large": 1009,
        "internal_error": 1011,
        "token_expired": 4401,
        "heartbeat_timeout": 4408,
        "rate_limited": 4429,
    }
)

ERROR_CODES: Mapping[str, str] = MappingProxyType(
    {
        name: name
        for name in (
            "INVALID_JSON",
            "INVALID_MESSAGE",
            "INVALID_PAYLOAD",
            "UNKNOWN_EVENT",
            "PERMISSION_DENIED",
            "CHANNEL_NOT_FOUND",
            "NOT_JOINED",
            "RATE_LIMITED",
            "INTERNAL_ERROR",
        )
    }
)

DEFAULT_FIXTURES: Mapping[str, Any] = MappingProxyType(
    {
        "users": {
            "alice": {"token": "alice-token", "id": "user-001", "name": "Taro Yamada"},
            "bob": {"token": "bob-token", "id": "user-002", "name": "Hanako Suzuki"},
            "carol": {"token": "carol-token", "id": "user-003", "name": "Carol"},
        },
        "tokens": {
            "expired": "expired-token",
            "expiring": {"token": "expiring-token", "after": 2},
            "load": "load-{n}",
        },
        "channels": {"private": {"name": "channel-private", "members": ["carol"]}, "missing": "missing-{nonce}"},
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """An endpoint's values and fixtures. All durations are in seconds."""

    endpoint: str | None = None
    auth: Auth = Auth()
    origin: str | None = None
    """The `Origin` of every handshake; None: none is sent."""
    ack_timeout: float = 5.0
    response_timeout: float = 5.0
    quiet_period: float = 0.5
    heartbeat: Heartbeat = Heartbeat()
    close_codes: Mapping[str, int] = field(default_factory=lambda: CLOSE_CODES)
    error_codes: Mapping[str, str] = field(default_factory=lambda: ERROR_CODES)
    limits: Limits = Limits()
    reconnect: Reconnect = Reconnect()
    load_thresholds: tuple[str, ...] = ()
    """What a load test has to keep where nobody names other thresholds."""
    users: Mapping[str, User] = field(default_factory=dict)
    tokens: Tokens = Tokens()
    channels: Channels = Channels()
    tls: Tls = Tls()

    def secrets(self) -> tuple[str, ...]:
        """Every token of the profile, longest first, for masking."""
        tokens = self.tokens
        all_tokens = {user.token for user in self.users.values()} | {tokens.invalid}
        all_tokens |= {token for token in (tokens.expired, tokens.expiring) if token}
        return tuple(sorted(all_tokens, key=len, reverse=True))


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(ms|s|min|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0}


def seconds(value: float | str) -> float:
    """A duration in seconds from a number or a text such as `500ms`, `5 s`, `2m`. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = _DURATION.fullmatch(str(value).strip())
    if found is None:
        raise ValueError(f"expected a duration such as 5, 500ms or 2m; got {value!r}")
    return float(found[1]) * _UNITS[found[2] or "s"]


def load_profile(
    path: Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Profile:
    """Read a profile. Without `path`: the defaults, with the reference server's fixtures.

    `overrides` maps dotted names (`heartbeat.interval`) to values that replace the file's. A file that names
    any of users, tokens and channels offers only the fixtures that it names. Raises `ContractError`.
    """
    document = load_yaml(path) if path is not None else Document(Path("(defaults)"), {}, None)
    if document.value is None:
        document = Document(document.path, {}, None)
    own = document.value
    if isinstance(own, dict) and overrides:
        document = Document(document.path, _overridden(own, overrides), document.node)
    # What a variable stands for is held against the schema, and not its name.
    expanded = Document(document.path, _expand(document, document.value, (), environ), document.node)
    if isinstance(own, dict):
        # An override has no line in the file: its errors name the option instead.
        for name in overrides or ():
            problem = _problem(name, document.value, expanded.value)
            if problem is not None:
                raise ContractError(f"--set {_culprit(name, own, overrides or {}, environ)}: {problem}")
    check_document(expanded, "profile", document.value)
    try:
        return _profile(expanded.value)
    except ValueError as error:
        raise ContractError(str(error), document.path) from None


def _problem(name: str, written: Mapping[str, Any], value: Mapping[str, Any]) -> str | None:
    """What is wrong with the part of the profile that an override changes."""
    top = name.partition(".")[0]
    try:
        check_document(Document(Path("--set"), {top: value[top]}, None), "profile", {top: written[top]})
    except ContractError as error:
        return error.message
    return None


def _culprit(name: str, own: dict[str, Any], overrides: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    """Of the overrides of one part, that which is wrong by itself."""
    for other, value in overrides.items():
        if other.partition(".")[0] == name.partition(".")[0]:
            alone = Document(Path("--set"), _overridden(own, {other: value}), None)
            if _problem(other, alone.value, _expand(alone, alone.value, (), environ)) is not None:
                return other
    return name


def _overridden(value: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(value)
    for name, new in overrides.items():
        target = changed
        *parents, last = name.split(".")
        for parent in parents:
            inner = target.get(parent)
            target[parent] = dict(inner) if isinstance(inner, dict) else {}
            target = target[parent]
        target[last] = new
    return changed


def _expand(document: Document, value: Any, where: tuple[str | int, ...], environ: Mapping[str, str]) -> Any:
    """Replace `${NAME}` in strings by environment variables; tokens need not stand in the file."""
    if isinstance(value, dict):
        return {name: _expand(document, member, (*where, name), environ) for name, member in value.items()}
    if isinstance(value, list):
        return [_expand(document, member, (*where, index), environ) for index, member in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(found: re.Match[str]) -> str:
        # An empty one is a secret that the CI did not hand over; an empty token would mask every text.
        if not environ.get(found[1]):
            raise document.error(f"the environment variable {found[1]} is not set", where)
        return environ[found[1]]

    return _VARIABLE.sub(variable, value)


def _profile(value: Mapping[str, Any]) -> Profile:
    own_fixtures = any(name in value for name in ("users", "tokens", "channels"))
    fixtures: Mapping[str, Any] = value if own_fixtures else DEFAULT_FIXTURES
    auth = value.get("auth", {})
    where: Where = auth.get("in", "query")
    default_name = {"query": "access_token", "header": "Authorization", "subprotocol": "access_token"}[where]
    return Profile(
        endpoint=value.get("endpoint"),
        auth=Auth(where, auth.get("name", default_name)),
        origin=value.get("origin"),
        ack_timeout=seconds(value.get("ack_timeout", 5)),
        response_timeout=seconds(value.get("response_timeout", 5)),
        quiet_period=seconds(value.get("quiet_period", 0.5)),
        heartbeat=_heartbeat(value.get("heartbeat", {})),
        close_codes=MappingProxyType({**CLOSE_CODES, **value.get("close_codes", {})}),
        error_codes=_error_codes(value.get("error_codes", {})),
        limits=Limits(**value.get("limits", {})),
        reconnect=_reconnect(value.get("reconnect", {})),
        load_thresholds=tuple(value.get("load", {}).get("thresholds", ())),
        users=MappingProxyType(_users(fixtures.get("users") or {})),
        tokens=_tokens(fixtures.get("tokens") or {}),
        channels=_channels(fixtures.get("channels") or {}),
        tls=Tls(**value.get("tls", {})),
    )


def _heartbeat(value: Mapping[str, Any]) -> Heartbeat:
    tolerance = value.get("tolerance", 0.2)
    if isinstance(tolerance, str):
        tolerance = float(tolerance.rstrip("% ")) / 100
    return Heartbeat(
        interval=seconds(value.get("interval", 30)),
        tolerance=float(tolerance),
        timeout=seconds(value.get("timeout", 10)),
        form=value.get("form", "message"),
    )


def _error_codes(value: Mapping[str, str] | list[str]) -> Mapping[str, str]:
    if isinstance(value, list):
        return MappingProxyType({name: name for name in value})
    return MappingProxyType({**ERROR_CODES, **value})


def _reconnect(value: Mapping[str, Any]) -> Reconnect:
    return Reconnect(
        base=seconds(value.get("base", 1)),
        factor=float(value.get("factor", 2)),
        cap=seconds(value.get("cap", 30)),
        jitter=value.get("jitter", "full"),
    )


def _users(value: Mapping[str, Any]) -> dict[str, User]:
    return {key: User(key, **one) for key, one in value.items() if one is not None}


def _tokens(value: Mapping[str, Any]) -> Tokens:
    expiring = value.get("expiring")
    if isinstance(expiring, str):
        expiring = {"token": expiring}
    after = seconds((expiring or {}).get("after", 2))
    return Tokens(
        invalid=value.get("invalid") or Tokens().invalid,
        expired=value.get("expired"),
        expiring=(expiring or {}).get("token"),
        expiring_after=after,
        load=value.get("load"),
    )


def _channels(value: Mapping[str, Any]) -> Channels:
    private = value.get("private")
    if isinstance(private, str):
        private = {"name": private}
    opened = value.get("open", Channels().open)
    return Channels(
        open=tuple(opened) if isinstance(opened, list) else opened,
        private=(private or {}).get("name"),
        private_members=tuple((private or {}).get("members", ("carol",))),
        missing=value.get("missing"),
    )
