"""The virtual user as Locust sees it: a greenlet that is never started, since its player needs no stack of its own."""

from typing import Any, Protocol

from gevent import Greenlet
from gevent.pool import Group
from locust import User
from locust.user.task import LOCUST_STATE_RUNNING

from contract.folder import DEFAULT, find_contract
from contract.model import load_contract
from loadtest.runner.arrivals import Begin
from loadtest.settings.settings import LoadSettings, contract_of, load_journeys
from loadtest.users.player import Player


class Players(Protocol):
    """Gives users their players, and their turn."""

    def arrive(self, begin: Begin) -> None:
        """Let a user begin in its turn."""

    def player(self, journey: str) -> Player | None:
        """A new player; None if the run is over."""


class JourneyUser(User):
    """Plays `journey`; a subclass names it, and where its `player` comes from.

    Locust counts its users by their greenlets, and waits for the end of these. A greenlet that runs takes a stack of
    several pages; one that only stands for its user takes none.
    """

    abstract = True
    players: Players
    journey: str
    player: Player | None = None
    gone = False

    def start(self, group: Group) -> Greenlet:
        """Begin to play, in its turn."""
        made = Greenlet(_nothing, self)
        self._greenlet, self._group, self._state = made, group, LOCUST_STATE_RUNNING
        group.add(made)
        made.rawlink(self._ended)
        self.players.arrive(self._begin)
        return made

    def _begin(self, due: float) -> None:
        if self.gone:
            return
        self.player = self.players.player(self.journey)
        if self.player is None:
            self._left()
        else:
            self.player.on_leaving = self._left
            self.player.begin(due)

    def stop(self, force: bool = False) -> bool:
        """Locust wants the user to go: it leaves in good order, unless by force."""
        stopped: bool = super().stop(force)
        if self.player is None:
            self._left()
        elif not force:
            self.player.leave()
        return stopped

    def _left(self) -> None:
        self.gone = True
        if self._greenlet is not None:
            self._greenlet.kill(block=False)

    def _ended(self, _: Any) -> None:
        """Whoever ends the greenlet by force ends the connection with it."""
        self.gone = True
        player, self.player, self._greenlet = self.player, None, None
        if player is not None:
            player.abandon()


def _nothing(user: User) -> None:
    """What the greenlet would run; Locust finds the user among its arguments."""


def user_classes(settings: LoadSettings | None, players: Players) -> dict[str, type[User]]:
    """Locust's user classes: one for each journey with a weight in the settings; without settings, for all."""
    found: dict[str, type[User]] = {}
    contract = load_contract(contract_of(settings) if settings is not None else find_contract(DEFAULT))
    for journey in load_journeys(contract, settings.journey_file if settings is not None else None):
        weight = settings.journeys.get(journey.id, 0.0) if settings is not None else journey.weight
        if weight:
            name = f"{journey.id}-user"
            members = {"players": players, "journey": journey.id, "weight": weight, "abstract": False}
            found[name] = type(name, (JourneyUser,), {**members, "__module__": __name__})
    return found
