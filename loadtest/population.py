"""The virtual users of one process: who they are, how they are looked after, and how they leave."""

import time

from loadtest.load_context import LoadContext
from loadtest.player import Player
from loadtest.settling import part_of, settle
from loadtest.tokens import read_tokens

SWEEP_SECONDS = 0.1
"""How often it is looked whose patience is over."""

QUIET_SECONDS = 0.2
"""Where nothing was delivered for so long, it is looked whether anything is still owed."""


class Population:
    """All users of one process. `worker` is its number among the `processes` that play users.

    Raises `LoadError` where there are too few tokens.
    """

    def __init__(self, context: LoadContext, worker: int = 0, processes: int = 1) -> None:
        self.context = context
        self.worker = worker
        self.processes = processes
        self.players: set[Player] = set()
        self._tokens = read_tokens(context.settings.tokens, context.profile, context.settings.most_users)
        self._made = 0
        self._ending = False
        self._gone = self.players.discard

    def player(self, journey: str) -> Player:
        """The next virtual user of this process; their numbers are unique in the run, from 1."""
        if self.worker < self.processes:
            number = self._made * self.processes + self.worker + 1
        else:
            # A worker that came in another's place.
            number = self.worker * 1_000_000 + self._made + 1
        self._made += 1
        context = self.context
        made = Player(context, context.journeys[journey], number, self._tokens(number).token, self._gone)
        self.players.add(made)
        return made

    def begin(self) -> None:
        """The load starts now."""
        now = time.monotonic()
        self.context.schedule.start(now)
        self.context.recorder.begin(now)

    def sweep(self) -> None:
        """Tell those whose patience is over, and let those go who leave before the end and owe themselves nothing."""
        now = time.monotonic()
        self.context.schedule.update(now)
        for player in [one for one in self.players if one.task.deadline <= now]:
            player.expire()
        if not self._ending:
            for player in [one for one in self.players if one.leaving and one.can_go]:
                player.part()

    # The end

    def stop_posting(self) -> None:
        """No user goes on with its journey; all stay and receive."""
        self._ending = True
        self.context.schedule.stop(time.monotonic())
        for player in list(self.players):
            player.leave(with_all=True)

    @property
    def all_came(self) -> bool:
        """Whether nothing that this process's users posted is missing at any of its users who are still there."""
        return not settle([part_of(self.context.ledger)], grace=0.0, patient=True).lost

    def stay_to_the_end(self) -> None:
        """Everything was waited for."""
        for player in list(self.players):
            player.stay_to_the_end()

    def part(self) -> None:
        """Close all connections."""
        for player in list(self.players):
            player.part()

    def drained(self) -> "Drain":
        """Waits for what is on its way when posting has ended."""
        return Drain(self)


class Drain:
    """Looks again and again whether all deliveries have come; at the latest after the response timeout all are over."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._began = time.monotonic()
        self._delivered = -1
        self._quiet_since = self._began

    def over(self) -> bool:
        """Whether nothing more has to be waited for. Another process's posts are known only to it."""
        now, population = time.monotonic(), self._population
        context = population.context
        if now - self._began >= context.profile.response_timeout or not population.players:
            return True
        if context.ledger.delivered != self._delivered:
            self._delivered, self._quiet_since = context.ledger.delivered, now
            return False
        if population.processes > 1 or now - self._quiet_since < QUIET_SECONDS:
            return False
        self._quiet_since = now
        return population.all_came
