"""What an endpoint may choose for itself: each part of a profile with its defaults."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from contract.durations import seconds

Where = Literal["query", "header", "subprotocol", "cookie", "basic", "message", "none"]
"""Where a token travels: in the handshake, in a message of the client (the contract says in which), or nowhere."""
HeartbeatForm = Literal["message", "control", "none"]
History = Literal["none", "join", "connect"]

TOKEN_NAMES: Mapping[Where, str] = MappingProxyType(
    {
        "query": "access_token",
        "header": "Authorization",
        "subprotocol": "access_token",
        "cookie": "session",
        "basic": "Authorization",
        "message": "",
        "none": "",
    }
)
"""What holds the token where the profile does not say."""


@dataclass(frozen=True, slots=True)
class Auth:
    """Where the token travels: a query parameter, a header, a cookie, or a subprotocol offered beside `name`.

    With `basic` it is `user:password` in the header `name`; with `message` and `none`, the handshake has no token.
    """

    where: Where = "query"
    name: str = "access_token"

    @property
    def header(self) -> str | None:
        """The header that the token has to itself; None: it travels otherwise."""
        return self.name if self.where in ("header", "basic") else None

    @property
    def in_handshake(self) -> bool:
        """Whether the handshake carries it."""
        return self.where not in ("message", "none")


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
class Tls:
    """How a `wss` endpoint's certificate is checked, and which one is shown to it.

    `ca`, `cert` and `key` are PEM files. `server_name` is the name that is asked for (SNI), and that the certificate
    must have; None: the URL's.
    """

    verify: bool = True
    ca: str | None = None
    cert: str | None = None
    key: str | None = None
    key_password: str | None = field(default=None, repr=False)
    server_name: str | None = None


TLS_FILES = ("ca", "cert", "key")

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
    }
)
"""Names of RFC 6455's codes; a contract adds its own."""


def read_tls(value: Mapping[str, Any], folder: Path, overrides: Mapping[str, Any]) -> Tls:
    """That of a profile; the paths in a file are relative to its `folder`, those of `overrides` to the working one."""

    found = dict(value)
    for name in TLS_FILES:
        if found.get(name) and not {"tls", f"tls.{name}"} & set(overrides):
            found[name] = str(folder / found[name])
    return Tls(**found)


def read_heartbeat(value: Mapping[str, Any]) -> Heartbeat:
    """Those of a profile; durations in seconds, a tolerance such as `20%` as a fraction."""
    tolerance = value.get("tolerance", 0.2)
    if isinstance(tolerance, str):
        tolerance = float(tolerance.rstrip("% ")) / 100
    return Heartbeat(
        interval=seconds(value.get("interval", 30)),
        tolerance=float(tolerance),
        timeout=seconds(value.get("timeout", 10)),
        form=value.get("form", "message"),
    )


def read_error_codes(value: Mapping[str, str] | list[str], known: Iterable[str]) -> Mapping[str, str]:
    """The endpoint's name for each cause that is `known`; of a list, the names themselves."""
    if isinstance(value, list):
        return MappingProxyType({name: name for name in value})
    return MappingProxyType({**{name: name for name in known}, **value})


def read_reconnect(value: Mapping[str, Any]) -> Reconnect:
    """Those of a profile; durations in seconds."""
    return Reconnect(
        base=seconds(value.get("base", 1)),
        factor=float(value.get("factor", 2)),
        cap=seconds(value.get("cap", 30)),
        jitter=value.get("jitter", "full"),
    )
