"""The words of the load reports: the sentence that sums a run up, thresholds, close codes, the ledger."""

import re
from collections.abc import Mapping
from typing import Any, Final

from reports import quantities, wording
from reports.documents import Document
from reports.visible import cut

_LIMIT: Final = re.compile(r"[<>=! ]*[0-9.,_]+ ?([A-Za-z%/]{0,12})")
"""A threshold's limit, such as ``< 200ms``: it ends in the unit that its value has as well."""
CUT_OFF: Final = "This run was cut off before its end. What follows is what had been measured by then."

WRONG: Final = ("lost", "duplicated", "reordered", "misdelivered")
"""What the ledger of a correct endpoint holds none of."""

# RFC 6455 §7.4.1 and the registry it opens; codes from 4000 on belong to the application.
_CLOSE_CODES: Final = {
    "1000": "normal closure",
    "1001": "going away",
    "1002": "protocol error",
    "1003": "unsupported data",
    "1005": "close frame without a code",
    "1006": "connection lost, no close frame",
    "1007": "invalid data, such as broken UTF-8",
    "1008": "policy violation",
    "1009": "message too big",
    "1010": "extension missing",
    "1011": "internal error",
    "1012": "service restart",
    "1013": "try again later",
    "1014": "bad gateway",
    "1015": "TLS handshake failed",
}


def load_sentence(document: Document) -> str:
    """The verdict on a load test in one sentence."""
    word = wording.overall_mark(document).word
    thresholds = document["thresholds"]
    breached = [threshold for threshold in thresholds if not threshold["passed"]]
    if breached:
        listed = "; ".join(_breach(threshold) for threshold in breached[:3])
        more = f"; and {len(breached) - 3} more" if len(breached) > 3 else ""
        were = "was" if len(breached) == 1 else "were"
        of = f"{len(breached)} of {quantities.counted(len(thresholds), 'threshold')}"
        return f"{word}: {of} {were} breached: {listed}{more}."
    if document["reason"]:
        return f"{word}: {cut(document['reason'], 300)}"
    if not thresholds:
        return f"{word}: no threshold was set, so nothing was judged."
    return f"{word}: {wording.all_hold(len(thresholds), 'threshold')}."


def threshold_value(threshold: Mapping[str, Any]) -> str:
    """A threshold's measured value, with the unit that its limit is written in."""
    if threshold["value"] is None:
        return "nothing measured"
    unit = (_LIMIT.fullmatch(threshold["limit"]) or {1: ""})[1]
    gap = "" if unit in ("", "%") else " "
    value = threshold["value"]
    whole = isinstance(value, int) or (not unit and value == int(value))
    number = quantities.count(value) if whole else quantities.measured(value)
    return f"{number}{gap}{unit}"


def _breach(threshold: Mapping[str, Any]) -> str:
    metric, limit = cut(threshold["metric"], 60), cut(threshold["limit"], 40)
    return f"{metric} {threshold_value(threshold)} (limit {limit})"


def close_meaning(code: str) -> str:
    """What a close code means, as far as that does not depend on the endpoint."""
    if code in _CLOSE_CODES:
        return _CLOSE_CODES[code]
    return "the application's own" if len(code) == 4 and code.startswith("4") else ""


def ledger_sentence(kept: Mapping[str, Any]) -> str:
    """The delivery ledger in one sentence."""
    owed = quantities.counted(kept["expected"], "owed delivery", "owed deliveries")
    if not kept["expected"] and not any(kept[name] for name in WRONG):
        return f"no delivery was owed to anybody: {quantities.counted(kept.get('posts', 0), 'post', 'posts')}"
    others = [name for name in ("undecided", "strangers") if kept.get(name)]
    listed = ", ".join(f"{quantities.count(kept[name])} {name}" for name in (*WRONG, *others))
    return f"{quantities.count(kept['delivered'])} of {owed} arrived; {listed}"


def example_sentence(example: Mapping[str, Any]) -> str:
    """One delivery that went wrong, in one sentence."""
    number = "a message" if example["number"] is None else f"message {quantities.count(example['number'])}"
    when = "" if example["t_s"] is None else f" at {example['t_s']:.2f} s"
    way = f"{number} of {cut(example['poster'], 40)} to {cut(example['receiver'], 40)} in {cut(example['channel'], 60)}"
    detail = f": {cut(example['detail'], 200)}" if example["detail"] else ""
    return f"{example['kind']}{when}: {way}{detail}"
