"""What differs between runs: checked documents of one kind in, a comparison document out.

Two runs are held against each other: what got better, what worse, what is new and what is gone. Several make a matrix.
Whether something is *worse* does not depend on who reads it: `comparison_requirements` and `comparison_figures` say
what counts. Of what got worse, only a part weighs; where any of that is there, the verdict is `worse`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contract.formats import COMPARISON, LOAD, RESULTS
from reports.compare import figures as comparison_figures
from reports.compare import requirements as comparison_requirements
from reports.compare.parts import LISTS, ComparisonError, Json, Run, joined
from reports.load import generator
from reports.shared import wording
from reports.shared.documents import Document
from reports.text.fitting import cut
from reports.text.phrases import moved, phrase

TOLERANCE: Final = 0.1
"""By so much (a share) a percentile may differ before that counts."""
MAX_RUNS: Final = 20
MAX_NAMES: Final = 8
"""So many names stand in a note."""
_APART: Final = ("seed", "contract")
"""Settings that are not compared: another run has another seed by chance, and the contract is told by its title."""

__all__ = ["MAX_RUNS", "TOLERANCE", "ComparisonError", "Run", "compare"]


def compare(runs: Sequence[Run], tool: Mapping[str, str], tolerance: float = TOLERANCE) -> Document:
    """The comparison of checked documents, written by `tool`: of the last with the first where there are two.

    Raises `ComparisonError` for fewer than two documents, more than `MAX_RUNS`, runs of one name, and documents of
    different kinds.
    """
    conformance = _kind(runs) == "conformance"
    documents = [run.document for run in runs]
    changes = None
    if len(runs) == 2:
        found = [comparison_requirements.changes(*runs)]
        if not conformance:
            found.append(comparison_figures.changes(documents[0], documents[1], tolerance))
        changes = joined(found)
    return {
        "format": COMPARISON,
        "tool": dict(tool),
        "kind": _kind(runs),
        "tolerance": None if conformance else tolerance,
        "verdict": None if changes is None else verdict(changes),
        "runs": [_run(run) for run in runs],
        "settings": _settings(documents),
        "changes": changes,
        "requirements": comparison_requirements.matrix(runs),
        "metrics": [] if conformance else comparison_figures.metrics(documents),
        "counts": [] if conformance else comparison_figures.counts(documents),
    }


def verdict(changes: Mapping[str, Sequence[Json]]) -> str:
    """`worse` where anything that weighs got worse, unclear or is gone; `better` where some only got better."""
    weighing = {name for name in LISTS if any(change["weighs"] for change in changes[name])}
    if weighing & {"worse", "unclear", "gone"}:
        return "worse"
    return "better" if weighing & {"better", "new"} else "same"


def _kind(runs: Sequence[Run]) -> str:
    if not 2 <= len(runs) <= MAX_RUNS:
        raise ComparisonError(f"expected 2 to {MAX_RUNS} documents to compare, found {len(runs)}")
    seen: set[str] = set()
    for run in runs:
        if run.name in seen:
            raise ComparisonError(f"two runs are named {run.name}: give them different names (NAME=FILE)")
        seen.add(run.name)
    kinds = ["conformance" if run.document["format"] == RESULTS else "load" for run in runs]
    for run, kind in zip(runs, kinds, strict=True):
        if kind != kinds[0]:
            raise ComparisonError(
                f"{runs[0].name} is a {kinds[0]} run and {run.name} a {kind} run: compare runs of the same kind"
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
        "strict": wording.is_strict(document),
        "notes": _notes(document),
    }


def _notes(document: Document) -> list[Json]:
    """What to know of a run before it is compared; the words for it are those who show it."""
    found: list[Json] = [] if document["complete"] else [_note("cut-off", None)]
    if document["requirements"]:
        warned = [requirement["id"] for requirement in wording.failing(document, counts_against=False)]
        found += [_note("warnings", _listed(warned))] if warned else []
    if document["format"] == LOAD:
        found += [_doubted(document, doubt.anchor) for doubt in generator.doubts(document)]
    return found


def _note(kind: str, detail: str | None, texts: Json | None = None) -> Json:
    return {"kind": kind, "detail": detail, **(texts or {})}


def _doubted(document: Document, kind: str) -> Json:
    if kind == "workers":
        lost = [worker.source for worker in generator.workers(document) if worker.source["state"] == "lost"]
        names = [phrase(one, "name") or cut(one["name"], 40) for one in lost[:MAX_NAMES]]
        listed = {"code": "names", "params": {"items": names}}
        written = {"texts": {"detail": listed}} if len(lost) <= MAX_NAMES and phrase(lost[0], "name") else None
        return _note(kind, _listed([one["name"] for one in lost]), written)
    if kind == "timeline":
        return _note(kind, f"{sum(stop - start for start, stop in generator.late(document)):.1f} s")
    if kind == "thresholds":
        return _note(kind, cut(document["aborted"], 100))
    reason = document["generator"].get("reason")
    written = moved(document["generator"], "reason", "detail") if reason else None
    return _note(kind, cut(reason, 300) if reason else None, written)


def _listed(names: Sequence[str]) -> str:
    more = [f"+ {len(names) - MAX_NAMES:,}"] if len(names) > MAX_NAMES else []
    return ", ".join([*(cut(name, 40) for name in names[:MAX_NAMES]), *more])


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
        "contract": f"{contract['title']} {contract['version']}".strip(),
    }
    if "strict" in document:
        found["strict"] = document["strict"]
    limits = [f"{one['metric']} {one['limit']}" for one in document.get("thresholds", ())]
    given = {name: value for name, value in document["settings"].items() if name not in _APART}
    return found | ({"thresholds": limits} if limits else {}) | given
