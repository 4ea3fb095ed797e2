"""A run as CI systems know runs: test cases that passed, failed, were skipped or are errors.

JUnit and CTRF both say this, each in its own form, so that two views of one run never disagree.

Conformance: one case per scenario, since a scenario is what is played, takes its time and can be repeated alone; the
requirements that it verifies go with it.

* A case fails where the scenario broke a MUST (in a strict run: a MUST or a SHOULD), since that is what decides the
  run's verdict and its exit code. What else it broke is a note, and a case with nothing but notes passes: a CI that
  turns red over a recommendation teaches people to ignore red.
* What the baseline lists does not count: a case with nothing else is skipped, as pytest writes an expected failure,
  with the baseline's reason. A stale or expired entry of the baseline is a failed case of the suite ``wsproof``.
* An inconclusive or untested scenario is skipped with its reason, the tool's own fault is an error.
* What was seen once, and not again when the scenario was played again, is a note.
* A run that was cut off, or that played no scenario, gets a case of the suite ``wsproof`` that is an error, so that
  half a run, or none, never looks like a green one. One that fails for what no case tells (the endpoint was gone; too
  little was decided) gets a failed case there.

What a case is called never depends on the language, so that a CI system knows it again.

Load: one case per requirement, by the same rules, one per threshold, and one for the run, which is skipped where it
judged nothing, or not everything, and fails where the run does for what no other case tells. What puts the figures in
doubt, the load that was shed, and the delivery ledger, are its notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from contract.escaping import visible
from contract.formats import LOAD
from reports.check import baselines
from reports.load import findings as load_findings
from reports.load import generator
from reports.load import wording as load_wording
from reports.load.findings import Broken
from reports.shared import wording
from reports.shared.commands import short_repeating, variables
from reports.shared.documents import Document
from reports.shared.failures import Failure, told_once
from reports.text.fitting import cut
from reports.text.language import t, tn

NAME_CHARACTERS: Final = 300
"""Names and messages are cut after these; the document has all of them."""
TEXT_CHARACTERS: Final = 4_000
"""A line of the details or notes is cut after these; the document has all of it."""
OWN: Final = "wsproof"
"""The suite of what is said about the run itself."""

Json = Mapping[str, Any]
Outcome = Literal["passed", "failed", "skipped", "error"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. Its texts are those of the document, but `details` and `notes`, which are fit to be looked at."""

    suite: str
    id: str
    title: str
    outcome: Outcome = "passed"
    kind: str = ""
    """What sort of failure, skip or error it is."""
    message: str = ""
    details: str = ""
    """Everything that was found wrong, on several lines."""
    notes: str = ""
    """What does not count and should be known; on several lines."""
    duration: float = 0.0
    scenario: Json | None = None
    requirement: Json | None = None
    """What it is about: a scenario of a check, a requirement of a load test."""

    @property
    def name(self) -> str:
        """Id and title."""
        return f"{self.id}: {self.title}" if self.title else self.id


def label(text: str) -> str:
    """A name that is fit to be looked at, short, and the same in every language."""
    short = text if len(text) <= NAME_CHARACTERS else f"{text[:NAME_CHARACTERS]}…"
    return visible(short)


def cases(document: Document) -> list[Case]:
    """The test cases of a results or load document, in its order; what is said about the run itself comes last."""
    if document["format"] == LOAD:
        return _of_load(document)
    found = [_scenario(document, scenario) for scenario in document["scenarios"]]
    own = [*_baseline(document), *_incomplete(document)]
    if not (document.get("ended") and document["outcome"]["passed"]):
        own += _cut_off(document, wording.cut_off_sentence(document))
    if document["complete"] and not found:
        message = t("compliance.nothing-played")
        own.append(Case(OWN, "scenarios-played", "", "error", "nothing-played", message))
    return [*found, *own, *_outcome_of_run(document, [*found, *own])]


def _outcome_of_run(document: Document, found: list[Case]) -> list[Case]:
    """A failed case, where the run fails and no other case does."""
    outcome = document["outcome"]
    if outcome["passed"] or any(case.outcome in ("failed", "error") for case in found):
        return []
    return [Case(OWN, "run-passes", "", "failed", "outcome", "; ".join(outcome["reasons"]))]


def _scenario(document: Document, scenario: Json) -> Case:
    failures = scenario["failures"]
    binding = [one for one in failures if wording.binding(one["level"], document["strict"])]
    counting = [one for one in binding if "baseline" not in one]
    others = [one for one in failures if one not in counting]
    outcome, kind, message = _outcome(scenario, counting, binding)
    notes = [(_reservation(one.source), one) for one in told_once(others)]
    notes += [(t("formats.case.unconfirmed"), one) for one in told_once(scenario.get("unconfirmed", ()))]
    return Case(
        suite=scenario["group"],
        id=scenario["id"],
        title=scenario["title"],
        outcome=outcome,
        kind=kind,
        message=message,
        details=_details(document, scenario, counting) if outcome in ("failed", "error") else "",
        notes="\n\n".join(f"{what} {_failure(one)}" for what, one in notes),
        duration=scenario["duration_s"],
        scenario=scenario,
    )


def _details(document: Document, scenario: Json, counting: list[Json]) -> str:
    command = short_repeating(document, scenario)
    needs = variables(command)
    repeat = [_lines([f"{t('compliance.repeat')}: {command}", *([needs] if needs else [])])] if command else []
    return "\n\n".join([*map(_failure, told_once(counting)), *repeat])


def _reservation(failure: Json) -> str:
    return t("formats.case.expected") if "baseline" in failure else t("formats.case.warning")


def _outcome(scenario: Json, counting: list[Json], binding: list[Json]) -> tuple[Outcome, str, str]:
    reason = scenario["reason"] or t("formats.case.no-reason")
    if scenario["verdict"] == "error":
        return "error", "tool", reason
    # A failed scenario without a failure should not exist; if it does, it must not look passed.
    if counting or (scenario["verdict"] == "failed" and not scenario["failures"]):
        found = told_once(counting)
        message = _headline(found[0]) if found else reason
        more = f" ({t('compliance.more', more=len(found) - 1)})" if len(found) > 1 else ""
        return "failed", "conformance", f"{message}{more}"
    if scenario["verdict"] in ("inconclusive", "untested"):
        return "skipped", scenario["verdict"], reason
    if binding:
        first = told_once(binding)[0]
        why = f"{t('common.mark.expected')}: {first.source['baseline']}: {_headline(first)}"
        return "skipped", "expected-failure", why
    return "passed", "", ""


def _headline(failure: Failure) -> str:
    clauses = ", ".join(f"{name} ({level})" for name, level in failure.clauses)
    return f"{clauses}: {failure.source['message']}"


def _failure(found: Failure) -> str:
    failure = found.source
    actors = f", {t('compliance.text.actor')}: {', '.join(found.actors)}" if found.actors else ""
    lines = [_headline(found), f"{t('compliance.text.step')}: {found.where}{actors}"]
    if failure["expected"] is not None:
        lines.append(f"{t('compliance.text.expected')}: {failure['expected']}")
    received = t("common.nothing") if failure["received"] is None else failure["received"]
    lines.append(f"{t('compliance.text.received')}: {received}")
    if found.more:
        lines.append(tn("compliance.found-again", found.more))
    return _lines(lines)


def _lines(lines: list[str]) -> str:
    return "\n".join(visible(cut(line, TEXT_CHARACTERS)) for line in lines)


def _baseline(document: Document) -> list[Case]:
    return [
        Case(OWN, f"baseline: {baselines.listed_name(entry)}", "", "failed", "baseline", f"{what} ({entry['reason']})")
        for mark, entry, what in baselines.baseline_lines(document)
        if mark.tone == "failed"
    ]


def _incomplete(document: Document) -> list[Case]:
    required = document["settings"].get("require_complete") is True
    if not required or not document["complete"] or document["verdict"] != "incomplete":
        return []
    sentence = wording.verdict_sentence(document)
    return [Case(OWN, "everything-verified", "", "failed", "incomplete", sentence)]


def _cut_off(document: Document, sentence: str) -> list[Case]:
    if document["complete"]:
        return []
    return [Case(OWN, "run-complete", "", "error", "cut-off", sentence)]


def _of_load(document: Document) -> list[Case]:
    found = [
        *(_requirement(document, requirement) for requirement in document["requirements"]),
        *map(_threshold, document["thresholds"]),
        *_cut_off(document, load_wording.cut_off_sentence(document)),
    ]
    failed = any(case.outcome in ("failed", "error") for case in found)
    return [*found, _load_run(document, told=failed)]


def _requirement(document: Document, requirement: Json) -> Case:
    strict = wording.is_strict(document)
    failed = [one for one in load_findings.broken(document) if one.requirement is requirement]
    counting = [one for one in failed if wording.binding(one.clause["level"], strict)]
    outcome, kind, message = _judgement(requirement, counting)
    held = load_findings.evidence(requirement) if outcome == "passed" and not failed else ""
    warnings = [f"{t('formats.case.warning')} {_broken(one)}" for one in failed if one not in counting]
    return Case(
        suite=requirement["section"],
        id=requirement["id"],
        title=requirement["statement"],
        outcome=outcome,
        kind=kind,
        message=message,
        details="\n\n".join(map(_broken, counting)),
        notes="\n\n".join(filter(None, (*warnings, _lines([held]) if held else ""))),
        requirement=requirement,
    )


def _judgement(requirement: Json, counting: list[Broken]) -> tuple[Outcome, str, str]:
    reason = requirement["reason"] or t("formats.case.no-reason")
    if requirement["verdict"] == "error":
        return "error", "tool", reason
    if counting:
        return "failed", "conformance", f"{counting[0].name}: {load_findings.sentence(counting[0])}"
    undecided = [one for one in wording.clauses(requirement) if one["verdict"] in ("inconclusive", "untested")]
    if undecided:
        # Half of it that holds is no pass.
        return "skipped", undecided[0]["verdict"], undecided[0]["reason"] or reason
    return "passed", "", ""


def _broken(one: Broken) -> str:
    examples = [
        load_findings.example(finding, example) for finding in one.clause["findings"] for example in finding["examples"]
    ]
    return _lines([f"{one.name}: {load_findings.sentence(one)}", *load_findings.others(one), *examples])


def _threshold(threshold: Json) -> Case:
    name = f"{threshold['metric']} {threshold['limit']}"
    value, limit = load_wording.threshold_value(threshold), threshold["limit"]
    if threshold["passed"]:
        return Case("thresholds", name, "", notes=_lines([t("formats.case.measured", value=value)]))
    if threshold["passed"] is None:
        message = t("formats.case.undecided", value=value, limit=limit)
        return Case("thresholds", name, "", "skipped", "undecided", message)
    unmeasured = threshold["value"] is None
    message = (
        t("formats.case.breach-unmeasured", limit=limit)
        if unmeasured
        else t("formats.case.breach", value=value, limit=limit)
    )
    return Case("thresholds", name, "", "failed", "threshold", message)


def _load_run(document: Document, *, told: bool) -> Case:
    """The case of the run; `told` if another one says already that it fails."""
    notes = [doubt.title + doubt.text for doubt in generator.doubts(document)]
    notes += filter(None, [load_findings.shed(document)])
    if document["delivery"] is not None:
        notes.append(t("formats.case.ledger", sentence=load_wording.ledger_sentence(document["delivery"])))
        notes += map(load_wording.example_sentence, document["delivery"].get("examples", ()))
    run = Case(OWN, "run", "", notes=_lines(notes), duration=document["duration_s"])
    outcome, sentence = document["outcome"], load_wording.load_sentence(document)
    if not outcome["passed"] and not told:
        return replace(run, outcome="failed", kind="load", message="; ".join(outcome["reasons"]) or sentence)
    if document["verdict"] in ("measured", "incomplete"):
        return replace(run, outcome="skipped", kind=document["verdict"], message=sentence)
    if document["verdict"] == "non-conformant":
        return replace(run, outcome="failed", kind="load", message=sentence)
    return run
