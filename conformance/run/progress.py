"""How far a run is, and how long scenarios take, by the waits that no right server can spare them."""

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.language.awaited import ExpectClose, ExpectHeartbeat, ExpectNothing, ExpectOpen
from conformance.language.scenario import Scenario, Step
from contract.profile import Profile


@dataclass(frozen=True, slots=True)
class Playing:
    """A scenario that is being played: what it waits for, and until when at most, on the transport's clock."""

    scenario: str
    waiting_for: str
    ends: float


@dataclass(frozen=True, slots=True)
class Status:
    """A run in numbers; `left` in seconds, about. `again`: how many are being played again, alone."""

    finished: int
    failed: int
    left: float
    playing: tuple[Playing, ...]
    again: int = 0


def time_left(unfinished: Iterable[tuple[Scenario, float]], profile: Profile, jobs: int) -> float:
    """Seconds that a run will still take, about; each unfinished scenario with the seconds that it has played."""
    left = [max(longest_wait(one, profile) - played, 0.0) for one, played in unfinished]
    return max(max(left, default=0.0), sum(left) / jobs)


def longest_wait(scenario: Scenario, profile: Profile) -> float:
    """Seconds that a scenario takes against a right server, by its unavoidable waits."""
    return sum(_wait(step, profile) for step in scenario.steps)


def _wait(step: Step, profile: Profile) -> float:
    beat = profile.heartbeat
    match step.deed:
        case ExpectHeartbeat(intervals=intervals):
            return (intervals + 1) * beat.interval
        case ExpectOpen(duration="heartbeat_watch"):
            return 2 * beat.interval + beat.timeout
        case ExpectOpen(duration=float() | int() as seconds) | ExpectNothing(duration=float() | int() as seconds):
            return float(seconds)
        case ExpectClose(within="heartbeat_limit"):
            return beat.interval + beat.timeout
        case ExpectClose(optional=True):
            return profile.tokens.expiring_after
        case ExpectNothing():
            return profile.quiet_period
        case _:
            return 0.01
