"""What ends a run before everything was played: a signal, the end of its time, or enough failures."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from conformance.judge.verdicts import ScenarioVerdict
from conformance.play.engine import CUT_OFF
from contract.findings import Phrase, phrase


def not_finished(ended: Phrase | None) -> Phrase:
    """The reason of a scenario that was not played to its end; `ended` says why the run ended, None: a signal came."""
    return CUT_OFF if ended is None else phrase("not-finished", reason=ended)


def out_of_time(limit: str) -> Phrase:
    """Why a run ended whose time was over; `limit` as the user wrote it, such as `10m`."""
    return phrase("time-limit", limit=limit)


@dataclass(frozen=True, slots=True)
class FailureLimit:
    """Ends a run after so many scenarios whose failure counts."""

    most: int
    counts: Callable[[ScenarioVerdict], bool]

    @property
    def reason(self) -> Phrase:
        """Why the run ended."""
        return phrase("failure-limit", number=self.most)

    def reached(self, verdicts: Iterable[ScenarioVerdict]) -> bool:
        """Whether these are enough."""
        return sum(map(self.counts, verdicts)) >= self.most
