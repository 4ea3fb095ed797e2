"""Commands that repeat a part of a run."""

import shlex
from collections.abc import Mapping
from typing import Any, Final

from reports import quantities, wording
from reports.documents import Document

MAX_CHARACTERS: Final = 500
"""A longer command is of no use: cut, it would be another one."""
GENERATED: Final = "generated"
"""The tag of scenarios whose messages are made from a seed."""

_LOAD_OPTIONS: Final = {
    "journeys_file": "--journeys",
    "spawn_rate": "--spawn-rate",
    "channels": "--channels",
    "rate": "--rate",
    "size": "--size",
    "processes": "--processes",
    "seed": "--seed",
}
"""Settings of a load test that are options as they stand."""


def short_repeating(document: Document, scenario: Mapping[str, Any]) -> str:
    """The command that plays one scenario again; empty where it would be too long for a line."""
    command = repeating(document, scenario)
    return command if len(command) <= MAX_CHARACTERS else ""


def repeating(document: Document, *scenarios: Mapping[str, Any]) -> str:
    """The command that plays scenarios again as this run did, for a shell; profiles are not in a document."""
    settings = document["settings"]
    # The port of a server that the run started for itself is nobody's any more.
    words = ["wsproof", "check", *([] if settings.get("embedded") is True else [document["endpoint"]])]
    if any(GENERATED in scenario["tags"] for scenario in scenarios):
        words += wording.generated_options(document)
    if settings.get("time_scale") not in (None, 1):
        words += _option(settings, "time_scale", "--time-scale")
    if settings.get("rounds") not in (None, 1):
        words.append("--thorough")
    if document["strict"]:
        words.append("--strict")
    for scenario in scenarios:
        words += ["--select", scenario["id"]]
    return shlex.join(words)


def repeating_load(document: Document) -> str:
    """The command that repeats a load test, for a shell; empty where its settings do not say enough.

    Profiles and tokens are not in a document: files of tokens stand as ``FILE``.
    """
    settings = document["settings"]
    stages, journeys = settings.get("stages"), settings.get("journeys")
    if not isinstance(journeys, Mapping) or "users" not in settings:
        return ""
    words = ["wsproof", "load", *([] if settings.get("embedded") is True else [document["endpoint"]])]
    if isinstance(stages, list) and stages:
        words += ["--stages", ",".join(map(str, stages))]
    else:
        words += ["--users", str(settings["users"]), *_option(settings, "time_s", "--time", "{}s")]
    for name, weight in journeys.items():
        words += ["--journey", name if weight == 1 else f"{name}:{quantities.setting(weight)}"]
    for name, option in _LOAD_OPTIONS.items():
        words += _option(settings, name, option)
    if settings.get("tokens") in ("file", "command"):
        words += [f"--tokens-{settings['tokens']}", settings["tokens"].upper()]
    for threshold in document["thresholds"]:
        words += ["--threshold", f"{threshold['metric']} {threshold['limit']}"]
    if settings.get("abort_on_breach") is True:
        words.append("--abort-on-breach")
    if document.get("capacity"):
        words += ["--find-capacity", document["capacity"]["unit"]]
    return shlex.join(words)


def _option(settings: Mapping[str, Any], name: str, option: str, form: str = "{}") -> list[str]:
    value = settings.get(name)
    return [] if value is None else [option, form.format(quantities.setting(value))]
