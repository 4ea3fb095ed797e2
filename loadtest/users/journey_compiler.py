"""Journeys made ready to be played many times: what does not change from post to post is worked out once."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.language.awaited import Expect, Expectation
from conformance.language.deeds import (
    Backoff,
    CloseConnection,
    Connect,
    DropConnection,
    Pace,
    Pause,
    SendMessage,
    StopReading,
)
from conformance.language.matching import ANYTHING
from conformance.language.references import references
from conformance.language.scenario import Scenario, Step
from conformance.language.values import OF_ALL, InconclusiveError, ScenarioError, Values
from conformance.play.replies import ends
from contract.durations import seconds
from contract.findings import phrase
from contract.fixtures import User
from contract.json_text import dump_json
from contract.model import Contract
from contract.paths import value_at
from contract.profile import Profile
from contract.roles import Request
from loadtest.delivery.entries import Text
from loadtest.delivery.requests import PROBE, place_of, requests_of
from loadtest.delivery.stamps import LENGTH
from loadtest.settings.settings import LoadError

DEFAULT_SIZE = 100
"""Characters of a posted text where the load test does not say."""

PLACE = "4711081519420815"
"""Stands for a nonce, as long as one, until a request's text is encoded."""

Mint = Callable[[str], str]


@dataclass(slots=True)
class JourneyValues(Values):
    """Values of a journey: a nonce is what `mint` makes of its name; `message_size` is a length."""

    mint: Mint = str
    size: int = DEFAULT_SIZE
    own: User | None = None
    """Whose values `${token}` and `${user.…}` are, whoever is named."""

    def nonce(self, name: str) -> str:
        """What stands for the nonce of this name."""
        return self.mint(name)

    def _resolve(self, name: str) -> Any:
        return self.token("") if name == "token" and self.own is not None else Values._resolve(self, name)

    def token(self, name: str) -> str:
        """The virtual user's own token."""
        return Values.token(self, name) if self.own is None else self.own.token or ""

    def user(self, path: str) -> Any:
        """A member of the user that the virtual user stands for."""
        if self.own is None:
            return Values.user(self, path)
        name, _, member = path.partition(".")
        found = self.own.member(member if name in self.profile.users else path)
        if found is None:
            raise InconclusiveError(phrase("lacking", setting=f"users.{path}"))
        return found

    def length(self, value: int | str) -> int:
        """A number, or the limit of this name."""
        return self.size if value == "message_size" else Values.length(self, value)


@dataclass(frozen=True, slots=True)
class Parts:
    """A post to one channel: `head` and `tail` of its JSON around the stamp, and its text around it."""

    channel: str
    head: bytes
    tail: bytes
    text: Text


@dataclass(slots=True)
class Post:
    """Post a stamped text; `nonce` is the name under which it is awaited."""

    message: Any
    nonce: str
    placeholder: str
    fixed: bool
    """Whether it is the same for all users of a channel, but for its stamp."""
    parts: dict[int, Parts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Join:
    """Subscribe to a channel, which stands in the message at the path `group`; None: there is one only."""

    say: "Say | Ask"
    group: str | None


@dataclass(frozen=True, slots=True)
class Say:
    """Send any other message. `fresh` are the nonces that stand in it first: each time, they are new ones."""

    message: Any
    fresh: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pieces:
    """A request's text around its stamp, and its id around it."""

    texts: tuple[bytes, ...]
    before: str
    after: str


@dataclass(slots=True)
class Ask:
    """Send a request, whose id is awaited. `stamp` is the nonce in the id that makes it unique, where it is one alone
    and nothing else differs from user to user; the rest is rendered once then."""

    message: Any
    request: Request
    fresh: tuple[str, ...]
    stamp: str | None
    pieces: dict[int, Pieces] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AwaitReply:
    """Wait for the last reply to the request with this nonce in its id."""

    nonce: str
    event: str
    within: float
    charge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AwaitOwn:
    """Wait for the own post of this nonce to come back."""

    nonce: str
    within: float
    charge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AwaitEvent:
    """Wait for a message of another event than deliveries; None: of whatever name."""

    event: str | None
    match: Any
    capture: Mapping[str, str]
    within: float
    charge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect."""

    deed: Connect
    charge: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leave:
    """Close the connection in good order."""

    code: int | None


@dataclass(frozen=True, slots=True)
class Vanish:
    """Reset the TCP connection."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """Read nothing more from the connection."""


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing but receive: for `seconds`, or to their next multiple on the run's clock; None: one period."""

    seconds: float | None
    to_next: bool


@dataclass(frozen=True, slots=True)
class Retreat:
    """Wait as long as a client does before it connects again."""


@dataclass(frozen=True, slots=True)
class Paced:
    """Passes at an even rate per second; `own` rate: the load test's. Neither: one after the other."""

    rate: float | None
    own: bool
    times: int | None
    ops: "tuple[Op, ...]"


Op = (
    Post | Join | Say | Ask | AwaitOwn | AwaitReply | AwaitEvent
    | Dial | Leave | Vanish | Ignore | Rest | Retreat | Paced
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Journey:
    """A journey that is ready to be played."""

    name: str
    ops: tuple[Op, ...]
    posts: tuple[Post, ...]
    awaited: frozenset[str] = frozenset()
    """The names of messages that are looked at as they are."""


Own = Callable[[tuple[str, ...]], tuple[str, ...]]
"""Which of the requirements that a step names are its own matter, and no check's."""


def compile_journey(scenario: Scenario, contract: Contract, profile: Profile, own: Own = tuple) -> Journey:
    """Make a journey ready. Raises `LoadError` with file, line and step for what a virtual user cannot do."""
    if len(scenario.actors) != 1:
        raise LoadError(
            f"{scenario.path.name}:{scenario.line}: journey {scenario.id!r}: expected one actor; use two journeys"
        )
    compiler = _Compiler(scenario, contract, profile, own)
    return Journey(scenario.id, compiler.ops(scenario.steps), tuple(compiler.posts), frozenset(compiler.awaited))


class _Compiler:
    """Turns the steps of one journey into what its players do."""

    def __init__(self, scenario: Scenario, contract: Contract, profile: Profile, own: Own) -> None:
        self.scenario = scenario
        self.contract = contract
        self.profile = profile
        self.own = own
        self.posts: list[Post] = []
        self.requests = {one.name: one for one in requests_of(contract)}
        self.asks: list[Ask] = []
        self.awaited: set[str] = set()
        self.nameless = not contract.events
        """Whether the messages have no names that could be expected, as texts have none."""
        self.known: set[str] = set()
        """The nonces of the steps so far."""

    def error(self, step: Step, message: str) -> LoadError:
        scenario = self.scenario
        return LoadError(f"{scenario.path.name}:{scenario.line}: journey {scenario.id!r}, step {step.label}: {message}")

    def ops(self, steps: tuple[Step, ...]) -> tuple[Op, ...]:
        return tuple(self._op(step) for step in steps)

    def _op(self, step: Step) -> Op:
        self._check_values(step)
        match step.deed:
            case Connect(accepted=True, upgrade=True, deflate=False, token=None, token_text=None, subprotocols=None):
                return Dial(step.deed, self.own(step.charge.requirements))
            case SendMessage(message=message, fragments=None | 1, escape=False):
                return self._send(step, message)
            case Expect(of=(Expectation(event=str(event), optional=False) as one,), within=within):
                return self._expect(step, event, one.match, one.capture, self._seconds(step, within))
            case Expect(of=(Expectation(event=None, optional=False) as one,), within=within) if self.nameless:
                return self._expect(step, None, one.match, one.capture, self._seconds(step, within))
            case Expect(of=(one,)):
                what = "by its name" if one.event is None else "if it must come"
                raise self.error(step, f"a journey can expect a message only {what}")
            case CloseConnection(code=code):
                return Leave(code)
            case DropConnection(how="reset"):
                return Vanish()
            case StopReading():
                return Ignore()
            case Pause(duration="period", to_next=False):
                return Rest(None, to_next=False)
            case Pause(duration=duration, to_next=to_next):
                return Rest(self._seconds(step, duration), to_next)
            case Backoff():
                return Retreat()
            case Pace(rate=rate, times=times, steps=steps):
                own = rate == "rate"
                return Paced(rate if isinstance(rate, int | float) else None, own, times, self.ops(steps))
            case _:
                raise self.error(
                    step,
                    "a journey cannot do this; it connects, sends, expects, pauses, paces, stops reading or ends",
                )

    def _check_values(self, step: Step) -> None:
        """Refuse what a journey cannot keep from pass to pass, and what the profile lacks."""
        for _, whole in references(step.written.body) if step.written is not None else ():
            name = whole.rpartition(":")[2]
            kind, _, rest = name.partition(".")
            if kind in OF_ALL and rest:
                raise self.error(step, f"${{{whole}}}: a journey has no names for them, only ${{{kind}}}")
            if kind == "value" or (kind == "user" and rest.partition(".")[0] in self.profile.users):
                try:
                    JourneyValues(self.profile, str).render(f"${{{name}}}")
                except InconclusiveError as lacking:
                    raise self.error(step, f"${{{whole}}}: {lacking.reason}") from None

    def _seconds(self, step: Step, duration: float | str) -> float:
        named = {"ack_timeout": self.profile.ack_timeout, "response_timeout": self.profile.response_timeout}
        if isinstance(duration, str) and duration in named:
            return named[duration]
        try:
            return seconds(duration)
        except ValueError as error:
            raise self.error(step, f"{duration}: {error}; or period, ack_timeout, response_timeout") from None

    def _send(self, step: Step, message: Any) -> Op:
        flow, event = self.contract.flow, self.contract.name_of(message, "client")
        if flow is not None and flow.subscribe is not None and event == flow.subscribe.name:
            return Join(self._say(message), flow.subscribe.group)
        if flow is None or flow.post is None or event != flow.post.name:
            return self._say(message)
        if any(name.rpartition(":")[2] in OF_ALL for _, name in references(message)):
            raise self.error(step, "a post is made ready once: ${uuid} and ${counter} in it would stay the same")
        found: list[str] = []
        placeholder = "".join(secrets.choice("0123456789") for _ in range(LENGTH))

        def mint(name: str) -> str:
            found.append(name)
            return placeholder

        fixed = True
        try:
            text = JourneyValues(self.profile, str, mint=mint).render(value_at(message, flow.post.stamp))
            JourneyValues(self.profile, str, mint=mint).render(message)
        except ScenarioError:
            text, fixed = value_at(message, flow.post.stamp), False
            found = found[:1]
        if len(set(found)) != 1 or not isinstance(text, str):
            raise self.error(step, "expected exactly one nonce in the posted text: the ledger identifies posts by it")
        post = Post(message, found[0], placeholder, fixed)
        self.posts.append(post)
        return post

    def _say(self, message: Any) -> Say | Ask:
        """Any other message than a post."""
        found: dict[str, None] = {}

        def mint(name: str) -> str:
            found[name] = None
            return PLACE

        values = JourneyValues(self.profile, str, mint=mint, probe=self.contract.roles.probe, codec=self.contract.codec)
        try:
            rendered, fixed = values.render(message), True
        except (ScenarioError, InconclusiveError):
            rendered, fixed = message, False
        fresh = tuple(name for name in found if name not in self.known)
        self.known |= {*fresh}
        request = self.requests.get(self.contract.name_of(rendered, "client") or PROBE)
        if request is None:
            return Say(message, fresh)
        identity = rendered if request.id == "" else value_at(rendered, request.id)
        fixed = fixed and not any(name.rpartition(":")[2] in OF_ALL for _, name in references(message))
        alone = fixed and len(found) == len(fresh) == 1 and isinstance(identity, str) and identity.count(PLACE) == 1
        asked = Ask(message, request, fresh, fresh[0] if alone else None)
        self.asks.append(asked)
        return asked

    def _reply_alone(self, event: str, match: Any) -> str | None:
        """The nonce of a request whose last reply is awaited, with nothing asked of it but its id."""
        for asked in self.asks:
            for reply in asked.request.replies:
                if asked.stamp is None or reply.name != event or not ends(asked.request, reply):
                    continue
                template = value_at(asked.message, asked.request.id) if asked.request.id else asked.message
                if place_of(match, template) == reply.id and is_alone(match):
                    return asked.stamp
        return None

    def _expect(self, step: Step, event: str | None, match: Any, capture: Mapping[str, str], within: float) -> Op:
        if event is None or not self.contract.delivers(event):
            own = self.own(step.charge.requirements)
            stamp = self._reply_alone(event or "", match) if not capture else None
            if stamp is not None:
                return AwaitReply(stamp, event or "", within, own)
            self.awaited |= {event or ""}
            return AwaitEvent(event, match, capture, within, own)
        text = "" if match is ANYTHING else dump_json(match)
        posts = [post.nonce for post in self.posts if f"${{nonce.{post.nonce}}}" in text]
        if not posts:
            raise self.error(step, f"a journey can expect {event} only for its own posts: match their nonce")
        return AwaitOwn(posts[0], within, self.own(step.charge.requirements))


def is_alone(match: Any) -> bool:
    """Whether a pattern has one value only."""
    while isinstance(match, Mapping) and len(match) == 1:
        match = next(iter(match.values()))
    return not isinstance(match, Mapping | list)


def request_pieces(asked: Ask, values: JourneyValues) -> Pieces:
    """Work out a request for one user's channel."""
    minted = JourneyValues(
        values.profile, values.channel, mint=lambda _: PLACE, size=values.size, probe=values.probe, codec=values.codec
    )
    rendered = minted.render(asked.message)
    identity = rendered if asked.request.id == "" else value_at(rendered, asked.request.id)
    before, _, after = identity.partition(PLACE)
    return Pieces(tuple(values.codec.encode(rendered).encode().split(PLACE.encode())), before, after)


def post_parts(post: Post, contract: Contract, values: JourneyValues) -> Parts:
    """Work out a post for one user's channel. Raises `ScenarioError` for what nobody captured."""
    assert contract.flow is not None
    assert contract.flow.post is not None
    names = contract.flow.post
    message = JourneyValues(
        values.profile,
        values.channel,
        values.captured,
        mint=lambda name: post.placeholder,
        size=values.size,
        probe=values.probe,
        own=values.own,
    )
    rendered = message.render(post.message)
    head, _, tail = contract.codec.encode(rendered).partition(post.placeholder)
    before, _, after = str(value_at(rendered, names.stamp)).partition(post.placeholder)
    channel = value_at(rendered, names.group) if names.group is not None else ""
    return Parts(str(channel), head.encode(), tail.encode(), (before.encode(), after.encode()))
