"""The words of the load reports: the sentence that sums a run up, thresholds, close codes, the ledger."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from reports import quantities, wording
from reports.documents import Document
from reports.fitting import cut
from reports.language import t, tn

_LIMIT: Final = re.compile(r"[<>=! ]*[0-9.,_]+ ?([A-Za-z%/]{0,12})")
"""A threshold's limit, such as ``< 200ms``: it ends in the unit that its value has as well."""

WRONG: Final = ("lost", "duplicated", "reordered", "misdelivered")
"""What the ledger of a correct endpoint holds none of."""

# RFC 6455 §7.4.1 and the registry it opens; codes from 4000 on belong to the application.
_CLOSE_CODES: Final = frozenset({*range(1000, 1016)} - {1004})


def load_sentence(document: Document) -> str:
    """The verdict on a load test in one sentence."""
    word = wording.overall_mark(document).word
    thresholds = document["thresholds"]
    if breached(document):
        return _listed("breached", word, thresholds, breached(document))
    if document["reason"]:
        return f"{word}: {cut(document['reason'], 300)}"
    if undecided(document):
        return _listed("undecided", word, thresholds, undecided(document))
    if not thresholds:
        return t("load.sentence.no-threshold", verdict=word)
    return tn("load.sentence.all-hold", len(thresholds), verdict=word)


def breached(document: Document) -> list[Mapping[str, Any]]:
    """The thresholds that do not hold."""
    return [threshold for threshold in document["thresholds"] if threshold["passed"] is False]


def undecided(document: Document) -> list[Mapping[str, Any]]:
    """The thresholds that only what a late generator measured does not keep."""
    return [threshold for threshold in document["thresholds"] if threshold["passed"] is None]


def _listed(what: str, word: str, thresholds: Sequence[Any], found: Sequence[Mapping[str, Any]]) -> str:
    listed = "; ".join(_breach(threshold) for threshold in found[:3])
    if len(found) > 3:
        listed = t("load.sentence.and-more", listed=listed, more=len(found) - 3)
    of = tn("load.of-thresholds", len(thresholds))
    return tn(f"load.sentence.{what}", len(found), verdict=word, of=of, listed=listed)


def cut_off_sentence(document: Document) -> str:
    """How far a load test came that did not come to its end."""
    whole = document["settings"].get("time_s")
    if not isinstance(whole, int | float):
        return t("load.cut-off")
    return t("load.cut-off.at", seconds=int(document["duration_s"]), of=quantities.setting(whole))


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


def _breach(threshold: Mapping[str, Any]) -> str:
    metric, limit = cut(threshold["metric"], 60), cut(threshold["limit"], 40)
    return t("load.breach", metric=metric, value=threshold_value(threshold), limit=limit)


def close_meaning(code: str) -> str:
    """What a close code means, as far as that does not depend on the endpoint."""
    if code.isdecimal() and int(code) in _CLOSE_CODES:
        return t(f"load.close.{int(code)}")
    return t("load.close.own") if len(code) == 4 and code.startswith("4") else ""


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
