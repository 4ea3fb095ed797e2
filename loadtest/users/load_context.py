"""What the virtual users of one process share: settings, contract, endpoint, journeys, and where results go."""

import random
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from conformance.transport.target import Target, target_for
from contract.findings import Phrase, phrase
from contract.json_text import dump_json
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile
from contract.redaction import Redactor
from contract.requirements import load_requirements
from loadtest.delivery.copies import Copies
from loadtest.delivery.deliveries import Deliveries
from loadtest.delivery.entries import Kind, Text
from loadtest.delivery.ledger import Ledger
from loadtest.judge.judge import Judge
from loadtest.measure.punctuality import Punctuality
from loadtest.measure.recorder import Recorder
from loadtest.settings.schedule import Schedule
from loadtest.settings.settings import LoadSettings, load_journeys
from loadtest.settings.sources import Sources
from loadtest.users.decoder import Decoder
from loadtest.users.journey_compiler import DEFAULT_SIZE, JourneyValues, Mint, compile_journey, post_parts
from loadtest.users.opening import Handshakes
from loadtest.users.reactor import Reactor

MAX_TOLD = 120
"""Characters of an endpoint's text that are quoted."""

MAX_SESSIONS = 20_000
"""Sessions that are remembered at least; those of all users, twice, where they are more."""

CHECKS: Mapping[str, tuple[str, Phrase]] = {
    "came-before": ("delivered-once", phrase("delivered-twice")),
    "came-after": ("order", phrase("out-of-order")),
    "not-joined": ("membership", phrase("not-joined")),
    "another-author": ("author", phrase("load-two-authors")),
}
"""The check that each problem of the ledger is, and what it says; any other is a change of what was posted."""

MAX_CLOSING_SECONDS = 5.0
"""How long a user waits for the end of its connection when the run is over."""


class LoadContext:
    """Built from the settings. Raises `ContractError` and `LoadError` for invalid ones, and as `target_for` does."""

    def __init__(self, settings: LoadSettings, reactor: Reactor, worker: int = 0) -> None:
        self.settings = settings
        self.reactor = reactor
        self.profile: Profile = load_profile(Path(settings.profile) if settings.profile else None, settings.overrides)
        self.contract: Contract = load_contract(None, self.profile.limits)
        self.target: Target = target_for(settings.endpoint, self.profile, embedded=settings.embedded)
        self.decoder = Decoder(self.contract)
        names = self.contract.delivery
        self.join_event = names.join["event"] if names is not None else ""
        self.post_event = names.post["event"] if names is not None else ""
        self.judge = Judge(
            load_requirements(),
            measure_only=settings.measure_only,
            delivery=names.delivery["event"] if names is not None else "",
            post=self.post_event,
        )
        self.journeys = {
            one.id: compile_journey(one, self.contract, self.profile, self.judge.own)
            for one in load_journeys(settings.journey_file)
            if one.id in settings.journeys
        }
        self.tokens: dict[str, str] = {}
        """Of the users of this process, by their names; only to be masked."""
        self.judge.masked = self.masked_for
        # Tokens of a file may be those of one user.
        distinct = settings.tokens.kind == "profile"
        self.deliveries = Deliveries(self.judge, time.time, distinct=distinct)
        self.copies = Copies()
        self.deliveries.forgetting = self.copies.forget
        replays = self.profile.history == "connect"
        self.ledger = Ledger(
            settings.run.encode(),
            worker,
            self._all_texts,
            self.profile.response_timeout,
            told=self._wrong,
            replays=replays,
        )
        here = settings.processes if settings.master is None else 1
        self.sources = Sources(settings.source_addresses, self.target.family, worker % here, here)
        self.handshakes = Handshakes(self.target, self.profile)
        self.ledger.masked = self.masked_for
        self.punctuality = Punctuality()
        self.ledger.stalled_since = self.punctuality.stalled_since
        self.judge.stalled_since = self.punctuality.stalled_since
        self.recorder = Recorder(time.monotonic(), self.ledger, self.punctuality, self.judge, self.deliveries)
        self.schedule = Schedule(settings)
        self.random = random.Random(f"{settings.seed}-{worker}")
        self.secrets = self.profile.secrets()
        self.closing_seconds = min(self.profile.response_timeout, MAX_CLOSING_SECONDS)
        self.error_codes = frozenset(self.profile.error_codes.values())
        self._sessions: dict[int, None] = {}
        self.ack_event, self.ping_event = self.contract.ack_event, self.contract.ping_event
        self.pong_event = self.contract.pong_event
        self.pong = dump_json({"event": self.pong_event, "payload": {}}).encode()

    def masked_for(self, user: str, told: str) -> str:
        """What an endpoint said to a user, short and without a secret in any spelling."""
        token = self.tokens.get(user)
        secrets = self.secrets if token is None else (token, *self.secrets)
        return Redactor(secrets).shorten(told, MAX_TOLD)

    def new_session(self, session: str) -> bool:
        """Whether no connection has had this session, as far as is remembered."""
        key = hash(session)
        if key in self._sessions:
            return False
        if len(self._sessions) >= max(MAX_SESSIONS, 2 * self.settings.most_users):
            del self._sessions[next(iter(self._sessions))]
        self._sessions[key] = None
        return True

    def _wrong(self, kind: Kind, problem: Phrase, t: float, receiver: str) -> None:
        """What the ledger saw is a finding."""
        check, shown = CHECKS.get(problem.code) or ("intact", problem)
        self.judge.found(check, shown, t, receiver, problem)

    def values(self, place: int, mint: Mint = str) -> JourneyValues:
        """The values of a user's journey; users with the same `place` share a channel."""
        channel = partial(self._channel, place)
        return JourneyValues(self.profile, channel, mint=mint, size=self.settings.size or DEFAULT_SIZE)

    def _channel(self, place: int, name: str) -> str:
        """What `${channel.…}` is for the users of one place."""
        opened = self.profile.channels.open
        if isinstance(opened, str):
            return opened.replace("{nonce}", f"{self.settings.run}-{name}-{place}")
        return opened[place % len(opened)]

    def _all_texts(self) -> set[Text] | None:
        """Every text that is posted in the run, around its stamp; None if that is not known in advance."""
        posts = [post for journey in self.journeys.values() for post in journey.posts]
        if not all(post.fixed for post in posts):
            return None
        return {
            post_parts(post, self.contract, self.values(place)).text
            for post in posts
            for place in range(self.settings.channels)
        }
