"""Notices while a run goes on that an endpoint cannot be judged, so that it is not waited for in every scenario.

Only what never came to anybody counts, in scenarios that waited for it as long as they may: an endpoint that is
slow, but in time, is never given up. Scenarios that are playing already play to their end.
"""

import threading
from collections.abc import Iterable

from conformance.engine import Outcome
from conformance.scenario import Connect, DropConnection, Expect, Scenario, SendMessage, SendPing, SendRaw
from contract.model import Contract

LEAST = 8
"""Scenarios that must have waited in vain, at the least."""

CONTROL_TAG = "control"
"""Scenarios that do nothing but post and receive. Where they already miss deliveries, a delivery that another
scenario misses says nothing about what that scenario is for."""


class Outlook:
    """What has come so far of the two things that scenarios are built on: the acknowledgement and a delivery."""

    def __init__(self, contract: Contract, jobs: int) -> None:
        self.enough = max(jobs, LEAST)
        self.ack = contract.ack_event
        self.delivery = contract.delivery.delivery["event"] if contract.delivery is not None else None
        self._seen: set[str] = set()
        self._in_vain: dict[str | None, int] = {self.ack: 0, self.delivery: 0}
        self._floods = 0
        self._flood: str | None = None
        self._lock = threading.Lock()

    def seen(self, event: str) -> None:
        """A message has come, in whichever scenario."""
        if event in self._in_vain:
            self._seen.add(event)

    def learn(self, outcome: Outcome) -> None:
        """A scenario is over. To be told before its record is released."""
        awaited = self._awaited_in_vain(outcome)
        ends = [one.ended for one in outcome.record.conversations if one.ended is not None]
        flood = next((end for end in ends if end.how == "flood"), None)
        with self._lock:
            if awaited is not None:
                self._in_vain[awaited] += 1
            if flood is not None:
                self._floods += 1
                if self._floods == self.enough:
                    self._flood = flood.detail
            elif outcome.ending != "inconclusive" and first_wait(outcome.scenario) == self.ack:
                self._floods = 0

    def _awaited_in_vain(self, outcome: Outcome) -> str | None:
        """The event for whose absence a scenario stopped; for a refused handshake, the acknowledgement."""
        if outcome.ending != "stopped":
            return None
        failure = outcome.failures[-1]
        deed = next((step.deed for step in outcome.scenario.steps if step.label == failure.step), None)
        if isinstance(deed, Connect):
            return self.ack
        if not isinstance(deed, Expect):
            return None
        if failure.undelivered:
            return self.delivery
        return self.ack if any(one.event == self.ack for one in deed.of) else None

    def hopeless(self, scenario: Scenario) -> str | None:
        """Why a scenario is not worth playing; None where it is."""
        if first_wait(scenario) == self.ack:
            if self._flood is not None:
                return f"not played: the endpoint floods, {self.enough} scenarios in a row were ended by {self._flood}"
            if self._gave_up(self.ack):
                return f"not played: no connection was ever acknowledged, {self.enough} scenarios waited in vain"
        posts = first_wait(scenario, beyond=(self.ack,)) == self.delivery and CONTROL_TAG not in scenario.tags
        if posts and self._gave_up(self.delivery):
            return f"not played: no post was ever delivered, {self.enough} scenarios waited in vain"
        return None

    @property
    def bleak(self) -> bool:
        """Whether anything was given up."""
        return self._flood is not None or self._gave_up(self.ack) or self._gave_up(self.delivery)

    def _gave_up(self, event: str | None) -> bool:
        return event is not None and event not in self._seen and self._in_vain[event] >= self.enough


def first_wait(scenario: Scenario, beyond: Iterable[str] = ()) -> str | None:
    """The event that a scenario first waits for, apart from those; None where it first waits for anything else."""
    for step in scenario.steps:
        match step.deed:
            case Connect() | SendMessage() | SendRaw() | SendPing() | DropConnection():
                continue
            case Expect(of=(only,)) if only.event in beyond:
                continue
            case Expect(of=of):
                return of[0].event
            case _:
                return None
    return None
