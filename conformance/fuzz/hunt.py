"""Looks for failing messages of one kind with hypothesis, and makes what fails smaller. Everything is bounded."""

import contextlib
import time
from dataclasses import dataclass, field
from random import Random

from hypothesis import Phase, Verbosity, find, settings
from hypothesis.errors import HypothesisException

from conformance.fuzz.example import Example
from conformance.fuzz.finding import Finding, Signature, passed, signatures, undecided, verdict_on
from conformance.fuzz.grammar import Grammar
from conformance.fuzz.messages import examples_of
from conformance.fuzz.session import Played, Session, SetupFailedError, UnjudgedError
from conformance.judge.verdicts import ScenarioVerdict
from conformance.language.scenario import Scenario
from conformance.play.plan import Channels, Plan
from conformance.run.limits import not_finished
from conformance.transport.sockets import StoppedError, Transport
from contract.findings import Phrase, Text, phrase

MAX_FINDINGS = 3
"""Different failures of one kind; the fourth says little new."""

SHRINK_ATTEMPTS = 200
SHRINK_TIMEOUTS = 5
"""An attempt to shrink a failure may cost a response_timeout; all for one failure may cost so many."""

KIND_TIMEOUTS, ALL_TIMEOUTS = 10, 40
"""Once failing messages have cost so many response_timeouts, no more of their kind, or of any, are sent."""


class GivenUpError(BaseException):
    """Nothing more is to be learnt. Derived so that hypothesis does not take it for a failing message."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many examples of a kind are made, and from which seed."""

    examples: int
    seed: int


@dataclass(slots=True)
class Budget:
    """Seconds that failing messages have cost, in all kinds; `timeout` is the response_timeout."""

    timeout: float
    spent: float = 0.0
    lost: Phrase | None = None
    """Why nothing of any kind can be sent any more."""
    not_begun_kinds: int = 0

    def not_begun(self) -> None:
        """A kind could not be begun; where that happens twice in a row, the others are not tried."""
        self.not_begun_kinds += 1
        if self.not_begun_kinds > 1:
            self.lost = phrase("never-got-so-far")

    def spend(self, seconds: float) -> None:
        """A failing message took so long."""
        self.spent += seconds
        if self.spent > ALL_TIMEOUTS * self.timeout:
            self.lost = phrase("too-much-time")


@dataclass(slots=True)
class Shrinking:
    """The failure that is being made smaller, and what is known about the messages tried for it."""

    target: Signature
    until: float
    tried: dict[str, Finding | None] = field(default_factory=dict)


class Hunt:
    """Looks for failing messages of one kind."""

    def __init__(
        self,
        plan: Plan,
        scenario: Scenario,
        rules: Grammar,
        share: Share,
        budget: Budget,
        channels: Channels,
    ) -> None:
        self.sent = 0
        self._plan, self._scenario, self._rules = plan, scenario, rules
        self._share, self._budget = share, budget
        self._spent_before = budget.spent
        self._findings: list[Finding] = []
        self._known: set[Signature] = set()
        self._shrinking: Shrinking | None = None
        self._last: Played | None = None
        self._reason: Text | None = None
        self._setup: ScenarioVerdict | None = None
        self._stopped = False
        self._ended: Phrase | None = None
        # A join is one on a connection that has not joined the channel.
        reuse = not scenario.id.endswith("-join")
        self._transport = Transport(plan.target, plan.bounds)
        self._session = Session(plan, scenario, self._transport, channels, reuse)

    def interrupt(self, ended: Phrase | None = None) -> None:
        """End soon, and say why, from another thread or a signal's handler."""
        self._ended = ended
        self._transport.stop()

    def run(self) -> ScenarioVerdict:
        """Send the messages; the verdict on the kind, with every different failure."""
        began = time.monotonic()
        try:
            for turn in range(MAX_FINDINGS + 1):
                if self._is_over() or not self._search(turn):
                    break
        except GivenUpError:
            pass
        finally:
            with contextlib.suppress(StoppedError):
                self._session.leave()
            self._transport.shut()
        return self._verdict(began, time.monotonic() - began)

    def _is_over(self) -> bool:
        """Whether nothing more is to be sent, apart from shrinking."""
        exhausted = self._budget.spent - self._spent_before > KIND_TIMEOUTS * self._budget.timeout
        enough = len(self._findings) >= MAX_FINDINGS
        return exhausted or enough or self._budget.lost is not None or self.sent >= self._share.examples

    def _search(self, turn: int) -> bool:
        """Look for the next failure, with what is left of the examples; whether there was one."""
        bounds = settings(
            max_examples=self._share.examples - self.sent,
            phases=(Phase.generate, Phase.shrink),
            database=None,
            deadline=None,
            derandomize=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
        )
        random = Random(f"{self._share.seed} {self._scenario.id} {turn}")
        smallest = ""
        try:
            found = find(examples_of(self._scenario.id, self._rules), self._fails, settings=bounds, random=random)
            smallest = found.template
        except HypothesisException:
            # Nothing fails, or hypothesis is at odds with itself: what was seen while shrinking counts all the same.
            pass
        shrinking, self._shrinking = self._shrinking, None
        if shrinking is None:
            return False
        failing = [one for one in shrinking.tried.values() if one is not None]
        self._found(shrinking.tried.get(smallest) or min(failing, key=lambda one: len(one.example.template)))
        return True

    def _fails(self, example: Example) -> bool:
        if self._shrinking is not None:
            return self._still_fails(example, self._shrinking)
        if self._is_over():
            raise GivenUpError
        played = self._play(example)
        if played is None:
            return False
        self.sent += 1
        self._last = played
        new = self._new(example, played)
        return bool(new) and self._repeats(example, played, new[0])

    def _play(self, example: Example, *, fresh: bool = False) -> Played | None:
        began = time.monotonic()
        try:
            try:
                played = self._session.play(example, fresh=fresh)
            except SetupFailedError:
                played = self._session.play(example, fresh=True)
        except UnjudgedError as error:
            self._reason = error.reason
            raise GivenUpError from None
        except StoppedError:
            self._stopped = True
            raise GivenUpError from None
        except SetupFailedError as failed:
            self._budget.not_begun()
            self._setup = failed.verdict
            raise GivenUpError from None
        self._budget.not_begun_kinds = 0
        if played is not None and played.verdict.verdict != "passed":
            self._budget.spend(time.monotonic() - began)
        return played

    def _new(self, example: Example, played: Played) -> list[Signature]:
        return [one for one in signatures(example, played.verdict) if one not in self._known]

    def _repeats(self, example: Example, played: Played, target: Signature) -> bool:
        """Whether the message fails alone. Where it takes others before it, it is a finding all the same."""
        before = list(self._session.history)
        try:
            again = self._play(example, fresh=True)
        except GivenUpError:
            if self._setup is not None:
                # It took the endpoint with it.
                self._found(Finding(example, played))
            raise
        if again is not None and target in signatures(example, again.verdict):
            until = time.monotonic() + SHRINK_TIMEOUTS * self._budget.timeout
            self._shrinking = Shrinking(target, until, {example.template: Finding(example, again)})
            return True
        self._after_others(example, target, before)
        return False

    def _after_others(self, example: Example, target: Signature, before: list[Example]) -> None:
        """Play ever more of what went before; what never fails again is not held against the endpoint."""
        count = 1
        while count // 2 < len(before):
            some = before[-count:]
            for number, one in enumerate(some):
                self._play(one, fresh=not number)
            played = self._play(example)
            if played is not None and target in signatures(example, played.verdict):
                self._found(Finding(example, played, len(some)))
                return
            count *= 2
        self._known.add(target)
        self._reason = phrase("failed-once", requirement=target[0])

    def _still_fails(self, example: Example, shrinking: Shrinking) -> bool:
        key = example.template
        if key not in shrinking.tried:
            if len(shrinking.tried) >= SHRINK_ATTEMPTS or time.monotonic() > shrinking.until or self._budget.lost:
                return False
            try:
                played = self._play(example, fresh=True)
            except GivenUpError:
                played = None
            if played is not None and shrinking.target not in signatures(example, played.verdict):
                played = None
            shrinking.tried[key] = Finding(example, played) if played is not None else None
        return shrinking.tried[key] is not None

    def _found(self, finding: Finding) -> None:
        self._findings.append(finding)
        self._known.update(signatures(finding.example, finding.played.verdict))

    def _verdict(self, began: float, duration: float) -> ScenarioVerdict:
        scenario = self._scenario
        if self._findings:
            return verdict_on(self._findings, scenario, self._plan.requirements, began, duration)
        if self._stopped:
            return undecided(scenario, "unfinished", not_finished(self._ended), began, duration)
        if self._setup is not None:
            return self._setup
        if self._last is None or self._reason is not None:
            reason = self._reason or self._budget.lost or phrase("no-such-message")
            return undecided(scenario, "inconclusive", reason, began, duration)
        return passed(self._last.verdict, scenario, began, duration)
