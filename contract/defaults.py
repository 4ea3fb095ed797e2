"""What a contract says of every endpoint, in the words of a profile: the defaults of its wsproof.yaml."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from contract.files import Document, load_yaml
from contract.folder import ContractFolder
from contract.mistakes import check_document
from contract.roles import By

FIXTURES = ("users", "tokens", "channels")
"""Parts of a profile that stand for each other: whoever names one of them offers only what is named."""

NO_DEFAULTS: Mapping[str, Any] = MappingProxyType({"auth": {"in": "none"}, "heartbeat": {"form": "none"}})

_SERVERS: tuple[By, ...] = ("server", "either")


def defaults(folder: ContractFolder | None) -> Mapping[str, Any]:
    """A profile's members by the contract's roles, and those of its own profile.yaml. Raises `ContractError`."""
    if folder is None:
        return NO_DEFAULTS
    roles = folder.roles
    found: dict[str, Any] = {
        "auth": {"in": "none"} if roles.authentication is None else {"in": roles.authentication.where},
        "heartbeat": _heartbeat(folder),
        "close_codes": {name: one.code for name, one in roles.close_codes.items()},
        "limits": dict(roles.limits),
        "history": roles.history,
    }
    if roles.authentication is not None and roles.authentication.name is not None:
        found["auth"]["name"] = roles.authentication.name
    if roles.acknowledgement is not None and roles.acknowledgement.within is not None:
        found["ack_timeout"] = roles.acknowledgement.within
    if roles.reconnect is not None:
        found["reconnect"] = dict(roles.reconnect)
    return {**found, **_file(folder)}


def _heartbeat(folder: ContractFolder) -> dict[str, Any]:
    """That which a server begins."""
    beat = next((one for one in folder.roles.heartbeats if one.by in _SERVERS), None)
    if beat is None:
        return {"form": "none"}
    named = {"interval": beat.every, "tolerance": beat.tolerance, "timeout": beat.timeout}
    return {"form": "message", **{name: value for name, value in named.items() if value is not None}}


def _file(folder: ContractFolder) -> Mapping[str, Any]:
    if not folder.profile.is_file():
        return {}
    document: Document = load_yaml(folder.profile)
    check_document(document, "profile")
    value: Mapping[str, Any] = document.value
    return value


def with_defaults(value: Mapping[str, Any], standing: Mapping[str, Any]) -> dict[str, Any]:
    """A profile's members, and the defaults of those that it does not have."""
    own_fixtures = any(name in value for name in FIXTURES)
    kept = {name: member for name, member in standing.items() if not (own_fixtures and name in FIXTURES)}
    merged = {**kept, **value}
    for name in ("auth", "heartbeat", "close_codes", "limits", "reconnect", "values"):
        if isinstance(value.get(name), dict) and isinstance(standing.get(name), dict):
            merged[name] = {**standing[name], **value[name]}
    auth = value.get("auth")
    if isinstance(auth, dict) and "in" in auth and "name" not in auth:
        # The name that the contract gives is that of another place.
        merged["auth"] = auth if auth["in"] != standing.get("auth", {}).get("in") else merged["auth"]
    return merged
