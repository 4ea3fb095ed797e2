"""The request ledger: whether each request of a virtual user was answered, in time, once, and with its own id.

A reply belongs to the open request whose id it repeats. What came of one that has had its last reply is one too many;
what has an id that nobody sent is a stray. A probe that is no request of the contract is taken for one: what its text
comes back in answers it.

As with deliveries, nothing is owed to a connection that did not stay until it was due; and an error that may be about
any request leaves all open ones undecided.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from conformance.play.replies import ends
from contract.findings import phrase
from contract.json_text import dump_json
from contract.model import Contract
from contract.paths import value_at
from contract.roles import Awaited, Probe, Reply, Request
from loadtest.judge.judge import Judge, Wait, wait

MAX_ANSWERED = 1_000
"""Ids of a connection that are remembered after their last reply; the oldest are forgotten first."""

PROBE = "probe"
"""The name of a probe that bears none."""

TEXT = "${text}"


class Asked(NamedTuple):
    """An open request: when it was meant to go out, and when it did."""

    request: Request
    meant: float
    sent: float


@dataclass(frozen=True, slots=True)
class Answering:
    """One of the replies to a request, whose `latencies` are those of the last ones."""

    request: str
    name: str
    id: str
    last: bool
    failure: bool
    latencies: list[float]


def requests_of(contract: Contract) -> tuple[Request, ...]:
    """The requests that clients make, the probe among them where it can be told which answer is whose."""
    found = tuple(one for one in contract.roles.requests if one.by == "client")
    probe = contract.roles.probe
    name = contract.name_of(probe.message, "client") if probe is not None else None
    if probe is None or any(one.name == name for one in found) or _is_post(contract, name):
        return found
    derived = _as_request(probe, name or PROBE)
    return found if derived is None else (*found, derived)


def _is_post(contract: Contract, name: str | None) -> bool:
    flow = contract.flow
    return flow is not None and flow.post is not None and flow.post.name == name


def _as_request(probe: Probe, name: str) -> Request | None:
    """A probe as a request: its text is the id. None where it does not come back by itself."""
    answer = probe.expect[-1] if probe.expect else Awaited("", probe.expect_text)
    there, back = place_of(probe.message, TEXT), place_of(answer.match, TEXT)
    if there is None or back is None:
        return None
    return Request("client", name, there, (Reply(answer.name, back, last=True),))


def place_of(template: Any, text: str, path: str = "") -> str | None:
    """The dotted path at which a template has just this text; None where it is nowhere."""
    if template == text:
        return path
    inner: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(template, Mapping):
        inner = iter(template.items())
    elif isinstance(template, list):
        inner = iter(enumerate(template))
    for name, member in inner:
        found = place_of(member, text, f"{path}.{name}" if path else f"{name}")
        if found is not None:
            return found
    return None


def key_at(message: Any, path: str) -> Any:
    """The id at a path, an empty one being the whole; None where there is none."""
    return key_of(value_at(message, path) if path else message)


def key_of(identity: Any) -> Any:
    """An id of any JSON type, so that equal ones are equal: 1 is 1.0, and no text."""
    if type(identity) is str or type(identity) is int:
        return identity
    if isinstance(identity, float) and identity.is_integer():
        return int(identity)
    return None if identity is None else (dump_json(identity),)


@dataclass(frozen=True, slots=True)
class Asking:
    """What all connections of a process share."""

    judge: Judge
    timeout: float
    requests: Mapping[str, Request]
    replies: Mapping[str, tuple[Answering, ...]]
    ids: tuple[str, ...]
    waiting: dict["Requests", None]
    """The connections that wait for a reply."""


def asking_of(contract: Contract, judge: Judge, timeout: float, latencies: Callable[[str], list[float]]) -> Asking:
    """The requests of a contract; `timeout`: seconds that a reply may take. `latencies` gives each where they go."""
    requests = requests_of(contract)
    replies: dict[str, tuple[Answering, ...]] = {}
    for one in requests:
        for reply in one.replies:
            last, into = ends(one, reply), latencies(one.name)
            answering = Answering(one.name, reply.name, reply.id, last, reply.failure, into)
            replies[reply.name] = (*replies.get(reply.name, ()), answering)
    ids = tuple(dict.fromkeys(one.id for one in requests))
    return Asking(judge, timeout, {one.name: one for one in requests}, replies, ids, {})


class Requests:
    """The requests of one connection. Times are in seconds, monotonic."""

    __slots__ = ("_answered", "_asking", "_open", "_others", "_user")

    def __init__(self, asking: Asking, user: str) -> None:
        self._asking = asking
        self._user = user
        self._open: dict[Any, Asked] = {}
        self._answered: dict[Any, None] = {}
        self._others: dict[Any, None] = {}

    @property
    def are_answered(self) -> bool:
        """Whether none is open."""
        return not self._open

    def ask(self, request: Request, key: Any, meant: float, sent: float) -> None:
        """A request goes out."""
        self._answered.pop(key, None)
        self._open[key] = Asked(request, meant, sent)
        self._asking.waiting[self] = None

    def say(self, message: Any) -> None:
        """Another message goes out, which may have what looks like an id."""
        for path in self._asking.ids:
            _remember(self._others, key_at(message, path))

    def is_open(self, key: Any) -> bool:
        """Whether a request waits for its last reply."""
        return key in self._open

    def came(self, name: str, value: Any, t: float) -> Answering | None:
        """A message of this name came: the reply that it is to an open request; None: it is none."""
        asking = self._asking
        key = None
        for answering in asking.replies.get(name, ()):
            key = key_at(value, answering.id)
            asked = self._open.get(key)
            if asked is not None and asked.request.name == answering.request:
                asking.judge.chances["reply-id"] += 1
                if answering.last:
                    self._last(key, asked, answering, t)
                return answering
        if key in self._answered:
            asking.judge.found("reply-once", phrase("reply-after-last", event=name), t, self._user)
        elif key is not None and key not in self._others and name in asking.replies:
            asking.judge.chance("reply-id")
            asking.judge.found("reply-id", phrase("reply-to-nobody", event=name), t, self._user)
            # It may have been meant for any of them: the id is what is wrong.
            self.doubt()
        return None

    def closed(self, answering: Answering, key: Any, t: float) -> bool:
        """As `came`, for a last reply that is valid, and is counted by who reads it; False where it is not in order."""
        asked = self._open.get(key)
        asking = self._asking
        if asked is None or asked.request.name != answering.request or t - asked.sent > asking.timeout:
            return False
        del self._open[key]
        if not self._open:
            del asking.waiting[self]
        _remember(self._answered, key)
        answering.latencies.append(t - asked.meant)
        return True

    def _last(self, key: Any, asked: Asked, answering: Answering, t: float) -> None:
        """The last reply to a request came."""
        asking, name = self._asking, asked.request.name
        del self._open[key]
        if not self._open:
            asking.waiting.pop(self, None)
        _remember(self._answered, key)
        answering.latencies.append(t - asked.meant)
        chances = asking.judge.chances
        chances["reply"] += 1
        chances["reply-once"] += 1
        took = t - asked.sent
        if took > asking.timeout:
            waited = Wait(asked.sent, t, took - asking.timeout)
            detail = phrase("load-seconds", seconds=round(took, 3))
            asking.judge.absent("reply", phrase("reply-late", event=name), waited, self._user, detail)

    def doubt(self) -> None:
        """What came may be about any open request: whether they are answered decides nothing."""
        for key in self._open:
            _remember(self._others, key)
        self._open.clear()
        self._asking.waiting.pop(self, None)

    def end(self, t: float) -> None:
        """The connection is over, or its time: what is overdue was never answered. Idempotent."""
        asking = self._asking
        for asked in self._open.values():
            if t - asked.sent >= asking.timeout:
                asking.judge.chance("reply")
                problem = phrase("reply-missing", event=asked.request.name)
                waited = wait(asked.sent, t, asking.timeout)
                asking.judge.absent("reply", problem, waited, self._user)
        self.doubt()


def _remember(known: dict[Any, None], key: Any) -> None:
    if key is not None:
        known[key] = None
        if len(known) > MAX_ANSWERED:
            del known[next(iter(known))]
