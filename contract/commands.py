"""Secrets that a command prints: `{command: vault read -field=token secret/alice}` stands for what it says.

A command is run once, by the first process of a run that reads the profile; its children get the output handed over in
their environment, where a `${NAME}` would stand as well.
"""

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract.durations import seconds
from contract.errors import ContractError
from contract.escaping import visible
from contract.redaction import Redactor

PLACES = (
    ("users", "*", "token"),
    ("tokens", "invalid"),
    ("tokens", "expired"),
    ("tokens", "expiring", "token"),
    ("headers", "*"),
    ("cookies", "*"),
    ("basic", "password"),
)
"""Where a command may stand for a value."""

TIMEOUT_S = 30.0
MAX_CHARACTERS = 8_192
COMPLAINT_CHARACTERS = 300

VARIABLE = "WSPROOF_COMMAND_OUTPUTS"
MAX_HANDED_OVER = 100_000
"""Bytes; what a variable of the environment may hold is limited."""

_outputs: dict[str, str] = {}
"""What each command of this run has printed."""


class CommandError(Exception):
    """A command gave no secret. What it printed is not in the message."""


@dataclass(frozen=True, slots=True)
class Command:
    """Run without a shell, in the profile's folder; `timeout` in seconds."""

    words: tuple[str, ...]
    folder: Path
    timeout: float = TIMEOUT_S

    @property
    def name(self) -> str:
        """The program; its arguments may be secrets."""
        return self.words[0]

    def output(self) -> str:
        """What it prints, the first time it is asked for in this run. Raises `CommandError`."""
        if VARIABLE in os.environ:
            _outputs.update(json.loads(os.environ.pop(VARIABLE)))
        key = json.dumps([self.words, str(self.folder.absolute())])
        if key not in _outputs:
            _outputs[key] = self.fresh()
        return _outputs[key]

    def fresh(self) -> str:
        """Run it, and give the only line that it prints. Raises `CommandError`."""
        try:
            done = subprocess.run(
                self.words,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandError(f"the command {self.name} did not finish within {self.timeout:g} s") from None
        except (OSError, ValueError) as error:
            problem = error.strerror if isinstance(error, OSError) else "its arguments contain a NUL character"
            raise CommandError(f"the command {self.name} cannot be run: {problem}") from None
        text = done.stdout.decode("utf-8", "replace").strip()
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            # What it had printed before it failed may be the secret, and so may its arguments.
            said = visible(Redactor((text, *self.words[1:])).shorten(said, COMPLAINT_CHARACTERS))
            raise CommandError(f"the command {self.name} ended with exit code {done.returncode}: {said or 'no output'}")
        if not text or len(text.splitlines()) > 1 or len(text) > MAX_CHARACTERS:
            got = f"{len(text.splitlines())} lines" if text else "nothing"
            got = f"{len(text)} characters" if len(text) > MAX_CHARACTERS else got
            raise CommandError(f"the command {self.name} printed {got}; expected one line with only the secret")
        return text


def handed_over() -> dict[str, str]:
    """The variable that gives a child process what the commands printed; more than it can hold is run there again."""
    text = json.dumps(_outputs)
    return {VARIABLE: text} if _outputs and len(text) <= MAX_HANDED_OVER else {}


def command_of(value: Any, folder: Path) -> Command | None:
    """The command that stands for a value; None where none does. Raises ValueError where it has no words."""
    if not isinstance(value, dict):
        return None
    given = value["command"]
    words = tuple(shlex.split(given) if isinstance(given, str) else given)
    if not words:
        raise ValueError("expected a command and its arguments")
    return Command(words, folder, seconds(value.get("timeout", TIMEOUT_S)))


def with_outputs(
    value: Any, folder: Path, complain: Callable[[str, tuple[str, ...]], ContractError], *, run: bool = True
) -> Any:
    """A profile's value with what its commands print; without `run`, with something that is no secret.

    Raises what `complain` makes of the first failure.
    """
    changed = value
    for place in PLACES:
        for where, found in tuple(_at(changed, place)):
            try:
                command = command_of(found, folder)
                if command is not None:
                    text = command.output() if run else f"output-of-{'-'.join(where)}"
                    changed = _replaced(changed, where, text)
            except (CommandError, ValueError) as error:
                raise complain(f"{'.'.join(where)}: {error}", where) from None
    return changed


def _at(value: Any, place: tuple[str, ...], before: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values that a place names, each behind the names that lead to it."""
    if not place:
        yield before, value
        return
    if not isinstance(value, Mapping):
        return
    for name in tuple(value) if place[0] == "*" else (place[0],):
        if name in value:
            yield from _at(value[name], place[1:], (*before, name))


def _replaced(value: Mapping[str, Any], where: tuple[str, ...], new: str) -> dict[str, Any]:
    name, *rest = where
    return {**value, name: _replaced(value[name], tuple(rest), new) if rest else new}
