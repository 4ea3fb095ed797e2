"""All connections of a server, without any I/O: happenings in, effects out, and the next moment that needs a clock."""

import heapq
from collections.abc import Callable
from math import inf

from contract.profile import Profile
from reference_server.chat.channels import Channels
from reference_server.chat.session import Rules, Session
from reference_server.core.exchange import (
    Binary,
    Close,
    ControlPong,
    Effects,
    Happening,
    Lost,
    Opened,
    ShuttingDown,
    Text,
)

DUE_AT_ONCE = 256
"""Sessions that are served in one tick, a few milliseconds: where thousands have connected at once, or the process was
stopped, their pings are due at the same moment."""


class Hub:
    """Sessions and their channels.

    `run_id` makes session and message ids differ from those of an earlier run; `wall_clock` gives UNIX seconds.
    """

    def __init__(self, rules: Rules, run_id: str, wall_clock: Callable[[], float]) -> None:
        self.rules = rules
        self.channels = Channels(rules.profile.channels, run_id, wall_clock)
        self.sessions: dict[int, Session] = {}
        self._run_id = run_id
        self._opened = 0
        self._deadlines: list[tuple[float, int]] = []

    @property
    def profile(self) -> Profile:
        """The values this server obeys."""
        return self.rules.profile

    def handle(self, happening: Happening, now: float) -> Effects:
        """Take one happening at `now` (seconds, monotonic). Those of unknown connections are ignored."""
        if isinstance(happening, Opened):
            return self._open(happening, now)
        if isinstance(happening, ShuttingDown):
            return [self._close(session, "going_away", "the server stops") for session in tuple(self.sessions.values())]
        session = self.sessions.get(happening.session)
        if session is None:
            return []
        effects: Effects = []
        match happening:
            case Text():
                effects = session.text(happening.text, now)
            case Binary():
                effects = session.binary()
            case ControlPong():
                effects = session.control_pong()
            case Lost():
                session.closed = True
        if session.closed:
            self._forget(session)
        return effects

    def tick(self, now: float) -> Effects:
        """What is due at `now`, for so many sessions that posts need not wait long; the next deadline tells of more."""
        effects: Effects = []
        for _ in range(DUE_AT_ONCE):
            if not self._deadlines or self._deadlines[0][0] > now:
                break
            session = self.sessions.get(heapq.heappop(self._deadlines)[1])
            if session is None:
                continue
            if session.deadline <= now:
                effects += session.tick(now)
            if session.closed:
                self._forget(session)
            else:
                self._schedule(session)
        return effects

    def next_deadline(self) -> float | None:
        """When `tick` must be called, at the latest. It may find nothing to do: a pong moves a deadline back."""
        return self._deadlines[0][0] if self._deadlines else None

    def _open(self, opened: Opened, now: float) -> Effects:
        self._opened += 1
        session_id = f"session-{self._run_id}-{self._opened}"
        session = Session(opened.session, session_id, opened.account, self.rules, self.channels, now)
        self.sessions[session.key] = session
        self._schedule(session)
        return session.opened()

    def _close(self, session: Session, cause: str, reason: str) -> Close:
        close = session.close(cause, reason)
        self._forget(session)
        return close

    def _forget(self, session: Session) -> None:
        self.sessions.pop(session.key, None)
        self.channels.leave_all(session.key)
        if len(self._deadlines) > 2 * len(self.sessions) + 64:
            # Entries of the gone wait for their time; where many come and go, that must not take memory.
            self._deadlines = [entry for entry in self._deadlines if entry[1] in self.sessions]
            heapq.heapify(self._deadlines)

    def _schedule(self, session: Session) -> None:
        # One entry for each session. A deadline only ever moves to a later time, so the entry is never too late.
        if session.deadline < inf:
            heapq.heappush(self._deadlines, (session.deadline, session.key))
