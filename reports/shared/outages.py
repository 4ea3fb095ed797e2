"""When the endpoint was gone during a run, as sentences in the language that is spoken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.shared import wording
from reports.shared.documents import Document
from reports.shared.wording import Mark
from reports.text import quantities
from reports.text.fitting import cut
from reports.text.language import t, tn

MAX_NAMES: Final = 3
"""Scenarios that are named of those that were playing, or are suspected."""
MAX_SHOWN: Final = 5
"""Outages that are told; more are counted."""

_NAME_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class Outage:
    """One outage: what happened, and which scenarios brought it about, or may have."""

    mark: Mark
    sentence: str
    label: str
    """What is said before `names`; empty where there are none."""
    names: tuple[str, ...]
    more: int
    """Suspected scenarios that are not named."""

    @property
    def text(self) -> str:
        """All of it on one line."""
        if not self.names:
            return self.sentence
        return f"{self.sentence} {self.label} {_listed(self.names, self.more)}"


def outages(document: Document) -> tuple[Outage, ...]:
    """The outages of a results document that are told, in order of time."""
    return tuple(map(_outage, document.get("outages", ())[:MAX_SHOWN]))


def not_told(document: Document) -> str | None:
    """How many more there were; None where all are told."""
    more = len(document.get("outages", ())) - MAX_SHOWN
    return tn("compliance.outage.more", more) if more > 0 else None


def _outage(entry: Mapping[str, Any]) -> Outage:
    stopped = entry["kind"] == "stopped"
    gone = stopped and entry["back_after_s"] is None
    # Where the culprit is known, nobody needs to know who else was playing.
    playing = "" if entry["culprit"] else _playing(entry["playing"])
    at = quantities.seconds(entry["at_s"])
    if stopped and not gone:
        back = quantities.seconds(entry["back_after_s"])
        sentence = t("compliance.outage.stopped-back", at=at, playing=playing, back=back)
    else:
        sentence = t(f"compliance.outage.{entry['kind']}", at=at, playing=playing)
    mark = wording.mark("failed", "MUST" if gone else "SHOULD")
    if entry["culprit"]:
        return Outage(mark, sentence, t(f"compliance.outage.culprit.{entry['kind']}"), (entry["culprit"],), 0)
    suspected = entry["suspected"]
    label = tn("compliance.outage.suspected", len(suspected)) if suspected else ""
    return Outage(mark, sentence, label, tuple(suspected[:MAX_NAMES]), max(len(suspected) - MAX_NAMES, 0))


def _playing(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = _listed(names[:MAX_NAMES], len(names) - MAX_NAMES)
    return tn("compliance.outage.playing", len(names), listed=listed)


def _listed(names: Sequence[str], more: int) -> str:
    listed = ", ".join(cut(name, _NAME_CHARACTERS) for name in names)
    return t("common.and-more", listed=listed, more=f"{more:,}") if more > 0 else listed
