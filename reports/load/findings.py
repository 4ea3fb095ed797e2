"""What a load test saw of each requirement: how often it was broken, when, and what was wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.held import counted, held
from reports.text.language import t, tn

MAX_CHARACTERS: Final = 300
"""What was found is cut after these; the document has all of it."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A clause that was broken, with its requirement."""

    requirement: Json
    clause: Json
    mark: Mark

    @property
    def name(self) -> str:
        """The requirement's id, and the clause's level."""
        return f"{cut(self.requirement['id'], 40)} {self.clause['level']}"


def broken(document: Document) -> tuple[Broken, ...]:
    """The clauses that were broken: what binds first, in the contract's order."""
    strict = wording.is_strict(document)
    found = [
        Broken(requirement, clause, wording.mark_of(clause, strict))
        for requirement in document["requirements"]
        for clause in wording.clauses(requirement)
        if clause["verdict"] == "failed"
    ]
    return tuple(sorted(found, key=lambda one: one.mark.rank))


def evidence(clause: Json) -> str:
    """On what a clause's verdict rests: in how much it held, or was broken; empty where nothing was looked at."""
    found = [figures(clause) if clause["verdict"] == "failed" else held(clause)]
    if clause["undecided"]:
        found.append(tn("load.ledger.count.undecided", clause["undecided"]))
    return t("load.comma").join(filter(None, found))


def figures(clause: Json) -> str:
    """How often a clause was broken: ``62 of 81,204 deliveries (0.08 %)``."""
    of = counted(clause)
    if not of:
        return tn("load.broken.times", clause["failed"])
    share = quantities.share(clause["failed"], clause["applied"])
    return t("load.broken.of", failed=quantities.count(clause["failed"]), of=of, share=share)


def when(entry: Json) -> str:
    """When something was seen first and last, in seconds of the run; empty where nobody knows."""
    first, last = (None if entry[name] is None else f"{entry[name]:.1f}" for name in ("first_s", "last_s"))
    if first is None:
        return ""
    return (
        t("load.broken.once", at=first) if last in (None, first) else t("load.broken.between", first=first, last=last)
    )


def found(finding: Json) -> str:
    """What was wrong, with the first user who saw it."""
    message = cut(finding["message"], MAX_CHARACTERS)
    user = next((one["user"] for one in finding["examples"]), None)
    return message if user is None else t("load.broken.by", message=message, user=cut(user, 60))


def sentence(one: Broken) -> str:
    """How often a clause was broken, when, and what was wrong first of all."""
    said = "  ".join(filter(None, (figures(one.clause), when(one.clause))))
    first = next(iter(one.clause["findings"]), None)
    return said if first is None else f"{said}: {found(first)}"


def others(one: Broken) -> list[str]:
    """What else was wrong where a clause was broken, each with how often."""
    return [
        "  ".join(filter(None, (f"{quantities.count(each['count'])} × {found(each)}", when(each))))
        for each in one.clause["findings"][1:]
    ]


def example(finding: Json, one: Json) -> str:
    """One example of what was found wrong."""
    at = "" if one["t_s"] is None else t("load.example.when", t=f"{one['t_s']:.2f}")
    detail = f": {cut(one['detail'], MAX_CHARACTERS)}" if one["detail"] else ""
    return f"{cut(finding['check'], 60)}{at}, {cut(one['user'], 60)}{detail}"


def shed(document: Document) -> str:
    """What the endpoint shed of the load, as its contract permits; empty where it shed nothing."""
    signs = [f"{quantities.count(number)} × {cut(sign, 60)}" for sign, number in document["shed"].items() if number]
    return t("load.shed.sentence", listed=t("load.comma").join(signs)) if signs else ""
