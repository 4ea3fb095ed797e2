"""A transcript as a sequence diagram: where its lines, arrows and words stand, in pixels.

Each actor has a lifeline, and the endpoint has the one on the right. What nobody sent has a row as well: a deadline
that passed, a stretch of time in which nothing happened, and the place where the scenario failed. The templates write
the SVG; the transcript's table says the same in words.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from contract.escaping import visible
from reports.check.failure_location import Blow, Failures, blows
from reports.text.fitting import columns
from reports.text.language import t, tn

HEAD_EVENTS: Final = 10
TAIL_EVENTS: Final = 24
"""Events that are drawn of a long transcript, from its start and from its end."""
AROUND: Final = 3
"""Events that are drawn before and after each place of a failure."""
MAX_ACTORS: Final = 6
"""Actors with a lifeline of their own; all others share one."""
PAUSE_S: Final = 0.25
"""A stretch without events that gets a row of its own (s)."""

_ROW: Final = 28
_TOP: Final = 40
_LEFT: Final = 72
_EDGE: Final = 56
_SPANS: Final = {1: 560, 2: 360, 3: 270}
_SPAN: Final = 190
_CHARACTER: Final = 7.0
"""How wide a character of the labels is at most (px)."""
_NAME_COLUMNS: Final = 16

Happening = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Lifeline:
    x: float
    name: str
    endpoint: bool
    open: tuple[tuple[float, float], ...] = ()
    """From where to where (y) its connection was open."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `form` says how it is drawn: arrow, broken (an end), mark (something on a lifeline), pause, left-out,
    failed or unconfirmed; an arrow goes from `x` to `to`, all else stands at `x`."""

    form: str
    y: float
    x: float
    label: str
    to: float = 0
    kind: str = ""
    detail: str = ""
    time: str = ""
    title: str = ""
    text_x: float = 0

    @property
    def way(self) -> int:
        """1 where it points to the right, -1 to the left."""
        return 1 if self.to > self.x else -1


@dataclass(frozen=True, slots=True)
class Diagram:
    width: float
    height: float
    foot: float
    """Where the lifelines end (y)."""
    lifelines: tuple[Lifeline, ...]
    rows: tuple[Row, ...]
    summary: str


def diagram(entries: Sequence[Happening], failures: Failures, unconfirmed: Failures = ()) -> Diagram | None:
    """The diagram of a failed scenario's transcript; None where nothing was recorded."""
    return _Drawing(entries, blows(entries, failures, unconfirmed)).drawn() if entries else None


class _Drawing:
    def __init__(self, entries: Sequence[Happening], failed: Sequence[Blow]) -> None:
        self.entries = entries
        self.failed = failed
        self.names = list(dict.fromkeys(str(entry["actor"]) for entry in entries if entry["actor"] is not None))
        own = self.names[:MAX_ACTORS]
        self.lanes = [*own, *([None] if len(self.names) > len(own) else [])]
        self.span = _SPANS.get(len(self.lanes), _SPAN)
        self.right = _LEFT + _EDGE + max(len(self.lanes), 1) * self.span
        self.width = self.right + _EDGE + 24
        self.y = float(_TOP + 8)
        self.opened: dict[str, float] = {}
        self.open: dict[float, list[tuple[float, float]]] = {}

    def drawn(self) -> Diagram:
        rows = tuple(self._rows())
        foot = self.y + 12
        for name in list(self.opened):
            self._close(name, foot)
        lanes = [self._lane(index, name) for index, name in enumerate(self.lanes)]
        endpoint = Lifeline(self.right, t("compliance.diagram.endpoint"), endpoint=True)
        return Diagram(self.width, foot + 12, foot, (*lanes, endpoint), rows, self._summary())

    def _lane(self, index: int, name: str | None) -> Lifeline:
        x = self._x_of_lane(index)
        others = len(self.names) - len(self.lanes) + 1
        text = tn("compliance.diagram.others", others) if name is None else _fitting(name, _NAME_COLUMNS)
        return Lifeline(x, text, endpoint=False, open=tuple(self.open.get(x, ())))

    def _summary(self) -> str:
        named = ", ".join(_fitting(name, _NAME_COLUMNS) for name in self.names[:MAX_ACTORS])
        return tn("compliance.diagram.summary", len(self.entries), actors=named)

    def _x_of_lane(self, index: int) -> float:
        return _LEFT + _EDGE + index * self.span

    def _x(self, actor: str | None) -> float:
        lane = self.lanes.index(actor) if actor in self.lanes else len(self.lanes) - 1
        return self._x_of_lane(max(lane, 0))

    def _rows(self) -> Iterator[Row]:
        kept = self._kept()
        at = {blow.index for blow in self.failed}
        before: float | None = None
        left_out = 0
        for index, entry in enumerate(self.entries):
            if index not in kept:
                left_out += 1
                self._follow(entry)
                continue
            if left_out:
                yield self._line("left-out", tn("compliance.diagram.left-out", left_out))
                left_out, before = 0, None
            if before is not None and entry["t"] - before >= PAUSE_S:
                yield self._line("pause", t("compliance.diagram.pause", seconds=f"{entry['t'] - before:.2f}"))
            before = entry["t"]
            # A failure stands in the transcript as a note too, which would say it twice.
            if not (index in at and entry["kind"] == "note"):
                yield self._event(entry)
            for blow in self.failed:
                if blow.index == index:
                    yield self._failed(blow, entry)
        for blow in self.failed:
            if blow.index is None:
                yield self._failed(blow, None)

    def _kept(self) -> set[int]:
        last = len(self.entries)
        kept = {*range(min(HEAD_EVENTS, last)), *range(max(last - TAIL_EVENTS, 0), last)}
        for blow in self.failed:
            if blow.index is not None:
                kept.update(range(max(blow.index - AROUND, 0), min(blow.index + AROUND + 1, last)))
        # A mark that one event is left out takes as much room as the event.
        kept.update(i for i in range(1, last - 1) if i - 1 in kept and i + 1 in kept)
        return kept

    def _line(self, form: str, label: str) -> Row:
        self.y += _ROW
        return Row(form, self.y, _LEFT + _EDGE + 12, label)

    def _failed(self, blow: Blow, entry: Happening | None) -> Row:
        self.y += _ROW
        room = int((self.width - _LEFT - 34) / _CHARACTER)
        time = "" if entry is None else _time(entry)
        form = "failed" if blow.counts else "unconfirmed"
        return Row(form, self.y, _LEFT + 10, _fitting(blow.text, room), time=time, title=blow.text)

    def _event(self, entry: Happening) -> Row:
        self.y += _ROW
        self._follow(entry)
        actor = self._x(entry["actor"])
        kind = t(f"compliance.event.{entry['kind']}")
        label = kind if entry["event"] is None else str(entry["event"])
        to, x = {"in": (actor, self.right), "out": (self.right, actor)}.get(entry["direction"], (actor, actor))
        arrow = to != x
        room = int((self.right - actor - 24 if arrow else self.width - actor - 24) / _CHARACTER)
        label = _fitting(label, room)
        detail = _fitting(_detail(entry), room - columns(label) - 1)
        form = ("broken" if entry["kind"] == "end" else "arrow") if arrow else "mark"
        title = f"{_time(entry)} {(entry['actor'] or '')[:_NAME_COLUMNS]} {kind} {entry['data'][:300]}"
        return Row(form, self.y, x, label, to, entry["kind"], detail, _time(entry), title, actor + 12)

    def _follow(self, entry: Happening) -> None:
        """Keep account of which connections are open."""
        actor = entry["actor"]
        if actor is None:
            return
        if entry["kind"] == "handshake" and entry["direction"] == "in" and entry["data"].startswith("101"):
            self.opened.setdefault(actor, self.y)
        elif entry["kind"] == "end":
            self._close(actor, self.y)

    def _close(self, actor: str, y: float) -> None:
        start = self.opened.pop(actor, None)
        if start is not None:
            self.open.setdefault(self._x(actor), []).append((start, y - start))


def _time(entry: Happening) -> str:
    return f"{entry['t']:.3f}"


def _detail(entry: Happening) -> str:
    """An event's data; of a message only what its event's name does not say: the payload, then what else it has."""
    data = str(entry["data"])
    try:
        value = json.loads(data) if entry["event"] is not None else None
    except (ValueError, RecursionError):
        return data
    if not isinstance(value, dict) or not {"event", "payload"} <= value.keys():
        return data
    rest = {name: inner for name, inner in value.items() if name not in ("event", "payload")}
    parts = [value["payload"], *([rest] if rest else [])]
    return " ".join(json.dumps(part, ensure_ascii=False, separators=(",", ":")) for part in parts)


def _fitting(text: str, room: int) -> str:
    """As much of a text as fits into so many columns."""
    shown = visible(text[:400])
    if columns(shown) <= room and len(text) <= 400:
        return shown
    kept, wide = "", 0
    for character in shown:
        wide += max(columns(character), 0)
        if wide > room - 1:
            break
        kept += character
    return f"{kept}…" if room > 1 else ""
