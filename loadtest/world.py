"""What all virtual users of a process share: the endpoint, who they are, where they post, and until when."""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.transport import Target, resolve
from contract.json_text import dump_json
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile
from contract.schemas import is_date_time
from contract.typed import Typed, getter
from loadtest.ledger import Ledger, Text
from loadtest.link import Reactor
from loadtest.player import Player
from loadtest.recorder import Recorder, Slice
from loadtest.script import DEFAULT_SIZE, JourneyValues, compile_journey, post_parts
from loadtest.settings import LoadSettings, load_journeys
from loadtest.settling import part_of, settle
from loadtest.tokens import read_tokens

MAX_CLOSING_SECONDS = 5.0
"""How long a user waits for the end of its connection when the run is over."""

SWEEP_SECONDS = 0.1
"""How often it is looked whose patience is over."""

QUIET_SECONDS = 0.2
"""Where nothing was delivered for so long, it is looked whether anything is still owed."""


MAX_MOMENTS = 4096
"""Times that are remembered as right."""


@dataclass(slots=True)
class Clock:
    """When the run began, and when posting ends: seconds, monotonic."""

    begin: float = 0.0
    end: float = math.inf


class World:
    """The load test in one process.

    `worker` is this process's number among those that play users. Raises `ContractError` and `LoadError` for settings
    that cannot work, and as `resolve` does.
    """

    def __init__(self, settings: LoadSettings, reactor: Reactor, worker: int = 0, processes: int = 1) -> None:
        self.settings = settings
        self.reactor = reactor
        self.worker = worker
        self.processes = processes
        self.profile: Profile = load_profile(Path(settings.profile) if settings.profile else None, settings.overrides)
        self.contract: Contract = load_contract(None, self.profile.limits)
        self.target: Target = resolve(settings.endpoint, verify=self.profile.tls.verify, ca=self.profile.tls.ca)
        self.journeys = {
            one.id: compile_journey(one, self.contract, self.profile)
            for one in load_journeys(settings.journey_file)
            if one.id in settings.journeys
        }
        self.tokens = read_tokens(settings.tokens, self.profile, settings.most_users)
        self.text_size = settings.size or DEFAULT_SIZE
        self.closing_seconds = min(self.profile.response_timeout, MAX_CLOSING_SECONDS)
        self.random = random.Random(f"{settings.seed}-{worker}")
        self.pong = dump_json({"event": self.contract.pong_event, "payload": {}}).encode()
        self.ledger = Ledger(settings.run.encode(), worker, self._all_texts)
        self.recorder = Recorder(time.monotonic())
        self.clock = Clock()
        self.ending = False
        self.period = 1 / settings.rate_at(0.0)
        self.secrets = self.profile.secrets()
        self.players: set[Player] = set()
        self._number = 0
        self._arrived = 0
        self._rooms: dict[int, Callable[[str], str]] = {}
        self._read_typed()

    def _read_typed(self) -> None:
        """The fast way for what is certainly valid, where the contract allows for one."""
        names = self.contract.delivery
        typed = Typed(self.contract, names.delivery["event"] if names is not None else None)
        self.moments: set[Any] = set()
        self.decode = typed.decode
        self.delivery_event = names.delivery["event"] if names is not None else ""
        self.delivery_kind = typed.kinds.get(self.delivery_event)
        if names is not None and self.delivery_kind is not None:
            paths = [names.delivery[name] for name in ("channel", "text", "author")]
            self.delivered = getter("sequence", *paths)
            # Most deliveries bear times that others bore before: these need no second look.
            self.times = getter(*typed.moments.paths) if typed.moments.paths else None

    def are_times(self, moments: Any) -> bool:
        """Whether what a delivery bears as date-times are such: one string, or several."""
        if not all(map(is_date_time, (moments,) if isinstance(moments, str) else moments)):
            return False
        if len(self.moments) >= MAX_MOMENTS:
            self.moments.clear()
        self.moments.add(moments)
        return True

    def _all_texts(self) -> set[Text] | None:
        """Every text that is posted anywhere in the run, around its stamp; None: it is not known before."""
        posts = [post for journey in self.journeys.values() for post in journey.posts]
        if not all(post.fixed for post in posts):
            return None
        return {
            post_parts(post, self.contract, JourneyValues(self.profile, self.rooms(place), size=self.text_size)).text
            for post in posts
            for place in range(self.settings.channels)
        }

    # Users

    def player(self, journey: str) -> Player:
        """The next virtual user of this process; their numbers are unique in the run, from 1."""
        if self.worker < self.processes:
            number = self._number * self.processes + self.worker + 1
        else:
            # A worker that came in another's place.
            number = self.worker * 1_000_000 + self._number + 1
        self._number += 1
        made = Player(self, self.journeys[journey], number, self.tokens(number))
        self.players.add(made)
        return made

    def left(self, player: Player) -> None:
        """A user is done."""
        self.players.discard(player)

    def rooms(self, place: int) -> Callable[[str], str]:
        """What `${channel.room}` stands for, for the users of one place: they share a channel."""
        if place not in self._rooms:
            opened, run = self.profile.channels.open, self.settings.run

            def room(name: str) -> str:
                if isinstance(opened, str):
                    return opened.replace("{nonce}", f"{run}-{name}-{place}")
                return opened[place % len(opened)]

            self._rooms[place] = room
        return self._rooms[place]

    # Time

    def begin(self) -> None:
        """The load starts now."""
        self.clock.begin = time.monotonic()
        self.clock.end = self.clock.begin + self.settings.whole_duration
        self.recorder.begin(self.clock.begin)

    def sweep(self) -> None:
        """Tell those whose patience is over, and let those go who leave before the end and owe themselves nothing."""
        now = time.monotonic()
        self.period = 1 / self.settings.rate_at(now - self.clock.begin)
        for player in [one for one in self.players if one.deadline <= now]:
            player.expire()
        if not self.ending:
            for player in [one for one in self.players if one.leaving and one.can_go]:
                player.part()

    def take(self) -> Slice:
        """What was measured since the last time."""
        counts = {kind: self.ledger.counts[kind] for kind in ("duplicated", "reordered", "misdelivered")}
        shown = {"delivered": self.ledger.delivered, "gaps": self.ledger.open_gaps(), **counts}
        taken = self.recorder.take(time.monotonic(), shown)
        arrived = self.ledger.arrived
        taken.received, self._arrived = arrived - self._arrived, arrived
        return taken

    # The end

    def stop_posting(self) -> None:
        """No user goes on with its journey; all stay and receive."""
        self.ending = True
        self.clock.end = min(self.clock.end, time.monotonic())
        for player in list(self.players):
            player.leave()

    @property
    def all_came(self) -> bool:
        """Whether nothing that this process's users posted is missing at any of its users who are still there."""
        return not settle([part_of(self.ledger)], grace=0.0, patient=True).lost

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

    def __init__(self, world: World) -> None:
        self.world = world
        self.began = time.monotonic()
        self._delivered = -1
        self._quiet_since = self.began

    def over(self) -> bool:
        """Whether nothing more has to be waited for. Another process's posts are known only to it."""
        now, world = time.monotonic(), self.world
        if now - self.began >= world.profile.response_timeout or not world.players:
            return True
        if world.ledger.delivered != self._delivered:
            self._delivered, self._quiet_since = world.ledger.delivered, now
            return False
        if world.processes > 1 or now - self._quiet_since < QUIET_SECONDS:
            return False
        self._quiet_since = now
        return world.all_came
