"""`wsproof check --fuzz`: generated messages of every kind are sent, and what fails is made small."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from unittest.mock import patch

from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from conformance.fuzz.grammar import grammar
from conformance.fuzz.hunt import Budget, Hunt, Share
from conformance.judge.verdicts import ScenarioVerdict
from conformance.language.loading import FUZZ
from conformance.language.scenario import Scenario
from conformance.language.suite import contract_scenarios
from conformance.play.plan import Channels, Plan
from conformance.run.progress import Playing, Status
from conformance.run.replays import without_consequences
from contract.findings import Phrase, phrase
from contract.model import Contract


@dataclass(frozen=True, slots=True)
class FuzzOptions:
    """How many messages are made, and from which seed."""

    examples: int
    seed: int


@cache
def fuzz_scenarios(contract: Contract) -> tuple[Scenario, ...]:
    """The kinds of messages, each with the scenario that is played with a message of it."""
    return contract_scenarios(contract, FUZZ)


def shares(contract: Contract, examples: int) -> dict[str, int]:
    """How many examples each kind gets, by weight. The selection does not change it, so that a seed repeats."""
    found = fuzz_scenarios(contract)
    whole = sum(one.weight for one in found)
    counts = {one.id: int(examples * one.weight / whole) for one in found}
    for one in found[: examples - sum(counts.values())]:
        counts[one.id] += 1
    return counts


class Fuzz:
    """A run of generated messages. `scenarios` are the kinds that get some, their titles naming the seed."""

    def __init__(self, plan: Plan, scenarios: Sequence[Scenario], options: FuzzOptions) -> None:
        """Raises `ContractError` where the contract does not say how a post is delivered."""
        self.options = options
        self.began = False
        self.complete = False
        self._shares = shares(plan.contract, options.examples)
        self.scenarios = tuple(_titled(one, options, self._shares[one.id]) for one in scenarios if self._shares[one.id])
        self.verdicts: list[ScenarioVerdict] = []
        self._plan = plan
        self._grammar = grammar(plan.contract, plan.profile.limits.message_bytes)
        self._before = 0
        self._hunt: Hunt | None = None
        self._stopped = False
        self._ended: Phrase | None = None

    @property
    def ended(self) -> Phrase | None:
        """Why it ended before everything was sent; None: it did not, or a signal came."""
        return self._ended

    @property
    def sent(self) -> int:
        """How many messages were sent so far, apart from those that made a failure smaller."""
        return self._before + (self._hunt.sent if self._hunt is not None else 0)

    def interrupt(self, ended: Phrase | None = None) -> None:
        """End soon, and say why; connections are closed with 1000. A signal's handler may call it."""
        if not self._stopped:
            self._ended = ended
        self._stopped = True
        if self._hunt is not None:
            self._hunt.interrupt(self._ended)

    def run(self, finished: Callable[[ScenarioVerdict], None] = lambda verdict: None) -> None:
        """Send messages of every kind, one kind after the other; `finished` is told each verdict at once."""
        self.began = True
        counts = self._shares
        budget = Budget(self._plan.profile.response_timeout * self._plan.time_scale)
        channels = Channels(self._plan.profile, 0)
        with _made_from_the_seed_alone():
            for scenario in self.scenarios:
                share = Share(counts[scenario.id], self.options.seed)
                self._hunt = hunt = Hunt(self._plan, scenario, self._grammar, share, budget, channels)
                if self._stopped:
                    hunt.interrupt(self._ended)
                verdict = hunt.run()
                self._before, self._hunt = self.sent, None
                self.verdicts.append(verdict)
                if verdict.outcome.ending != "unfinished":
                    finished(verdict)
        self.complete = not self._stopped

    def join(
        self, played: Sequence[ScenarioVerdict], finished: Callable[[ScenarioVerdict], None]
    ) -> list[ScenarioVerdict]:
        """Run after a suite: its verdicts and ours, without what only follows from plain deliveries that are missed."""
        self.run(finished)
        return list(without_consequences({one.outcome.scenario.id: one for one in (*played, *self.verdicts)}).values())

    def status(self, finished: int, failed: int) -> Status:
        """How far the run is; `finished` and `failed` scenarios were played before it."""
        failed += sum(one.verdict == "failed" for one in self.verdicts)
        done = len(self.verdicts)
        waiting: tuple[Playing, ...] = ()
        if done < len(self.scenarios):
            answers = f"the answers to generated messages, {self.sent} of {self.options.examples} sent"
            waiting = (Playing(self.scenarios[done].id, answers, 0.0),)
        return Status(finished + done, failed, 0.0, waiting)


def _titled(scenario: Scenario, options: FuzzOptions, count: int) -> Scenario:
    def title(given: str) -> Phrase:
        return phrase("fuzz-title", title=given, number=count, seed=str(options.seed))

    japanese = title(scenario.title_ja or scenario.title).render("ja")
    return replace(scenario, title=str(title(scenario.title)), title_ja=japanese)


@contextlib.contextmanager
def _made_from_the_seed_alone() -> Iterator[None]:
    """Hypothesis would mix in constants of the modules that happen to be loaded: a seed would not repeat elsewhere."""
    providers.CONSTANTS_CACHE.cache.clear()
    with patch.object(providers, "_get_local_constants", Constants):
        yield
    providers.CONSTANTS_CACHE.cache.clear()
