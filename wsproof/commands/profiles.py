"""The endpoint's profile and URL as the options name them: files, `--set`, and which of these stand in a document."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from contract.errors import ContractError
from contract.files import readable
from contract.folder import DEFAULT, ContractFolder
from contract.profile import Profile, load_profile
from contract.redaction import Redactor
from wsproof.commands.options import stop

DEFAULT_PROFILE = Path("wsproof.yaml")

SECRET = re.compile(
    r"(basic|cookies|headers)\..*|tokens\.(?!expiring\.after$).*|users\.[^.]*\.token|proxy|tls\.key_password"
)
"""Settings whose values are shown nowhere."""


def tested(
    url: str | None, endpoint: str | None, path: Path | None, contract: ContractFolder, *, reference: bool
) -> str | None:
    """The URL of what is tested, the argument's or that of a file; None: the built-in reference server.

    Ends the program where it is not clear what is meant: a profile at `path` is some endpoint's.
    """
    if reference:
        if (contract.name, contract.is_bundled) != (DEFAULT, True):
            stop(f"--reference: the built-in reference server speaks the contract {DEFAULT}, not {contract.name}")
        if url is not None:
            stop("--reference cannot be used with a URL (or WSPROOF_URL)")
        return None
    found = readable(url) if url is not None else endpoint
    if found is None and path is not None:
        stop(f"{path} names no endpoint: add `endpoint: wss://…`, give a URL, or --reference for the built-in server")
    if found is None and (contract.name, contract.is_bundled) != (DEFAULT, True):
        stop(f"contract {contract.name}: give a URL; the built-in reference server speaks the contract {DEFAULT}")
    return found


def profile_path(path: Path | None) -> Path | None:
    """The profile's file: the given one, or that of the working folder where there is one."""
    return DEFAULT_PROFILE if path is None and DEFAULT_PROFILE.is_file() else path


def profile_sources(
    path: Path | None, changes: tuple[str, ...], defaults: dict[str, Any]
) -> tuple[Path | None, dict[str, Any]]:
    """The profile's file, and the values that replace the file's. `defaults` yield to a file and to `--set`."""
    path = profile_path(path)
    overrides = dict(defaults) if path is None else {}
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals or not name.strip():
            stop(f"--set {change}: expected NAME=VALUE, such as response_timeout=10s")
        name = name.strip()
        if name == "contract":
            stop(f"--set {change}: the contract has an option of its own: --contract {value}")
        # A secret is a text, whatever it looks like.
        overrides[name] = value if _is_secret(change) else _scalar(value)
    return path, overrides


def _is_secret(change: str) -> bool:
    """Whether a setting's value is shown nowhere; that it is none is no secret."""
    name, _, value = change.partition("=")
    return value not in ("null", "none") and SECRET.fullmatch(name.strip()) is not None


def shown_changes(changes: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """What `--set` changed, as documents have it: a value with a secret in it is a variable that is to be set."""
    known = tuple(secrets)
    redactor = Redactor(known)
    return [
        _with_variable(change) if _is_secret(change) or redactor.redact(change) != change else change
        for change in changes
    ]


def _with_variable(change: str) -> str:
    name = change.partition("=")[0].strip()
    return f"{name}=${{{re.sub('[^A-Za-z0-9]', '_', name).upper()}}}"


def read_profile(
    contract: ContractFolder, path: Path | None, changes: tuple[str, ...], defaults: dict[str, Any] | None = None
) -> Profile:
    """The profile of the options. Ends the program where something is wrong."""
    try:
        return load_profile(*profile_sources(path, changes, defaults or {}), contract=contract)
    except ContractError as error:
        stop(str(error))


def _scalar(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "null": None}.get(text, text)
