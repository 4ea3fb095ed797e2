"""On what evidence a requirement passed: in how many messages, and in how many steps of scenarios, it held."""

from collections.abc import Mapping
from typing import Any

from reports.text.language import t, tn


def held(entry: Mapping[str, Any]) -> str:
    """The evidence of a requirement or clause; empty where it did not pass, or its document does not say."""
    if entry["verdict"] != "passed":
        return ""
    checked, steps = counted(entry), entry.get("steps")
    played = tn("compliance.held.step", steps) if steps else ""
    if checked and played:
        checked, played = t("compliance.held.both", checked=checked, played=played), ""
    evidence = checked or played
    return t("compliance.held", evidence=evidence) if evidence else ""


def counted(entry: Mapping[str, Any]) -> str:
    """In how much something had a chance to be broken, such as ``1,204 messages``; empty where nothing says."""
    unit, applied = entry.get("of"), entry.get("applied")
    return tn(f"compliance.held.{unit}", applied) if unit and applied else ""
