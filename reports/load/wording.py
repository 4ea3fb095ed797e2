"""The words of the load reports: the sentence that sums a run up, thresholds, close codes, the ledger."""

import re
from collections.abc import Mapping
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t, tn

_LIMIT: Final = re.compile(r"[<>=! ]*[0-9.,_]+ ?([A-Za-z%/]{0,12})")
"""A threshold's limit, such as ``< 200ms``: it ends in the unit that its value has as well."""

JUDGED: Final[Mapping[bool | None, str]] = {True: "passed", False: "failed", None: "inconclusive"}
"""The verdict on a threshold, by what its document says."""

WRONG: Final = ("lost", "duplicated", "reordered", "misdelivered")
"""What the ledger of a correct endpoint holds none of."""

_DECIDABLE: Final = ("passed", "failed", "inconclusive", "error")
"""Verdicts on what was put to the test."""

# RFC 6455 §7.4.1 and the registry it opens; codes from 4000 on belong to the application.
_CLOSE_CODES: Final = frozenset({*range(1000, 1016)} - {1004})


def load_sentence(document: Document) -> str:
    """The verdict on a load test in one sentence, with the load that it is about."""
    verdict = wording.overall_mark(document).word
    users = peak(document)
    if users:
        verdict = t("load.sentence.under", verdict=verdict, users=tn("load.capacity.load.users", users))
    if document["verdict"] == "measured":
        return t(
            "load.sentence.only-thresholds" if document["thresholds"] else "load.sentence.measured", verdict=verdict
        )
    if document["verdict"] == "incomplete" and document["reason"]:
        return f"{verdict}: {cut(document['reason'], 300)}"
    return _of_requirements(document, verdict)


def _of_requirements(document: Document, verdict: str) -> str:
    failed, judged = wording.failing(document, counts_against=True), exercised(document)
    values = {"verdict": verdict, "kind": wording.kind_of_binding(document)}
    if failed:
        values |= {"failed": quantities.count(len(failed)), "ids": wording.listed_ids(failed)}
        return tn("load.sentence.broken", len(judged), **values)
    if document["verdict"] == "conformant" and judged:
        return tn("load.sentence.all-hold", len(judged), **values)
    undecided = [one for one in judged if one["verdict"] != "passed"]
    if undecided:
        return tn("load.sentence.incomplete", len(undecided), **values, all=quantities.count(len(judged)))
    return t("load.sentence.nothing" if document["complete"] else "load.sentence.cut-off", verdict=verdict)


def exercised(document: Document) -> list[Mapping[str, Any]]:
    """The requirements that the verdict is about: those that bind, and that the run put to the test.

    What its journeys did not bring about is no gap of a load test.
    """
    strict = wording.is_strict(document)
    return [one for one in wording.binding_requirements(document) if wording.has_clause(one, strict, _DECIDABLE)]


def peak(document: Document) -> int:
    """How many users there were at the most; 0 where nobody knows."""
    return max((point["users"] for point in document["timeline"]), default=0)


def reason(document: Document) -> str:
    """The document's reason, where the sentence does not say it."""
    return "" if document["verdict"] == "incomplete" else document["reason"] or ""


def outcome_sentence(document: Document) -> tuple[wording.Mark, str] | None:
    """That the run fails, where that does not follow from the verdict alone; None where it does."""
    outcome, verdict = document["outcome"], document["verdict"]
    follows = verdict == "non-conformant" and len(outcome["reasons"]) <= 1
    if outcome["passed"] or follows or outcome["reasons"] == [document["reason"]]:
        return None
    return wording.failing_outcome(document)


def cut_off_sentence(document: Document) -> str:
    """How far a load test came that did not come to its end."""
    whole = document["settings"].get("time_s")
    if not isinstance(whole, int | float):
        return t("load.cut-off")
    return t("load.cut-off.at", seconds=int(document["duration_s"]), of=quantities.setting(whole))


def threshold_mark(threshold: Mapping[str, Any]) -> wording.Mark:
    """How a threshold is shown."""
    return wording.mark(JUDGED[threshold["passed"]])


def threshold_word(threshold: Mapping[str, Any]) -> str:
    """What became of a threshold."""
    return t({True: "load.held", False: "load.breached", None: "load.undecided"}[threshold["passed"]])


def undecided(document: Document) -> list[Mapping[str, Any]]:
    """The thresholds that only what a late generator measured does not keep."""
    return [threshold for threshold in document["thresholds"] if threshold["passed"] is None]


def breached(document: Document) -> list[Mapping[str, Any]]:
    """The thresholds that do not hold."""
    return [threshold for threshold in document["thresholds"] if threshold["passed"] is False]


def threshold_value(threshold: Mapping[str, Any]) -> str:
    """A threshold's measured value, with the unit that its limit is written in."""
    if threshold["value"] is None:
        return t("load.nothing-measured")
    unit = (_LIMIT.fullmatch(threshold["limit"]) or {1: ""})[1]
    gap = "" if unit in ("", "%") else " "
    value = threshold["value"]
    whole = isinstance(value, int) or (not unit and value == int(value))
    number = quantities.count(value) if whole else quantities.measured(value)
    return f"{number}{gap}{unit}"


def close_meaning(code: str) -> str:
    """What a close code means, as far as that does not depend on the endpoint."""
    if code.isdecimal() and int(code) in _CLOSE_CODES:
        return t(f"load.close.{int(code)}")
    return t("load.close.own") if len(code) == 4 and code.startswith("4") else ""


def ledger_mark(document: Document) -> wording.Mark:
    """How the delivery ledger is shown: where nothing is wrong, as what it proves."""
    kept = document["delivery"]
    if any(kept[name] for name in WRONG):
        return wording.mark("failed")
    # A tick is a verdict, which a run that only measured gives of nothing.
    return wording.mark(
        "untested" if document["verdict"] == "measured" else "passed" if kept["expected"] else "inconclusive"
    )


def ledger_sentence(kept: Mapping[str, Any]) -> str:
    """The delivery ledger in one sentence."""
    if not kept["expected"] and not any(kept[name] for name in WRONG):
        return tn("load.ledger.nothing-owed", kept.get("posts", 0))
    others = [name for name in ("undecided", "strangers") if kept.get(name)]
    listed = ", ".join(tn(f"load.ledger.count.{name}", kept[name]) for name in (*WRONG, *others))
    delivered = quantities.count(kept["delivered"])
    return tn("load.ledger.sentence", kept["expected"], delivered=delivered, listed=listed)


def example_sentence(example: Mapping[str, Any]) -> str:
    """One delivery that went wrong, in one sentence."""
    number = example["number"]
    return t(
        "load.example.sentence",
        kind=t(f"load.ledger.{example['kind']}.name"),
        when="" if example["t_s"] is None else t("load.example.when", t=f"{example['t_s']:.2f}"),
        message=t("load.example.some")
        if number is None
        else t("load.example.message", number=quantities.count(number)),
        poster=cut(example["poster"], 40),
        receiver=cut(example["receiver"], 40),
        channel=cut(example["channel"], 60),
        detail=f": {cut(example['detail'], 200)}" if example["detail"] else "",
    )
