"""Judges the endpoint while it is under load: what one process found, in slices of a second.

The checks are those of the conformance suite, by the same names, and `requirements.yaml` says which clauses each of
them decides; nothing here knows a requirement's id. Every check counts how often it had a chance to fail (`chance`),
for a clause holds only where something was looked at, and each finding counts for all clauses that its check decides.

What came and is wrong convicts at once (`found`). What did not come, or came late, convicts only if this process was
punctual while it waited (`absent`): one that was stalled reads late what came in time, so that neither the endpoint's
guilt nor its innocence is shown. Such a chance is counted as undecided. A stall shows a little after what it delayed:
this is decided when the slice is taken, and not at once. What the contract lets an endpoint do that has too much to do
is no finding (`shed`).

A journey's own steps name the requirements that they decide: those are charged directly (`step`).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from conformance.play.record import cut
from contract.findings import Phrase, phrase
from contract.requirements import CheckUse, Level, Requirement

MAX_KINDS = 200
"""Kinds of findings that one process tells apart; what goes beyond is counted as one kind of each clause."""

MAX_EXAMPLES = 3
"""Examples that are kept of each kind."""

MAX_PARAMETER = 200
"""Characters of each text in a finding."""

STALL_SHARE = 0.1
"""A wait during which the process was stalled for more than this share of it shows nothing."""

OTHER = phrase("load-other")
"""Stands for further kinds."""

STEP = "step"
"""Stands for the check where a journey's own step decides."""


@dataclass(slots=True)
class Sighting:
    """How often one kind of finding was seen, and when: `first` and `last` in seconds of the run."""

    count: int = 0
    first: float = 0.0
    last: float = 0.0
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, other: "Sighting") -> None:
        """Add what another process, or a later slice, saw."""
        self.first = min(self.first, other.first) if self.count else other.first
        self.last = max(self.last, other.last)
        self.count += other.count
        self.examples = sorted((*self.examples, *other.examples), key=lambda one: one["t_s"])[:MAX_EXAMPLES]


@dataclass(slots=True)
class Judged:
    """What a process judged in one stretch of time; all of it can be sent to another process as it is.

    `chances` and `undecided` are counted by subject: a check's name, with `:` and the message that it looked at, or
    `step:` and a requirement. `findings` go by the JSON text of the clause and of what was found. `shed` counts what
    the endpoint refused because it had too much to do, by how it said so.
    """

    chances: dict[str, int] = field(default_factory=dict)
    undecided: dict[str, int] = field(default_factory=dict)
    findings: dict[str, Sighting] = field(default_factory=dict)
    shed: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Judged") -> None:
        """Add what another process, or a later slice, judged."""
        for mine, theirs in (
            (self.chances, other.chances),
            (self.undecided, other.undecided),
            (self.shed, other.shed),
        ):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        for key, seen in other.findings.items():
            self.findings.setdefault(key, Sighting()).add(seen)


def finding_key(requirement: str, level: Level, check: str, problem: Phrase) -> str:
    """How processes name a kind of finding: its JSON text."""
    shown = problem.changed(lambda text: cut(text, MAX_PARAMETER)).json
    return json.dumps({"requirement": requirement, "level": level, "check": check, "problem": shown}, sort_keys=True)


def charged_clauses(
    requirements: Iterable[Requirement], check: str, message: str | None = None, places: tuple[str, ...] = ()
) -> list[tuple[str, Level]]:
    """The clauses that a finding of this check breaks.

    A check that some clause uses for just this message is charged there, and not where it is used for any other.
    """
    found: list[tuple[str, Level, CheckUse]] = [
        (one.id, clause.level, use)
        for one in requirements
        for clause in one.clauses
        for use in (*clause.checks, *clause.under_load)
        if use.covers(check, message, places)
    ]
    if check == UNPROVOKED:
        narrowed = [one for one in found if one[2].message is not None]
        found = narrowed or found
    return list(dict.fromkeys((name, level) for name, level, _ in found))


UNPROVOKED = "unprovoked-error"
"""An error that none of the user's messages deserved; about each of them it breaks something else."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What was waited for in vain from `since` to `until`; stalls of more than `excuse` seconds explain it."""

    since: float
    until: float
    excuse: float


def wait(since: float, until: float, within: float | None = None) -> Wait:
    """An ordinary wait; stalls do not excuse what they made last longer than the `within` seconds that it had to."""
    lasted = until - since
    within = lasted if within is None else within
    return Wait(since, until, lasted - (1 - STALL_SHARE) * within)


class Judge:
    """Collects what all users of one process find. Times are in seconds of one monotonic clock."""

    def __init__(
        self, requirements: Mapping[str, Requirement], *, measure_only: bool = False, delivery: str = "", post: str = ""
    ) -> None:
        self._requirements = requirements
        self.delivery = delivery
        self.post = post
        self._measure_only = measure_only
        self._charges: dict[tuple[str, str | None, tuple[str, ...]], list[tuple[str, Level]]] = {}
        self._kinds: set[str] = set()
        self.chances: Counter[str] = Counter()
        self.undecided: Counter[str] = Counter()
        self.shed: Counter[str] = Counter()
        self.replies: Counter[str] = Counter()
        """Valid last replies that came in time, by their names: they are counted together."""
        self._findings: dict[str, Sighting] = {}
        self._waits: list[tuple[Wait, str, Callable[[], None]]] = []
        self.masked: Callable[[str, str], str] = lambda _, text: text
        """What the endpoint said to a user, without a token in any spelling."""
        self.stalled_since: Callable[[float], float] = lambda _: 0.0
        """For how many seconds this process has been stalled since a time."""

    def chance(self, check: str, message: str | None = None) -> None:
        """A check looked at something that might have been wrong."""
        self.chances[check] += 1
        if message is not None:
            self.chances[f"{check}:{message}"] += 1

    def message(self, event: str) -> None:
        """A valid message of this event came; deliveries are counted by the ledger."""
        self.chances[f"envelope:{event}"] += 1
        self.chances[f"payload:{event}"] += 1

    def found(
        self,
        check: str,
        problem: Phrase,
        t: float,
        user: str,
        detail: Phrase | None = None,
        *,
        message: str | None = None,
        places: tuple[str, ...] = (),
    ) -> None:
        """Something came that is wrong. `detail` is what differs from one example to the next."""
        for requirement, level in self._clauses((check, message, places)):
            self._enter(requirement, level, check, problem, t, user, detail)

    def _clauses(self, key: tuple[str, str | None, tuple[str, ...]]) -> list[tuple[str, Level]]:
        clauses = self._charges.get(key)
        if clauses is None:
            if len(self._charges) >= MAX_KINDS:
                self._charges.clear()  # a peer may invent names of messages
            clauses = self._charges[key] = charged_clauses(self._requirements.values(), *key)
        return clauses

    def absent(
        self,
        check: str,
        problem: Phrase,
        wait: Wait,
        user: str,
        detail: Phrase | None = None,
    ) -> None:
        """Something did not come, or not when it was due."""
        self._waits.append((wait, check, lambda: self.found(check, problem, wait.until, user, detail)))

    def own(self, requirements: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the requirements that a journey's step names which are its own matter, and no check's."""
        known = [(name, self._requirements.get(name)) for name in requirements]
        return tuple(name for name, one in known if one is not None and not one.judged_under_load)

    def held(self, requirements: tuple[str, ...]) -> None:
        """A journey's step that decides these got what it waited for."""
        for requirement in requirements:
            self.chances[f"{STEP}:{requirement}"] += 1

    def step_failed(self, requirements: tuple[str, ...], check: str, problem: Phrase, wait: Wait, user: str) -> None:
        """A journey's step waited in vain for what a check judges; its `own` requirements are charged for the step."""
        self.chances[check] += 1
        self.absent(check, problem, wait, user)
        decided = {name for name, _ in self._clauses((check, None, ()))}
        own = tuple(name for name in requirements if name not in decided)
        self.held(own)
        for requirement in own:
            level = self._requirements[requirement].level
            enter = partial(self._enter, requirement, level, STEP, problem, wait.until, user, None)
            self._waits.append((wait, f"{STEP}:{requirement}", enter))

    def _decide(self) -> None:
        """Of what did not come, decide what that shows."""
        waits, self._waits = self._waits, []
        for wait, subject, convict in waits:
            stalled = self.stalled_since(wait.since) - self.stalled_since(wait.until)
            if stalled <= wait.excuse:
                convict()
            else:
                self.undecided[subject] += 1

    def _enter(
        self, requirement: str, level: Level, check: str, problem: Phrase, t: float, user: str, detail: Phrase | None
    ) -> None:
        if self._measure_only:
            return
        if problem.params:
            problem = problem.changed(lambda text: self.masked(user, text))
        key = finding_key(requirement, level, check, problem)
        if key not in self._kinds:
            if len(self._kinds) >= MAX_KINDS:
                key = finding_key(requirement, level, check, OTHER)
            self._kinds.add(key)
        seen = self._findings.setdefault(key, Sighting(0, t, t))
        seen.count += 1
        seen.first, seen.last = min(seen.first, t), max(seen.last, t)
        if len(seen.examples) < MAX_EXAMPLES:
            shown = None
            if detail is not None:
                shown = detail.changed(lambda text: cut(self.masked(user, text), MAX_PARAMETER)).json
            seen.examples.append({"t_s": t, "user": user, "detail": shown})

    def count(self, arrived: int, compared: int, posts: int, *, several: bool) -> None:
        """Chances that are counted together: deliveries that `arrived`, those that others had got as well, and `posts`.

        `several`: there are users who are owed nothing of what some others post.
        """
        chances = self.chances
        for name, times in self.replies.items():
            for subject in (f"envelope:{name}", f"payload:{name}", "reply", "reply-id", "reply-once"):
                chances[subject] += times
        self.replies.clear()
        others = sum(count for name, count in chances.items() if name.startswith("envelope:"))
        for check in ("text", "envelope", "payload", "undeclared", "number"):
            chances[check] += arrived + others
        for check in ("delivered-once", "intact", "order", "author", "author-name", "delivery-id", "delivery-time"):
            chances[check] += arrived
        for check in ("envelope", "payload"):
            chances[f"{check}:{self.delivery}"] += arrived
        chances["one-order"] += compared
        chances["membership"] += posts if several else 0
        chances[f"{UNPROVOKED}:{self.post}"] += posts

    def take(self, started: float) -> Judged:
        """What was judged since the last time; `started` is when the run began."""
        self._decide()
        for seen in self._findings.values():
            seen.first, seen.last = max(seen.first - started, 0.0), max(seen.last - started, 0.0)
            seen.examples = [{**one, "t_s": max(one["t_s"] - started, 0.0)} for one in seen.examples]
        taken = Judged(dict(self.chances), dict(self.undecided), self._findings, dict(self.shed))
        self.chances.clear()
        self.undecided.clear()
        self.shed.clear()
        self._findings = {}
        return taken
