"""The virtual user as Locust sees it: a greenlet that sleeps while its player plays."""

from typing import TYPE_CHECKING

from gevent.event import Event
from locust import User, task
from locust.exception import StopUser

if TYPE_CHECKING:
    from loadtest.conductor import Conductor
    from loadtest.player import Player


class JourneyUser(User):
    """Plays `journey`; a subclass names it, and who conducts the run."""

    abstract = True
    conductor: "Conductor"
    journey: str
    player: "Player | None" = None
    over: Event | None = None

    @task
    def play(self) -> None:
        """Play until the player has left."""
        player = self.conductor.player(self.journey)
        if player is None:
            raise StopUser
        self.player, self.over = player, Event()
        player.on_leaving = self.over.set
        player.begin()
        try:
            self.over.wait()
        finally:
            # Whoever ends the greenlet by force ends the connection with it.
            player.abandon()
        raise StopUser

    def stop(self, force: bool = False) -> bool:
        """Locust wants the user to go: it leaves in good order, unless by force."""
        stopped: bool = super().stop(force)
        if self.player is not None and not force:
            self.player.leave()
        return stopped
