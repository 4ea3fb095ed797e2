"""The words of the reports: verdicts, their symbols, and the sentences that sum a run up.

One place, so that the page, the XML and the terminal say the same. A verdict is always a symbol
and a word, never a colour alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.formats import LOAD
from reports.shared import selection
from reports.shared.documents import Document
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import spoken, t, tn

LEVELS: Final = ("MUST", "SHOULD", "MAY")
VERDICTS: Final = ("passed", "failed", "inconclusive", "untested", "error")
_SETTINGS: Final = frozenset(
    ("jobs", "time_scale", "rounds", "embedded", "contract", "profile", "set", "scenarios", "only_scenarios",
     "selection", "deselection", "maxfail", "time_limit",
     "require_complete", "allow_undecided", "baseline", "fuzz", "heartbeat_interval_s", "heartbeat_timeout_s")
)  # fmt: skip
_ORIGINS: Final = frozenset(("seed", "example", "derived"))
MAX_HINTS: Final = 5
UNVERIFIED: Final = ("error", "inconclusive", "untested")


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict as it is shown: `tone` names its style, `symbol` and `word` its text."""

    tone: str
    symbol: str
    text: str
    """The id of its word."""
    rank: int
    """Order inside a group: what needs attention first."""
    tally: str = ""
    """The id of the words that count it."""

    @property
    def word(self) -> str:
        """Its word in the language that is spoken."""
        return t(self.text)

    @property
    def kind(self) -> str:
        """What it is by itself: a warning, where its word is `failed`."""
        return t(f"common.mark.{self.tone}")

    def counted(self, number: int) -> str:
        """How many there are: ``3 failed``."""
        return tn(self.tally, number)


def _mark(tone: str, symbol: str, rank: int, word: str = "") -> Mark:
    return Mark(tone, symbol, f"common.mark.{word or tone}", rank, f"common.tally.{tone}")


MARKS: Final = {
    "failed": _mark("failed", "\N{BALLOT X}", 0),
    "warning": _mark("warning", "\N{BLACK UP-POINTING TRIANGLE}", 1, "failed"),
    "expected": _mark("expected", "\N{WHITE DIAMOND}", 2),
    "error": _mark("error", "!", 3),
    "inconclusive": _mark("inconclusive", "?", 4),
    "untested": _mark("untested", "\N{WHITE CIRCLE}", 5),
    "passed": _mark("passed", "\N{CHECK MARK}", 6),
}
"""How each verdict is shown, what needs attention first."""
_OVERALL: Final = {
    "conformant": _mark("passed", "\N{CHECK MARK}", 6, "conformant"),
    "non-conformant": _mark("failed", "\N{BALLOT X}", 0, "non-conformant"),
    "incomplete": _mark("inconclusive", "?", 4, "incomplete"),
    "measured": _mark("untested", "\N{WHITE CIRCLE}", 5, "measured"),
}


def is_strict(document: Document) -> bool:
    """Whether a SHOULD counts as a MUST in this run; a load test says so among its settings."""
    strict = document["settings"].get("strict") if document["format"] == LOAD else document["strict"]
    return strict is True


def binding(level: str, strict: bool) -> bool:
    """Whether failing a clause of this level makes the endpoint non-conformant."""
    return level == "MUST" or (strict and level == "SHOULD")


def mark(verdict: str, level: str = "MUST", strict: bool = False, *, expected: bool = False) -> Mark:
    """How a verdict on a clause of this level is shown; `expected` where a baseline lists the failure."""
    if verdict == "failed" and expected:
        return MARKS["expected"]
    if verdict == "failed" and not binding(level, strict):
        return MARKS["warning"]
    return MARKS[verdict]


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
    return min(marks, key=lambda one: one.rank, default=MARKS["failed"])


def failure_mark(failure: Mapping[str, Any], strict: bool) -> Mark:
    """How one failure of a scenario is shown."""
    return mark("failed", failure["level"], strict, expected="baseline" in failure)


def clauses(requirement: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """A requirement's clauses; the requirement itself stands for the only one if none is listed."""
    listed: Sequence[Mapping[str, Any]] = requirement["clauses"]
    return listed or [requirement]


def statement(requirement: Mapping[str, Any]) -> str:
    """What a requirement says, in the language that is spoken where the document has it."""
    return _own(requirement, "statement")


def section_title(requirement: Mapping[str, Any]) -> str:
    """The title of a requirement's section, in the language that is spoken where the document has it."""
    return _own(requirement, "section_title")


def scenario_title(scenario: Mapping[str, Any]) -> str:
    """What a scenario does, in the language that is spoken where the document has it."""
    return _own(scenario, "title")


def origin(text: str) -> str:
    """Where a requirement comes from, such as ``seed §4``; a name that is not known stays."""
    name, space, rest = text.partition(" ")
    return f"{t(f'compliance.origin.{name}')}{space}{rest}" if name in _ORIGINS else text


def setting_name(name: str) -> str:
    """What a check's setting is called; one that is not known keeps its name."""
    return t(f"compliance.setting.{name}") if name in _SETTINGS else name


def setting_value(name: str, value: object) -> str:
    """The value of a check's setting."""
    if name == "fuzz" and isinstance(value, Mapping) and {"examples", "seed"} <= value.keys():
        return t("compliance.setting.fuzz.value", examples=value["examples"], seed=value["seed"])
    return quantities.setting(value)


def _own(requirement: Mapping[str, Any], member: str) -> str:
    return str(requirement.get(f"{member}_{spoken()}") or requirement[member])


def failing(document: Document, counts_against: bool) -> list[Mapping[str, Any]]:
    """The requirements with a failed clause that counts, or does not count, for the verdict."""
    strict = is_strict(document)
    return [
        requirement
        for requirement in document["requirements"]
        if any(
            clause["verdict"] == "failed" and binding(clause["level"], strict) is counts_against
            for clause in clauses(requirement)
        )
    ]


def unselected_sentence(document: Document) -> str | None:
    """How many requirements were not selected, or have no scenario; None where there are none."""
    number = sum(map(selection.left_out, document["requirements"]))
    name = "compliance.unselected" if selection.narrowed(document) else "compliance.without-scenario"
    return tn(name, number) if number else None


def binding_requirements(document: Document) -> list[Mapping[str, Any]]:
    """The requirements that the verdict is about."""
    strict = is_strict(document)
    return [one for one in selection.counted(document) if has_clause(one, strict)]


def kind_of_binding(document: Document) -> str:
    """What these are called."""
    return t("compliance.kind.any" if is_strict(document) else "compliance.kind.must")


def verdict_sentence(document: Document) -> str:
    """The verdict on a conformance run in one sentence, which says so where it is about a part."""
    strict = is_strict(document)
    musts = binding_requirements(document)
    unknown = [one for one in musts if has_clause(one, strict, UNVERIFIED)]
    values = {
        "verdict": overall_mark(document).word,
        "kind": kind_of_binding(document),
        "unknown": f"{len(unknown):,}",
        "all": f"{len(musts):,}",
    }
    if document["verdict"] == "non-conformant":
        broken = failing(document, counts_against=True)
        if not broken:
            return t("compliance.sentence.broken-somehow", **values)
        return tn("compliance.sentence.broken", len(broken), **values, ids=listed_ids(broken))
    if selection.narrowed(document):
        values["verdict"] = t("compliance.sentence.selected", verdict=values["verdict"])
    if document["verdict"] == "incomplete":
        return tn("compliance.sentence.incomplete", len(unknown), **values)
    if unknown:
        return tn("compliance.sentence.some-hold", len(musts) - len(unknown), **values)
    if not musts:
        return t("compliance.sentence.none", **values)
    return tn("compliance.sentence.all-hold", len(musts), **values)


def cut_off_sentence(document: Document) -> str:
    """What a run that did not come to its end leaves open, and why it ended, where that was wanted."""
    ended = document.get("ended")
    return t("compliance.ended", reason=cut(ended["message"], 300)) if ended else t("compliance.cut-off")


def warning_sentence(document: Document) -> str | None:
    """What fails without counting for the verdict, in one sentence; None where nothing does."""
    warned = failing(document, counts_against=False)
    return tn("compliance.sentence.warned", len(warned), ids=listed_ids(warned)) if warned else None


def outcome_sentence(document: Document) -> tuple[Mark, str] | None:
    """Whether the run passes, where that does not follow from the verdict alone; None where it does."""
    outcome, baseline = document["outcome"], document["baseline"]
    follows = outcome["passed"] is (document["verdict"] != "non-conformant")
    if (follows and baseline is None) or not (document["complete"] or document.get("ended")):
        return None
    if not outcome["passed"]:
        return failing_outcome(document)
    excused = (baseline or {}).get("expected")
    return MARKS["passed"], t("compliance.outcome.excused" if excused else "compliance.outcome.passes")


def failing_outcome(document: Document) -> tuple[Mark, str]:
    """That the run fails, and why."""
    return MARKS["failed"], t("compliance.outcome.fails", why=cut("; ".join(document["outcome"]["reasons"]), 600))


def hints(document: Document) -> list[tuple[Mark, str]]:
    """The mistakes in how the run was set up that are suspected."""
    found = document.get("hints", ())[:MAX_HINTS]
    return [(MARKS["inconclusive"], t("compliance.hint", hint=cut(hint["message"], 600))) for hint in found]


def observations(document: Document) -> list[tuple[str, str]]:
    """What the endpoint did where the contract leaves it open: what was done, and what was seen."""
    return [(cut(one["what"], 200), cut(one["seen"], 300)) for one in document.get("observations", ())]


def is_built_in(document: Document) -> bool:
    """Whether the run tested wsproof's own reference server."""
    return document["settings"].get("embedded") is True


def endpoint(document: Document) -> str:
    """What was tested: the endpoint's URL, and whose server it was where it was our own."""
    url = str(document["endpoint"])
    return t("common.built-in.name", url=url) if is_built_in(document) else url


def built_in_sentence(document: Document) -> str | None:
    """That nobody's endpoint was tested; None where one was."""
    return t("common.built-in") if is_built_in(document) else None


def generated_sentence(document: Document) -> str | None:
    """How many messages were generated, and the seed that makes them again; None where none were."""
    options = generated_options(document)
    return t("compliance.generated", examples=options[1], seed=options[3]) if options else None


def generated_options(document: Document) -> list[str]:
    """The options that generate the run's messages again; none where it had no such messages."""
    fuzz = document["settings"].get("fuzz")
    if not isinstance(fuzz, Mapping) or not {"examples", "seed"} <= fuzz.keys():
        return []
    # Without separators between the digits: they are to be copied.
    return ["--fuzz", str(fuzz["examples"]), "--seed", str(fuzz["seed"])]


def listed_ids(requirements: Sequence[Mapping[str, Any]], limit: int = 4) -> str:
    """The ids of some requirements; of many the first, and how many more there are."""
    listed = ", ".join(cut(requirement["id"], 40) for requirement in requirements[:limit])
    more = len(requirements) - limit
    return t("common.and-more", listed=listed, more=f"{more:,}") if more > 0 else listed


def has_clause(requirement: Mapping[str, Any], strict: bool, verdicts: Iterable[str] = VERDICTS) -> bool:
    """Whether a clause of this requirement binds, and has one of these verdicts."""
    return any(binding(clause["level"], strict) and clause["verdict"] in verdicts for clause in clauses(requirement))
