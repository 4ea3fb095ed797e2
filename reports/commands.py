"""Commands that repeat a part of a run."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from reports import wording
from reports.documents import Document

MAX_CHARACTERS: Final = 500
"""A longer command is of no use: cut, it would be another one."""
GENERATED: Final = "generated"
"""The tag of scenarios whose messages are made from a seed."""


def short_repeating(document: Document, scenario: Mapping[str, Any]) -> str:
    """The command that plays one scenario again; empty where it would be too long for a line."""
    command = repeating(document, scenario)
    return command if len(command) <= MAX_CHARACTERS else ""


def repeating(document: Document, scenario: Mapping[str, Any]) -> str:
    """The command that plays one scenario again, for a shell."""
    # The port of a server that the run started for itself is nobody's any more.
    embedded = document["settings"].get("embedded") is True
    endpoint = [] if embedded else [document["endpoint"]]
    generate = wording.generated_options(document) if GENERATED in scenario["tags"] else []
    return shlex.join(["wsproof", "check", *endpoint, *generate, "--select", scenario["id"]])
