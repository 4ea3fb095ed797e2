"""The virtual users of one process: their numbers and tokens, their deadlines, and the end of the run."""

import time

from loadtest.settings.tokens import read_tokens
from loadtest.users.load_context import LoadContext
from loadtest.users.player import Player

SWEEP_SECONDS = 0.1
"""How often deadlines are checked."""

LOOK_AGAIN_SECONDS = 2 * SWEEP_SECONDS
"""By then, a timer has told whether the process stood still."""

LOOKED_AT = 20_000.0
"""Users whose deadlines are looked at in a second: of more than some thousand, each less often than in every sweep."""

QUIET_SECONDS = 0.2
"""If nothing was delivered for so long, it is checked whether anything is still missing."""


class Population:
    """All users of one process. `worker` is its number among the `processes` that play users.

    Raises `LoadError` if there are too few tokens.
    """

    def __init__(self, context: LoadContext, worker: int = 0, processes: int = 1) -> None:
        self.context = context
        self.worker = worker
        self.processes = processes
        self.players: set[Player] = set()
        self._tokens = read_tokens(context.settings.tokens, context.profile, context.settings.most_users)
        self._made = 0
        self._ending = False
        self._held_up = False
        self._next_look = 0.0
        self._gone = self.players.discard

    def player(self, journey: str) -> Player:
        """Create the next virtual user; their numbers are unique in the run, from 1."""
        if self.worker < self.processes:
            number = self._made * self.processes + self.worker + 1
        else:
            # A worker that came in another's place.
            number = self.worker * 1_000_000 + self._made + 1
        self._made += 1
        context = self.context
        made = Player(context, context.journeys[journey], number, self._tokens(number), self._gone)
        self.players.add(made)
        return made

    def begin(self) -> None:
        """Start the clock."""
        now = time.monotonic()
        self.context.schedule.start(now)
        self.context.recorder.begin(now)

    def sweep(self) -> None:
        """Expire deadlines, and let users go who leave before the end and have got all their own posts back."""
        now = time.monotonic()
        self.context.schedule.update(now)
        if now < self._next_look:
            return
        self._next_look = now + len(self.players) / LOOKED_AT
        for player in [one for one in self.players if one.task.deadline <= now]:
            player.expire()
        if not self._ending:
            for player in [one for one in self.players if one.leaving and one.can_go]:
                player.part()

    # The end

    def stop_posting(self) -> None:
        """End all journeys; users stay connected and receive."""
        self._ending = True
        self.context.schedule.stop(time.monotonic())
        for player in list(self.players):
            player.leave(with_all=True)

    @property
    def all_came(self) -> bool:
        """Whether every user who is still connected has received all posts of this process."""
        return not self.context.ledger.waits and not self.context.asking.waiting

    def stay_to_the_end(self) -> None:
        """All deliveries had their time, unless this process stood still for too much of it."""
        if self._held_up:
            return
        for player in list(self.players):
            player.stay_to_the_end()

    def part(self) -> None:
        """Close all connections."""
        for player in list(self.players):
            player.part()

    def drained(self) -> "Drain":
        """What to wait for once posting has ended."""
        return Drain(self)

    def held_up(self) -> None:
        """This process stood still while it waited for deliveries: what has not come is judged by its time."""
        self._held_up = True


class Drain:
    """Polls whether all deliveries have come; gives up after the response timeout.

    While this process stands still it reads nothing: that time does not count, up to the response timeout again.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._began = time.monotonic()
        self._delivered = -1
        self._quiet_since = self._began
        self._late_since: float | None = None

    def over(self) -> bool:
        """Whether there is nothing left to wait for. Posts of other processes are not known here."""
        now, population = time.monotonic(), self._population
        context = population.context
        if not population.players or self._is_late(now):
            return True
        if context.ledger.delivered != self._delivered:
            self._delivered, self._quiet_since = context.ledger.delivered, now
            return False
        if population.processes > 1 or now - self._quiet_since < QUIET_SECONDS:
            return False
        self._quiet_since = now
        return population.all_came

    def _is_late(self, now: float) -> bool:
        """Whether everything had its time. Just after a stall nobody knows of it yet: it has to be so for a while."""
        population = self._population
        waited, timeout = now - self._began, population.context.profile.response_timeout
        if waited >= 2 * timeout + LOOK_AGAIN_SECONDS:
            population.held_up()
            return True
        if waited - population.context.ledger.stalled_since(self._began) < timeout:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = now
        return self._late_since is not None and now - self._late_since >= LOOK_AGAIN_SECONDS
