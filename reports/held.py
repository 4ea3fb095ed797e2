"""On what evidence a requirement passed: in how many messages, and in how many steps of scenarios, it held."""

from collections.abc import Mapping
from typing import Any

from reports.language import t, tn


def held(entry: Mapping[str, Any]) -> str:
    """The evidence of a requirement or clause; empty where it did not pass, or its document does not say."""
    if entry["verdict"] != "passed":
        return ""
    unit, applied, steps = entry.get("of"), entry.get("applied"), entry.get("steps")
    checked = tn(f"compliance.held.{unit}", applied) if unit and applied else ""
    played = tn("compliance.held.step", steps) if steps else ""
    if checked and played:
        checked, played = t("compliance.held.both", checked=checked, played=played), ""
    evidence = checked or played
    return t("compliance.held", evidence=evidence) if evidence else ""
