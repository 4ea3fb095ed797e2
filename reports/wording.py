"""The words of the reports: verdicts, their symbols, and the sentences that sum a run up.

One place, so that the page, the XML and the terminal say the same. A verdict is always a symbol
and a word, never a colour alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports import quantities
from reports.documents import Document
from reports.visible import cut

LEVELS: Final = ("MUST", "SHOULD", "MAY")
VERDICTS: Final = ("passed", "failed", "inconclusive", "untested", "error")
UNVERIFIED: Final = ("error", "inconclusive", "untested")


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict as it is shown: `tone` names its style, `symbol` and `word` its text."""

    tone: str
    symbol: str
    word: str
    rank: int
    """Order inside a group: what needs attention first."""
    counted: str = ""
    """The word after a number, where it is another one."""


_MARKS: Final = {
    "failed": Mark("failed", "\N{BALLOT X}", "failed", 0),
    "warning": Mark("warning", "\N{BLACK UP-POINTING TRIANGLE}", "failed", 1, "warning"),
    "expected": Mark("expected", "\N{WHITE DIAMOND}", "expected failure", 2, "expected failure"),
    "error": Mark("error", "!", "error", 3, "error"),
    "inconclusive": Mark("inconclusive", "?", "inconclusive", 4),
    "untested": Mark("untested", "\N{WHITE CIRCLE}", "untested", 5),
    "passed": Mark("passed", "\N{CHECK MARK}", "passed", 6),
}
_OVERALL: Final = {
    "conformant": Mark("passed", "\N{CHECK MARK}", "Conformant", 6),
    "non-conformant": Mark("failed", "\N{BALLOT X}", "Not conformant", 0),
    "incomplete": Mark("inconclusive", "?", "Incomplete", 4),
    "passed": Mark("passed", "\N{CHECK MARK}", "Passed", 6),
    "failed": Mark("failed", "\N{BALLOT X}", "Failed", 0),
}

LEGEND: Final = (
    (
        _MARKS["failed"],
        "failed",
        "A scenario saw the endpoint break the requirement. One failed MUST makes it non-conformant.",
    ),
    (
        _MARKS["warning"],
        "failed: a warning",
        "A recommendation (SHOULD) or an option (MAY) that does not hold. It does not make the "
        "endpoint non-conformant, unless the run was strict: then a SHOULD counts as a MUST.",
    ),
    (
        _MARKS["expected"],
        "expected failure",
        "It fails, and the baseline of this run lists it, with a reason. That does not make the endpoint conformant, "
        "but the run does not fail for it.",
    ),
    (
        _MARKS["error"],
        "error",
        "The tool itself failed. Nothing is said about the endpoint.",
    ),
    (
        _MARKS["inconclusive"],
        "inconclusive",
        "It could not be judged here; the reason says what was missing. Not a pass.",
    ),
    (
        _MARKS["untested"],
        "untested",
        "No scenario that verifies it was played, or not all of them to their end. Not a pass.",
    ),
    (
        _MARKS["passed"],
        "passed",
        "Every scenario that verifies it was played to its end and saw it hold.",
    ),
)
_STATES: Final = {"stale": "failed", "expired": "failed", "expected": "expected", "undecided": "untested"}
"""What became of an entry of the baseline, and how that is shown."""
_NO_REASON: Final = {
    "error": "The tool failed.",
    "inconclusive": "It could not be judged here.",
    "untested": "No scenario that verifies it was played.",
}
CUT_OFF: Final = (
    "This run was cut off before its end. What follows is what had finished by then; the rest was not verified."
)


def binding(level: str, strict: bool) -> bool:
    """Whether failing a clause of this level makes the endpoint non-conformant."""
    return level == "MUST" or (strict and level == "SHOULD")


def mark(verdict: str, level: str = "MUST", strict: bool = False, *, expected: bool = False) -> Mark:
    """How a verdict on a clause of this level is shown; `expected` where a baseline lists the failure."""
    if verdict == "failed" and expected:
        return _MARKS["expected"]
    if verdict == "failed" and not binding(level, strict):
        return _MARKS["warning"]
    return _MARKS[verdict]


def mark_of(entry: Mapping[str, Any], strict: bool) -> Mark:
    """How a requirement or a clause of a document is shown."""
    return mark(entry["verdict"], entry["level"], strict, expected="baseline" in entry)


def overall_mark(document: Document) -> Mark:
    """How the verdict on the whole run is shown."""
    return _OVERALL[document["verdict"]]


def scenario_mark(scenario: Mapping[str, Any], strict: bool) -> Mark:
    """How a scenario's verdict is shown: one that only breaks recommendations is a warning."""
    if scenario["verdict"] != "failed":
        return mark(scenario["verdict"])
    marks = [failure_mark(failure, strict) for failure in scenario["failures"]]
    # A failed scenario without a failure should not exist; if it does, it is no mere warning.
    return min(marks, key=lambda one: one.rank, default=_MARKS["failed"])


def failure_mark(failure: Mapping[str, Any], strict: bool) -> Mark:
    """How one failure of a scenario is shown."""
    return mark("failed", failure["level"], strict, expected="baseline" in failure)


def clauses(requirement: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A requirement's clauses; the requirement itself stands for the only one if none is listed."""
    listed: Sequence[Mapping[str, Any]] = requirement["clauses"]
    return listed or [requirement]


def failing(document: Document, counts_against: bool) -> list[Mapping[str, Any]]:
    """The requirements with a failed clause that counts, or does not count, for the verdict."""
    strict = document["strict"]
    return [
        requirement
        for requirement in document["requirements"]
        if any(
            clause["verdict"] == "failed" and binding(clause["level"], strict) is counts_against
            for clause in clauses(requirement)
        )
    ]


def unverified_groups(document: Document) -> list[tuple[Mark, str, list[Mapping[str, Any]]]]:
    """What was not verified: (mark, reason, requirements), the tool's own errors first."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for requirement in document["requirements"]:
        for clause in clauses(requirement):
            if clause["verdict"] in UNVERIFIED:
                reason = clause["reason"] or requirement["reason"] or _NO_REASON[clause["verdict"]]
                reason = _without_scenario(reason, requirement)
                listed = found.setdefault((clause["verdict"], reason), [])
                if requirement not in listed[-1:]:
                    listed.append(requirement)
    ordered = sorted(found.items(), key=lambda item: mark(item[0][0]).rank)
    return [(mark(verdict), reason, listed) for (verdict, reason), listed in ordered]


def _without_scenario(reason: str, requirement: Mapping[str, Any]) -> str:
    """A reason without the scenario that gave it, since others may have the same one."""
    name, _, rest = reason.partition(": ")
    return rest if rest and name in requirement["scenarios"] else reason


def verdict_sentence(document: Document) -> str:
    """The verdict on a conformance run in one sentence."""
    word = overall_mark(document).word
    musts = [r for r in document["requirements"] if _has_clause(r, document["strict"])]
    unknown = [r for r in musts if _has_clause(r, document["strict"], UNVERIFIED)]
    kind = "requirement" if document["strict"] else "MUST requirement"
    if document["verdict"] == "non-conformant":
        broken = failing(document, counts_against=True)
        if not broken:
            return f"{word}."
        verb = "fails" if len(broken) == 1 else "fail"
        return f"{word}: {quantities.counted(len(broken), kind)} {verb} ({_ids(broken)})."
    if document["verdict"] == "incomplete":
        return (
            f"{word}: no {kind} failed, but {len(unknown):,} of {len(musts):,} "
            f"{'was' if len(unknown) == 1 else 'were'} not verified."
        )
    if unknown:
        held = quantities.counted(len(musts) - len(unknown), kind)
        return f"{word}: {held} hold; {len(unknown):,} more were not verified."
    return f"{word}: {all_hold(len(musts), kind)}."


def warning_sentence(document: Document) -> str | None:
    """What fails without counting for the verdict, in one sentence; None where nothing does."""
    warned = failing(document, counts_against=False)
    if not warned:
        return None
    verb = "does" if len(warned) == 1 else "do"
    noun = "recommendation" if len(warned) == 1 else "recommendations"
    return f"{quantities.count(len(warned))} {noun} {verb} not hold ({_ids(warned)})."


def outcome_sentence(document: Document) -> tuple[Mark, str] | None:
    """Whether the run passes, where that does not follow from the verdict alone; None where it does."""
    outcome, baseline = document["outcome"], document["baseline"]
    follows = outcome["passed"] is (document["verdict"] != "non-conformant")
    if (follows and baseline is None) or not document["complete"]:
        return None
    if not outcome["passed"]:
        return _MARKS["failed"], f"The run fails: {cut('; '.join(outcome['reasons']), 600)}."
    excused = (baseline or {}).get("expected")
    why = "whatever fails is listed in the baseline" if excused else "nothing stands against it"
    return _MARKS["passed"], f"The run passes: {why}."


def baseline_lines(document: Document) -> list[tuple[Mark, Mapping[str, Any], str]]:
    """What became of the baseline's entries: mark, entry, and what there is to say; first what needs attention."""
    baseline = document["baseline"] or {}
    return [
        (_MARKS[shown], entry, _baseline_sentence(state, entry))
        for state, shown in _STATES.items()
        for entry in baseline.get(state, ())
    ]


def listed_name(entry: Mapping[str, Any]) -> str:
    """The id that an entry of the baseline lists."""
    return str(entry.get("requirement") or entry.get("scenario"))


def _baseline_sentence(state: str, entry: Mapping[str, Any]) -> str:
    if state == "stale":
        return f"stale: it passes, so delete the baseline's entry in line {entry['line']}"
    if state == "expired":
        return f"expired: it was expected to fail until {entry['expires']}, and fails still"
    if state == "undecided":
        return "not decided by this run"
    until = f" until {entry['expires']}" if entry["expires"] else ""
    return f"expected failure{until}"


def generated_sentence(document: Document) -> str | None:
    """How many messages were generated, and the seed that makes them again; None where none were."""
    options = generated_options(document)
    return f"fuzz: {options[1]} examples, seed {options[3]}" if options else None


def generated_options(document: Document) -> list[str]:
    """The options that generate the run's messages again; none where it had no such messages."""
    fuzz = document["settings"].get("fuzz")
    if not isinstance(fuzz, Mapping) or not {"examples", "seed"} <= fuzz.keys():
        return []
    # Without separators between the digits: they are to be copied.
    return ["--fuzz", str(fuzz["examples"]), "--seed", str(fuzz["seed"])]


def all_hold(number: int, noun: str) -> str:
    """That each of `number` requirements or thresholds holds, without claiming it of none."""
    if number == 0:
        return f"there is no {noun} to hold it to"
    return f"the one {noun} holds" if number == 1 else f"all {number:,} {noun}s hold"


def _ids(requirements: Sequence[Mapping[str, Any]], limit: int = 4) -> str:
    listed = ", ".join(cut(requirement["id"], 40) for requirement in requirements[:limit])
    more = len(requirements) - limit
    return f"{listed} and {more:,} more" if more > 0 else listed


def _has_clause(requirement: Mapping[str, Any], strict: bool, verdicts: Iterable[str] = VERDICTS) -> bool:
    return any(binding(clause["level"], strict) and clause["verdict"] in verdicts for clause in clauses(requirement))
