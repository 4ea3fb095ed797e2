"""What differs between runs: checked documents of one kind in, a comparison document out.

Two runs are held against each other: what got better, what worse, what is new and what is gone. Several make a matrix.
Whether something is *worse* does not depend on who reads it: `comparison_requirements` and `comparison_figures` say
what counts. Of what got worse, only a part weighs; where any of that is there, the verdict is `worse`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports import comparison_figures, comparison_requirements, generator, wording
from reports.comparison_parts import LISTS, ComparisonError, Json, Run
from reports.documents import RESULTS, Document

COMPARISON: Final = "wsproof.comparison/1"
TOLERANCE: Final = 0.1
"""By so much (a share) a percentile may differ before that counts."""
MAX_RUNS: Final = 20
_CHANCE: Final = ("seed",)
"""Settings that another run has by chance another value of, which says nothing."""

__all__ = ["COMPARISON", "MAX_RUNS", "TOLERANCE", "ComparisonError", "Run", "compare"]


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    noun: str


_KINDS: Final = {True: _Kind("conformance", "a conformance run"), False: _Kind("load", "a load test")}


def compare(runs: Sequence[Run], tool: Mapping[str, str], tolerance: float = TOLERANCE) -> Document:
    """The comparison of checked documents, written by `tool`: of the last with the first where there are two.

    Raises `ComparisonError` for fewer than two documents, more than `MAX_RUNS`, runs of one name, and documents of
    different kinds.
    """
    kind = _kind(runs)
    documents = [run.document for run in runs]
    conformance = kind.name == "conformance"
    changes = None
    if len(runs) == 2:
        changes = (
            comparison_requirements.changes(*runs)
            if conformance
            else comparison_figures.changes(documents[0], documents[1], tolerance)
        )
    return {
        "format": COMPARISON,
        "tool": dict(tool),
        "kind": kind.name,
        "tolerance": None if conformance else tolerance,
        "verdict": None if changes is None else verdict(changes),
        "runs": [_run(run) for run in runs],
        "settings": _settings(documents),
        "changes": changes,
        "requirements": comparison_requirements.matrix(runs) if conformance else [],
        "metrics": [] if conformance else comparison_figures.metrics(documents),
        "counts": [] if conformance else comparison_figures.counts(documents),
    }


def verdict(changes: Mapping[str, Sequence[Json]]) -> str:
    """`worse` where anything that weighs got worse, unclear or is gone; `better` where some only got better."""
    weighing = {name for name in LISTS if any(change["weighs"] for change in changes[name])}
    if weighing & {"worse", "unclear", "gone"}:
        return "worse"
    return "better" if weighing & {"better", "new"} else "same"


def _kind(runs: Sequence[Run]) -> _Kind:
    if not 2 <= len(runs) <= MAX_RUNS:
        raise ComparisonError(f"expected from two to {MAX_RUNS} documents to compare, found {len(runs)}")
    seen: set[str] = set()
    for run in runs:
        if run.name in seen:
            raise ComparisonError(f"two runs are called {run.name}: expected names that differ (NAME=FILE)")
        seen.add(run.name)
    kinds = [_KINDS[run.document["format"] == RESULTS] for run in runs]
    for run, kind in zip(runs, kinds, strict=True):
        if kind is not kinds[0]:
            raise ComparisonError(
                f"{runs[0].name} is {kinds[0].noun} and {run.name} is {kind.noun}: expected documents of one kind"
            )
    return kinds[0]


def _run(run: Run) -> Json:
    document = run.document
    return {
        "name": run.name,
        "page": run.page,
        "endpoint": document["endpoint"],
        "started": document["started"],
        "duration_s": document["duration_s"],
        "complete": document["complete"],
        "verdict": document["verdict"],
        "summary": document.get("summary"),
        "strict": document.get("strict", False),
        "notes": _notes(document),
    }


def _notes(document: Document) -> list[str]:
    """What to know of a run before it is compared."""
    conformance = document["format"] == RESULTS
    notes = [] if conformance else [f"{doubt.title}{doubt.text}" for doubt in generator.doubts(document)]
    if not document["complete"]:
        notes.append("The run was cut off before its end.")
    if conformance:
        warning = wording.warning_sentence(document)
        return [*notes, warning] if warning else notes
    return notes


def _settings(documents: Sequence[Document]) -> list[Json]:
    """How the runs were set up, where that differs; None where a run does not have the setting."""
    every = [_set_up(document) for document in documents]
    names = dict.fromkeys(name for one in every for name in one)
    found = [{"name": name, "values": [one.get(name) for one in every]} for name in names]
    return [one for one in found if any(value != one["values"][0] for value in one["values"])]


def _set_up(document: Document) -> dict[str, Any]:
    tool, contract = document["tool"], document["contract"]
    found: dict[str, Any] = {
        "tool": f"{tool['name']} {tool['version']}",
        "contract": f"{contract['title']} {contract['version']}",
    }
    if "strict" in document:
        found["strict"] = document["strict"]
    limits = [f"{one['metric']} {one['limit']}" for one in document.get("thresholds", ())]
    given = {name: value for name, value in document["settings"].items() if name not in _CHANCE}
    return found | ({"thresholds": limits} if limits else {}) | given
