"""Channels: who may enter, who is in, and what is delivered to whom, in one order (JOIN, SEND)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from contract.fixtures import Channels as ChannelRules
from reference_server.core.exchange import Account, Broadcast

MAX_JOINED = 1_000
"""Channels that one connection may be in, so that no client takes memory without end."""


class Channels:
    """All channels of a server. A channel exists as long as somebody is in it."""

    def __init__(self, rules: ChannelRules, run_id: str, wall_clock: Callable[[], float]) -> None:
        self._rules = rules
        self._run_id = run_id
        self._wall_clock = wall_clock
        self._members: dict[str, dict[int, None]] = {}
        self._joined: dict[int, set[str]] = {}
        self._posts = 0
        self._latest = 0
        self._second, self._date = -1, ""  # the latest second, and how it is written

    def permits(self, channel: str, account: Account) -> bool:
        """Whether this account may enter and post (JOIN-05)."""
        return channel != self._rules.private or account.key in self._rules.private_members

    def exists(self, channel: str) -> bool:
        """Whether this channel can be joined (JOIN-07). An open one comes into being by being joined."""
        if channel == self._rules.private:
            return True
        if isinstance(self._rules.open, tuple):
            return channel in self._rules.open
        prefix, brace, _ = (self._rules.missing or "").partition("{")
        is_missing = channel.startswith(prefix) if brace else channel == prefix
        return not is_missing

    def join(self, channel: str, session: int) -> bool:
        """Enter a channel; twice is harmless (JOIN-04). False: the connection is in too many already."""
        joined = self._joined.setdefault(session, set())
        if channel not in joined and len(joined) >= MAX_JOINED:
            return False
        joined.add(channel)
        self._members.setdefault(channel, {})[session] = None
        return True

    def leave(self, channel: str, session: int) -> None:
        """Take one connection out of one channel. An empty channel vanishes."""
        self._joined.get(session, set()).discard(channel)
        members = self._members.get(channel, {})
        members.pop(session, None)
        if not members:
            self._members.pop(channel, None)

    def leave_all(self, session: int) -> None:
        """Membership ends with the connection (JOIN-06)."""
        for channel in tuple(self._joined.pop(session, ())):
            self.leave(channel, session)
        self._joined.pop(session, None)

    def is_member(self, channel: str, session: int) -> bool:
        """Whether this connection has joined."""
        return session in self._members.get(channel, ())

    def members(self, channel: str) -> Iterable[int]:
        """The connections in a channel, in the order of joining."""
        return tuple(self._members.get(channel, ()))

    def joined(self, session: int) -> frozenset[str]:
        """The channels that a connection is in."""
        return frozenset(self._joined.get(session, ()))

    def post(self, channel: str, text: str, author: Account) -> Broadcast:
        """A message for every member, the poster included (JOIN-01, SEND-01).

        The receivers share one payload, and nothing is delivered between two of them, so that all of them see
        a channel's messages in one order (SEND-08).
        """
        self._posts += 1
        payload = {
            "channelId": channel,
            "message": {
                "id": f"msg-{self._run_id}-{self._posts}",
                "text": text,
                "author": {"id": author.id, "name": author.name},
                "timestamp": self._timestamp(),
            },
        }
        return Broadcast(tuple(self._members.get(channel, ())), "new_message", payload)

    def _timestamp(self) -> str:
        """RFC 3339 in UTC with milliseconds; it never decreases, even when the clock is set back (SEND-05)."""
        self._latest = max(self._latest, int(self._wall_clock() * 1000))
        seconds, milliseconds = divmod(self._latest, 1000)
        if seconds != self._second:
            self._second, self._date = seconds, f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
        return f"{self._date}.{milliseconds:03}Z"
