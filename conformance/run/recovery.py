"""After an outage: waits until the endpoint is back, and finds the scenario that brought it about (see `outage`)."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from conformance.judge.verdicts import Charged, ScenarioVerdict
from conformance.language.awaited import ExpectOpen
from conformance.language.deed import Charge
from conformance.language.deeds import Connect, SendMessage, SendRaw
from conformance.language.scenario import Actor, Scenario, Step
from conformance.play.charges import charge_of
from conformance.play.circuit_breaker import CircuitBreaker
from conformance.play.context import Failure, Setting
from conformance.play.engine import play
from conformance.play.handshakes import standing_headers
from conformance.play.outage import MOST_OUTAGES, Outage, Trip, outage, solved
from conformance.play.plan import Plan
from conformance.run.progress import longest_wait
from conformance.transport.sockets import StoppedError, Transport
from conformance.transport.target import sign_of_life
from contract.findings import Phrase, phrase
from contract.requirements import Requirement
from contract.templates import owned

BACK_SECONDS = 12.0
"""How long an endpoint may take to come back, at a time scale of 1: a supervisor may wait for ten."""

PROBE_SECONDS = 0.1

ENDED_BY_HABIT = 5
"""Whoever takes so many connections in a row and ends each one without a word, does so by habit, and is there."""

SEARCH_SECONDS = 30.0
"""How long the search for one culprit may take, without waiting for the endpoint."""

SETTLE_SECONDS = 0.2
"""How long a scenario that is over may yet end the witness."""

WITNESS = "witness"


class Witness:
    """An idle connection that answers heartbeats; whoever ends it, ended everybody's."""

    def __init__(self, plan: Plan) -> None:
        user = next(iter(plan.profile.users), "")
        acknowledgement = plan.contract.acknowledgement
        said = acknowledgement.send if acknowledgement is not None else None
        steps = (
            Step(Connect(WITNESS), Charge(), "1"),
            # An endpoint may end a connection whose client does not say first what it is to say.
            *([Step(SendMessage(WITNESS, owned(said, user)), Charge(), "2")] if said is not None else ()),
            Step(ExpectOpen(WITNESS, SEARCH_SECONDS + BACK_SECONDS), Charge(), "3"),
        )
        scenario = Scenario(WITNESS, "", "", (), (), (), (Actor(WITNESS, user),), steps, Path(), 0)
        self._breaker = CircuitBreaker()
        self._transport = Transport(plan.target)
        self._fault: Exception | None = None
        setting = Setting(
            plan.contract, plan.requirements, plan.profile, str, plan.time_scale, plan.target.path, self._breaker
        )
        self._thread = threading.Thread(target=self._play, args=(scenario, setting), name=WITNESS, daemon=True)
        self._thread.start()

    def _play(self, scenario: Scenario, setting: Setting) -> None:
        try:
            self._transport.run(play(scenario, setting))
        except StoppedError:
            pass
        except Exception as error:  # noqa: BLE001  # raised again to whoever asks the witness
            self._fault = error

    def connected(self) -> bool:
        """Wait for its handshake; whether it was accepted. Raises what ended the witness in this program."""
        while self._thread.is_alive() and not self._breaker.any_accepted:
            self._thread.join(0.01)
        self._testify()
        return self._breaker.any_accepted

    def ended(self) -> bool:
        """Whether the endpoint ends it, now or in a moment. Raises as `connected` does."""
        self._thread.join(SETTLE_SECONDS)
        self._testify()
        return not self._thread.is_alive()

    def _testify(self) -> None:
        if self._fault is not None:
            raise self._fault

    def leave(self) -> None:
        """Close it with 1000."""
        self._transport.stop()
        self._thread.join()


class Recovery:
    """Handles the outages of one run. `over` says why nothing more is played; None: the run goes on."""

    def __init__(
        self,
        plan: Plan,
        run_started: float,
        alone: Callable[[Scenario], ScenarioVerdict],
        stopped: Callable[[], bool],
    ) -> None:
        self.outages: list[Outage] = []
        self.over: Phrase | None = None
        self.gone = False
        """Whether the endpoint stayed away."""
        self.guilty: set[str] = set()
        """The requirements that the culprits broke."""
        self.phantom = False
        """Whether the last sign was none of an outage."""
        self._refused = False
        """Whether nobody listened at any time of the present outage."""
        self._plan = plan
        self._headers = standing_headers(plan.profile)
        self._run_started = run_started
        self._alone = alone
        self._stopped = stopped

    def recover(self, trip: Trip, candidates: Sequence[Scenario]) -> ScenarioVerdict | None:
        """Wait, and look for the culprit among the candidates, the likeliest first; its verdict, if there is one."""
        self.phantom = False
        self._refused = trip.kind == "stopped"
        known = outage(trip, self._run_started, tuple(one.id for one in candidates))
        if not self.comes_back():
            self._stays_away(known)
            return None
        back_after = round(time.monotonic() - trip.since, 3) if self._refused else 0.0
        culprit = self._search(candidates)
        if culprit is None and not self._refused:
            self.phantom = True
            return None
        # Nobody listened for a while, whatever the first sign was: it did not only end everybody's connection.
        known = replace(known, kind="stopped" if self._refused else "dropped", back_after=back_after)
        if self.gone:
            self._stays_away(known)
            return None
        self.outages.append(known if culprit is None else solved(known, culprit.outcome.scenario.id))
        if culprit is not None:
            self.guilty |= {one.requirement for one in culprit.charged}
        if len(self.outages) >= MOST_OUTAGES:
            self.over = phrase("not-played-thrice")
        return culprit

    def _stays_away(self, known: Outage) -> None:
        if self._stopped():
            return  # nobody waited to the end
        self.outages.append(replace(known, kind="stopped", back_after=None))
        self.gone = True
        self.over = phrase("not-played-away")

    def comes_back(self) -> bool:
        """Wait until the endpoint answers; whether it does."""
        until = time.monotonic() + BACK_SECONDS * self._plan.time_scale
        ended = 0
        while not self._stopped():
            sign = sign_of_life(self._plan.target, headers=self._headers)
            ended = ended + 1 if sign == "ends" else 0
            if sign == "answers" or ended == ENDED_BY_HABIT:
                return True
            self._refused = self._refused or sign == "refuses"
            if time.monotonic() > until:
                break
            time.sleep(PROBE_SECONDS)
        return False

    def _search(self, candidates: Sequence[Scenario]) -> ScenarioVerdict | None:
        if not self._witness_lasts():
            return None
        until = time.monotonic() + SEARCH_SECONDS * self._plan.time_scale
        for scenario in candidates:
            if self._stopped() or time.monotonic() + longest_wait(scenario, self._plan.profile) > until:
                continue
            began = time.monotonic()
            verdict = self._ends_everybody(scenario)
            # Once more: an endpoint that ends after so many connections dies of anybody.
            if verdict is not None:
                verdict = self._ends_everybody(scenario)
                until += time.monotonic() - began
            if self.gone:
                return None
            if verdict is not None:
                return self._convicted(verdict)
        return None

    def beside_a_witness(self, scenario: Scenario) -> ScenarioVerdict | None:
        """Play a scenario like a culprit; it fails if it ends everybody too. None: nobody else could connect."""
        verdict, ended = self._seen(scenario)
        if self.gone:
            now = time.monotonic() - self._run_started
            self._stays_away(Outage(now, "stopped", (scenario.id,), suspected=(scenario.id,)))
        return self._convicted(verdict) if verdict is not None and ended else verdict

    def _convicted(self, verdict: ScenarioVerdict) -> ScenarioVerdict:
        return convicted(verdict, "stopped" if self._refused else "dropped", self._plan.requirements)

    def _ends_everybody(self, scenario: Scenario) -> ScenarioVerdict | None:
        """Play a scenario beside a witness; its verdict, where it ended the witness. The endpoint is back then."""
        verdict, ended = self._seen(scenario)
        return verdict if ended else None

    def _seen(self, scenario: Scenario) -> tuple[ScenarioVerdict | None, bool]:
        """Play a scenario beside a witness; its verdict, and whether it ended the witness.

        The endpoint is back then, or `gone`. There is no verdict where no witness could connect.
        """
        witness = self._witness()
        if witness is None:
            return None, False
        verdict = self._alone(scenario)
        ended = witness.ended()
        witness.leave()
        if ended and not self.comes_back():
            self.gone = True
        return verdict, ended

    def _witness(self) -> Witness | None:
        """A witness; None where no good handshake is accepted. Who begins to listen may not answer at once."""
        until = time.monotonic() + BACK_SECONDS * self._plan.time_scale * self._refused
        while not self._stopped():
            witness = Witness(self._plan)
            if witness.connected():
                return witness
            if time.monotonic() >= until:
                break
            time.sleep(PROBE_SECONDS)
        return None

    def _witness_lasts(self) -> bool:
        """Whether an idle connection survives another one of the same user."""
        first = self._witness()
        if first is None:
            return False
        second = Witness(self._plan)
        lasts = second.connected() and not first.ended()
        for witness in (second, first):
            witness.leave()
        return lasts


def convicted(verdict: ScenarioVerdict, kind: str, requirements: Mapping[str, Requirement]) -> ScenarioVerdict:
    """The verdict on a scenario that ended the endpoint, or everybody's connection: a requirement of its own fails.

    What it was charged with besides, such as a handshake that found nobody there any more, only follows from that.
    """
    outcome = verdict.outcome
    scenario = outcome.scenario
    own = tuple(one for one in verdict.charged if one.requirement in scenario.verifies)
    text = phrase("ended-endpoint" if kind == "stopped" else "ended-everybody")
    received = phrase("connections-refused" if kind == "stopped" else "witness-ended")
    if own:
        charged = tuple(_also(one, text) for one in own)
    else:
        sending = [step for step in scenario.steps if isinstance(step.deed, SendMessage | SendRaw)]
        step = sending[-1] if sending else scenario.steps[-1]
        accepts = charge_of(requirements, "handshake") or Charge()
        name = next(iter((*scenario.verifies, *accepts.requirements)), scenario.id)
        level = scenario.level or (requirements[name].level if name in requirements else "MUST")
        expected = phrase("lives-on")
        failure = Failure(Charge((name,), level), step.label, None, text, expected, received)
        charged = (Charged(name, level, failure),)
    ending = replace(outcome, ending="stopped", reason=charged[0].failure.message)
    return replace(verdict, outcome=ending, charged=charged, unconfirmed=())


def _also(one: Charged, text: Phrase) -> Charged:
    """The same, which did something else as well: nothing that did not come, but what it did is the evidence."""
    message = phrase("and", items=(one.failure.message, text))
    return replace(one, failure=replace(one.failure, message=message, absent=None))
