"""What a well-behaved client does unasked: it answers heartbeats and requests of the server, and sends its own ones."""

from collections import deque
from collections.abc import Callable
from typing import Any

from conformance.language.values import Values, new_nonce
from contract.findings import phrase
from contract.model import Contract
from contract.paths import value_at
from contract.profile import Profile
from contract.roles import Heartbeat
from contract.templates import filled, references
from loadtest.delivery.requests import key_of
from loadtest.judge.judge import Judge, Wait, wait
from loadtest.users.reactor import Reactor, Watch


class Manners:
    """What the roles of a contract ask of every client."""

    def __init__(self, contract: Contract, profile: Profile) -> None:
        self._contract = contract
        self._profile = profile
        self._encode = contract.codec.encode
        role = contract.heartbeat
        template = role.answer_message if role is not None else None
        fixed = role is not None and role.answer is not None and not references(template)
        self._pong = self._encode(contract.pong({})).encode() if fixed else None
        self._answers: dict[str, tuple[Any, ...]] = {}
        for one in contract.roles.answers:
            self._answers[one.to] = (*self._answers.get(one.to, ()), one.send)
        beats = [one for one in contract.roles.heartbeats if one.by != "server" and one.every is not None]
        self.beat: Heartbeat | None = beats[0] if beats else None
        """The heartbeat that a client has to send."""
        self.every = (self.beat.every or 0.0) if self.beat is not None else 0.0
        """Seconds between two of them."""
        limit = self.beat.timeout if self.beat is not None else None
        self.timeout = profile.response_timeout if limit is None else limit
        """Seconds that their answers may take."""

    def pong(self, ping: Any) -> bytes | None:
        """The answer to a heartbeat of the server; None: none is due."""
        if self._pong is not None:
            return self._pong
        answer = self._contract.pong(ping)
        return None if answer is None else self._encode(answer).encode()

    def answers(self, name: str, message: Any) -> list[bytes]:
        """What is to be said to a message of this name."""
        return [self._encode(filled(one, message)).encode() for one in self._answers.get(name, ())]

    def ping(self) -> Any:
        """A heartbeat of the client's."""
        assert self.beat is not None
        message = self.beat.ping_message
        if message is None:
            return self._contract.example(self.beat.ping.name)
        values = _OneOff(self._profile, str, codec=self._contract.codec)
        return values.render(message)

    def encoded(self, message: Any) -> bytes:
        """A message as it is sent."""
        return self._encode(message).encode()


class _OneOff(Values):
    """Values of a message that nobody refers to later."""

    def _resolve(self, name: str) -> Any:
        return new_nonce() if name in ("text", "nonce") else Values._resolve(self, name)


class OwnBeat:
    """The heartbeat that one connection has to send. `say` sends a message."""

    __slots__ = ("_judge", "_manners", "_pending", "_reactor", "_say", "_timer", "_user")

    def __init__(
        self, manners: Manners, reactor: Reactor, judge: Judge, user: str, say: Callable[[Any], float | None]
    ) -> None:
        self._manners = manners
        self._reactor = reactor
        self._judge = judge
        self._user = user
        self._say = say
        self._timer: Watch | None = None
        self._pending: deque[tuple[Any, float]] = deque()

    def begin(self) -> None:
        """The connection is established: the first one is due one interval later."""
        self._timer = self._reactor.later(self._manners.every, self._beat)

    def _beat(self) -> None:
        self._timer = None
        message, beat = self._manners.ping(), self._manners.beat
        assert beat is not None
        t = self._say(message)
        if t is None:
            return
        if beat.answer is not None:
            self._pending.append((_identity(message, beat.ping.id), t))
        self._timer = self._reactor.later(self._manners.every, self._beat)

    def answered(self, name: str, message: Any, t: float) -> bool:
        """A message came; whether it answers a heartbeat."""
        beat = self._manners.beat
        if not self._pending or beat is None or beat.answer is None or beat.answer.name != name:
            return False
        identity, sent = self._pending[0]
        if identity is not None and beat.answer.id is not None and _identity(message, beat.answer.id) != identity:
            return False
        self._pending.popleft()
        self._judge.chance("heartbeat-answered")
        took = t - sent
        if took > self._manners.timeout:
            self._unanswered(beat, Wait(sent, t, took - self._manners.timeout))
        return True

    def _unanswered(self, beat: Heartbeat, waited: Wait) -> None:
        problem = phrase("beat-unanswered", event=beat.ping.name)
        self._judge.absent("heartbeat-answered", problem, waited, self._user)

    def end(self, t: float) -> None:
        """The connection is over: those that are overdue were not answered. Idempotent."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        beat = self._manners.beat
        for _, sent in self._pending:
            if t - sent > self._manners.timeout and beat is not None:
                self._judge.chance("heartbeat-answered")
                self._unanswered(beat, wait(sent, t, self._manners.timeout))
        self._pending.clear()


def _identity(message: Any, path: str | None) -> Any:
    return None if path is None else key_of(value_at(message, path))
