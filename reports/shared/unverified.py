"""What was not verified, by the reason: what has the same one stands together, whichever scenario gave it."""

from collections.abc import Mapping
from typing import Any, Final

from contract.formats import LOAD
from reports.shared import selection, wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text.language import t
from reports.text.phrases import phrase, rendered

IN_SCENARIO: Final = "in-scenario"
UNREACHED: Final = "unreached"
AT_STEP: Final = "at-step"
"""Codes of reasons that hold another one, their parameter `reason`."""


def unverified_groups(document: Document) -> list[tuple[Mark, str, list[Mapping[str, Any]]]]:
    """What was not verified of what was selected: (mark, reason, requirements), the tool's own errors first."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for requirement in selection.counted(document):
        for clause in wording.clauses(requirement):
            if clause["verdict"] in wording.UNVERIFIED:
                reason = _without_scenario(clause) or _without_scenario(requirement)
                reason = reason or _no_reason(document, clause["verdict"])
                listed = found.setdefault((clause["verdict"], reason), [])
                if requirement not in listed[-1:]:
                    listed.append(requirement)
    ordered = sorted(found.items(), key=lambda item: wording.mark(item[0][0]).rank)
    return [(wording.mark(verdict), reason, listed) for (verdict, reason), listed in ordered]


def _no_reason(document: Document, verdict: str) -> str:
    if document["format"] == LOAD and verdict == "untested":
        return t("load.no-reason.untested")
    return t(f"compliance.no-reason.{verdict}")


def _without_scenario(entry: Mapping[str, Any]) -> str | None:
    """The reason of a verdict without the scenario that gave it, since others may have the same one."""
    reason: str | None = entry["reason"]
    written = phrase(entry, "reason")
    if not reason or written is None or written["code"] not in (IN_SCENARIO, UNREACHED):
        return reason
    inner = written["params"].get("reason")
    if written["code"] == IN_SCENARIO:
        return rendered(inner, reason)
    if isinstance(inner, Mapping) and inner.get("code") == AT_STEP:
        inner = (inner.get("params") or {}).get("reason")
    return t("compliance.unreached", reason=rendered(inner, reason))
