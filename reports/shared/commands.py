"""Commands that repeat a part of a run."""

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.text import quantities
from reports.text.language import t

MAX_CHARACTERS: Final = 500
"""A longer command is of no use: cut, it would be another one."""
GENERATED: Final = "generated"
"""The tag of scenarios whose messages are made from a seed."""

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
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
    """The command, for a shell, that plays scenarios again as this run did."""
    settings = document["settings"]
    words = [
        "wsproof",
        "check",
        *_endpoint(document),
        *_option(settings, "contract"),
        *_profile(settings),
        *_own(settings),
    ]
    if any(GENERATED in scenario["tags"] for scenario in scenarios):
        words += wording.generated_options(document)
    if settings.get("time_scale") not in (None, 1):
        words += _option(settings, "time_scale")
    if settings.get("rounds") not in (None, 1):
        words.append("--thorough")
    if document["strict"]:
        words.append("--strict")
    for scenario in scenarios:
        words += ["--select", scenario["id"]]
    return shlex.join(words)


def _own(settings: Mapping[str, Any]) -> list[str]:
    """The options for scenarios of the user's own. A document that has one text played these alone."""
    added, alone = settings.get("scenarios"), settings.get("only_scenarios")
    options = [(added, "--scenarios"), (alone, "--only-scenarios")]
    if isinstance(added, str):
        options = [([added], "--only-scenarios")]
    return [word for paths, option in options if isinstance(paths, list) for path in paths for word in (option, path)]


def variables(command: str) -> str:
    """What to do before a command is run: which environment variables it needs. Empty where it needs none."""
    names = list(dict.fromkeys(_VARIABLE.findall(command)))
    return t("compliance.repeat.variables", names=", ".join(names)) if names else ""


def _endpoint(document: Document) -> list[str]:
    # The port of a server that the run started for itself is nobody's any more.
    settings = document["settings"]
    if settings.get("embedded") is not True:
        return [document["endpoint"]]
    # A profile's file is some endpoint's.
    return ["--reference"] if settings.get("profile") else []


def _profile(settings: Mapping[str, Any]) -> list[str]:
    """The profile's file, and what was set beside it; secrets stand there as ``${NAME}``."""
    changes = settings.get("set")
    listed = changes if isinstance(changes, list) else []
    return [*_option(settings, "profile"), *(word for change in listed for word in ("--set", str(change)))]


def repeating_load(document: Document) -> str:
    """The command that repeats a load test, for a shell; empty where its settings do not say enough.

    Tokens are not in a document: files of tokens stand as ``FILE``.
    """
    settings = document["settings"]
    stages, journeys = settings.get("stages"), settings.get("journeys")
    if not isinstance(journeys, Mapping) or "users" not in settings:
        return ""
    words = ["wsproof", "load", *_endpoint(document), *_option(settings, "contract"), *_profile(settings)]
    if isinstance(stages, list) and stages:
        words += ["--stages", ",".join(map(str, stages))]
    else:
        words += ["--users", str(settings["users"]), *_option(settings, "time_s", "{}s", "--time")]
    for name, weight in journeys.items():
        words += ["--journey", name if weight == 1 else f"{name}:{quantities.setting(weight)}"]
    for name, option in _LOAD_OPTIONS.items():
        words += _option(settings, name, option=option)
    if settings.get("tokens") in ("file", "command"):
        words += [f"--tokens-{settings['tokens']}", settings["tokens"].upper()]
    for address in settings.get("source_addresses") or ():
        words += ["--source-address", str(address)]
    for threshold in document["thresholds"]:
        words += ["--threshold", f"{threshold['metric']} {threshold['limit']}"]
    if settings.get("abort_on_breach") is True:
        words.append("--abort-on-breach")
    if document.get("capacity"):
        words += ["--find-capacity", document["capacity"]["unit"]]
    return shlex.join(words)


def _option(settings: Mapping[str, Any], name: str, form: str = "{}", option: str = "") -> list[str]:
    value = settings.get(name)
    option = option or f"--{name.replace('_', '-')}"
    return [] if value is None else [option, form.format(quantities.setting(value))]
