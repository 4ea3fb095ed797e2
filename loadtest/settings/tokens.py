"""Where virtual users' tokens come from. Every process that plays users reads them for itself: no token travels."""

import shlex
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from contract.profile import Profile
from loadtest.settings.settings import LoadError, TokenSource

COMMAND_SECONDS = 60.0
MAX_BYTES = 64 * 1_048_576
MAX_TOKEN_CHARACTERS = 16_384

TokenOf = Callable[[int], str]
"""The token of the user with a number, from 1."""


def read_tokens(source: TokenSource, profile: Profile, users: int) -> TokenOf:
    """How `users` virtual users get their tokens. Raises `LoadError` where there are too few."""
    if source.kind == "profile":
        return _of_profile(profile)
    tokens = _file(source.value) if source.kind == "file" else _command(source.value)
    option = f"--tokens-{source.kind}"
    for line, token in enumerate(tokens, 1):
        if len(token) > MAX_TOKEN_CHARACTERS or not token.isprintable() or " " in token:
            raise LoadError(f"{option}: line {line} is not a token (expected one per line, printable, without spaces)")
    if len(tokens) < users:
        raise LoadError(f"{option}: {len(tokens)} tokens for {users} users; each user needs its own")
    return lambda number: tokens[(number - 1) % len(tokens)]


def _of_profile(profile: Profile) -> TokenOf:
    pattern, known = profile.tokens.load, [user.token for user in profile.users.values() if user.token]
    if profile.auth.where == "none" or (profile.auth.where == "message" and pattern is None and not known):
        return lambda number: ""
    if pattern is not None:
        found = pattern
        return lambda number: found.replace("{n}", str(number))
    if not known:
        raise LoadError("the profile has neither tokens.load nor users; virtual users need tokens")
    return lambda number: known[(number - 1) % len(known)]


def _file(name: str) -> Sequence[str]:
    path = Path(name)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise LoadError(f"--tokens-file {name}: more than {MAX_BYTES} bytes")
        return _lines(path.read_bytes(), f"--tokens-file {name}")
    except OSError as error:
        raise LoadError(f"--tokens-file {name}: cannot be read: {error.strerror or error}") from None


def _command(line: str) -> Sequence[str]:
    try:
        command = shlex.split(line)
    except ValueError as error:
        raise LoadError(f"--tokens-command {line!r}: {error}") from None
    if not command:
        raise LoadError("--tokens-command: expected a command that prints one token per line")
    try:
        done = subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise LoadError(f"--tokens-command {command[0]}: did not finish within {COMMAND_SECONDS:g} s") from None
    except OSError as error:
        raise LoadError(f"--tokens-command {command[0]}: {error.strerror or error}") from None
    if done.returncode:
        raise LoadError(f"--tokens-command {command[0]}: exit code {done.returncode}")
    return _lines(done.stdout, f"--tokens-command {command[0]}")


def _lines(data: bytes, option: str) -> Sequence[str]:
    if len(data) > MAX_BYTES:
        raise LoadError(f"{option}: more than {MAX_BYTES} bytes")
    try:
        return [line.strip() for line in data.decode("utf-8-sig").splitlines() if line.strip()]
    except UnicodeDecodeError:
        raise LoadError(f"{option}: not UTF-8 text") from None
