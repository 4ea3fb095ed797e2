"""One connection's part of the delivery ledger: what it posts, and what it should receive."""

from math import inf

from loadtest.delivery.entries import Seat, Stream
from loadtest.delivery.ledger import Ledger


class Account:
    """The seats and streams of one connection, by channel."""

    __slots__ = ("_final", "_ledger", "_user", "own", "seats", "streams", "turned_away")

    def __init__(self, ledger: Ledger, user: str, *, alone: bool = False) -> None:
        self._ledger = ledger
        self._user = user
        self._final = False
        self.own = f"\0{user}" if alone else ""
        """Behind a channel's name, where what one posts is owed to nobody else: each has a channel of its own then."""
        self.seats: dict[str, Seat] = {}
        self.streams: dict[str, Stream] = {}
        self.turned_away = False
        """Whether the endpoint may have refused a join, so that posts may be refused as well."""

    def join(self, channel: str, t: float) -> None:
        """Subscribe to a channel, once."""
        channel += self.own
        if channel not in self.seats:
            seat = self.seats[channel] = self._ledger.seat(channel, self._user)
            seat.asked = t

    def stream(self, channel: str, token: str = "") -> Stream:
        """Start a stream of a token's user to a channel."""
        made = self.streams[channel] = self._ledger.stream(channel, self._user)
        made.home = self.seats.get(channel)
        made.token = token
        return made

    def refused(self) -> None:
        """The server answered with an error that may be about any post."""
        for stream in self.streams.values():
            stream.refused += 1

    def turn_away(self) -> None:
        """The server answered with an error that may be about a join that nothing has shown to be in force."""
        self.turned_away = self.turned_away or any(seat.since == inf for seat in self.seats.values())

    @property
    def all_back(self) -> bool:
        """Whether every own post has come back."""
        return all(
            self.seats[channel].following.get(stream.prefix, 1) > stream.count
            for channel, stream in self.streams.items()
            if channel in self.seats
        )

    def close(self, t: float) -> None:
        """A close frame is sent: later posts need not be delivered."""
        if not self._final:
            for seat in self.seats.values():
                seat.until = min(seat.until, t)

    def end(self, t: float, *, orderly: bool) -> None:
        """The connection ended."""
        if not self._final:
            for stream in self.streams.values():
                stream.end = "orderly" if orderly else "broken"
            for seat in self.seats.values():
                seat.until = min(seat.until, t)
        for seat in self.seats.values():
            self._ledger.over(seat)

    def stay_to_the_end(self) -> None:
        """All deliveries had their time: what is missing is lost, however the connection ends."""
        self._final = True
        for stream in self.streams.values():
            stream.end = "orderly"
