"""What the virtual users of one process share: settings, contract, endpoint, journeys, and where results go."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from conformance.language.matching import Meanings
from conformance.play.attribution import BURST, closing_codes
from conformance.transport.target import Target, target_for
from contract.findings import Phrase, phrase
from contract.fixtures import User
from contract.metrics import RECEIVE, REPLY, ROUND_TRIP, TO_OTHERS
from contract.model import Contract, load_contract
from contract.profile import Profile, load_profile
from contract.redaction import Redactor
from contract.requirements import requirements_of
from loadtest.delivery.copies import Copies
from loadtest.delivery.deliveries import Deliveries
from loadtest.delivery.entries import Kind, Text
from loadtest.delivery.ledger import Ledger
from loadtest.delivery.numbers import Numbers
from loadtest.delivery.requests import Answering, asking_of
from loadtest.judge.judge import Judge
from loadtest.measure.punctuality import Punctuality
from loadtest.measure.recorder import Recorder
from loadtest.settings.schedule import Schedule
from loadtest.settings.settings import LoadSettings, contract_of, load_journeys
from loadtest.settings.sources import Sources
from loadtest.users.decoder import Decoder
from loadtest.users.journey_compiler import DEFAULT_SIZE, JourneyValues, Mint, compile_journey, post_parts
from loadtest.users.manners import Manners
from loadtest.users.opening import Handshakes
from loadtest.users.reactor import Reactor

OWN_DELIVERY = "own-delivery"
"""What shows that a subscription is in force, unless the contract names something else."""

NEW_CHANNEL = "wsproof-{nonce}"
"""The groups of an endpoint whose profile lists no channel: it is taken to make them when they are asked for."""

Reading = Callable[[Any], Any]
"""Reads an id of a decoded message."""

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
        folder = contract_of(settings)
        path = Path(settings.profile) if settings.profile else None
        self.profile: Profile = load_profile(path, settings.overrides, contract=folder)
        self.contract: Contract = load_contract(folder, self.profile.limits)
        self.target: Target = target_for(settings.endpoint, self.profile, embedded=settings.embedded)
        self.decoder = Decoder(self.contract)
        self.number_name = self.decoder.number or ""
        flow = self.contract.flow
        self.join_event = flow.subscribe.name if flow is not None and flow.subscribe is not None else ""
        self.post_event = flow.post.name if flow is not None and flow.post is not None else ""
        self.judge = Judge(
            requirements_of(folder),
            measure_only=settings.measure_only,
            delivery=flow.delivery.name if flow is not None else "",
            post=self.post_event,
        )
        self.journeys = {
            one.id: compile_journey(one, self.contract, self.profile, self.judge.own)
            for one in load_journeys(self.contract, settings.journey_file)
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
        trips = (flow.metric(REPLY), flow.metric(RECEIVE)) if flow is not None else (ROUND_TRIP, TO_OTHERS)
        self.recorder = Recorder(time.monotonic(), self.ledger, self.punctuality, self.judge, self.deliveries, trips)
        self.schedule = Schedule(settings)
        self.random = random.Random(f"{settings.seed}-{worker}")
        self.secrets = self.profile.secrets()
        self.closing_seconds = min(self.profile.response_timeout, MAX_CLOSING_SECONDS)
        self.meanings = Meanings(self.profile.error_codes, self.contract.keeps)
        self.error_codes = frozenset(self.profile.error_codes.values())
        self._sessions: dict[int, None] = {}
        self._stamp, self._stamps = f"{settings.run}{worker:03d}", 0
        beat, acknowledgement = self.contract.heartbeat, self.contract.acknowledgement
        form = self.profile.heartbeat.form
        self.beats = form == "control" or (form == "message" and (beat is None or beat.every is not None))
        """Whether the server's heartbeat is awaited, and not only answered."""
        subscribed = flow is not None and flow.subscribe is not None
        self.open_to_all = flow is not None and not subscribed
        """Whether whoever posts is owed what others post, without asking for it."""
        self.alone = flow is not None and flow.owed == "sender"
        self.ack_event, self.ping_event = self.contract.ack_event, self.contract.ping_event
        self.session_path = acknowledgement.expect.id if acknowledgement is not None else None
        self.pong_event = beat.answer.name if beat is not None and beat.answer is not None else None
        self.manners = Manners(self.contract, self.profile)
        self.asking = asking_of(self.contract, self.judge, self.profile.response_timeout, self.recorder.replies)
        self.in_force = flow.subscribe.in_force if flow is not None and flow.subscribe is not None else OWN_DELIVERY
        burst = self.contract.errors.reactions.get(BURST, ())
        codes = {self.profile.error_codes.get(one.code) for one in burst if one.code is not None}
        self.shed_codes = frozenset(one for one in codes if one is not None)
        self.shed_closes = closing_codes(burst, self.profile)
        self.mute_closes = closing_codes(beat.mute if beat is not None else (), self.profile)
        authentication = self.contract.roles.authentication
        self.expiry_closes = closing_codes(authentication.expired if authentication is not None else (), self.profile)
        self.numbers = Numbers(self.contract, self.judge, self.decoder.number)
        self.plain_replies = self._plain_replies()

    def _plain_replies(self) -> Mapping[Any, tuple[Answering, Reading]]:
        """The last replies that mean nothing else, by the types that the decoder makes of them, and how to read ids."""
        contract = self.contract
        roles = [contract.ack_event, contract.ping_event, contract.errors.name, self.in_force]
        roles += [one.answer.name for one in contract.roles.heartbeats if one.answer is not None]
        taken = {*roles, *(one.to for one in contract.roles.answers)}
        taken |= {name for journey in self.journeys.values() for name in journey.awaited}
        found = {}
        for name, answerings in self.asking.replies.items():
            one = answerings[0]
            subscribes = any(each.request == self.join_event for each in answerings)
            read = self.decoder.reader(name, one.id) if len(answerings) == 1 and one.last else None
            else_ = name in taken or subscribes or contract.delivers(name) or self.numbers.of(name)
            if read is not None and not else_:
                found[self.decoder.kinds[name]] = (one, read)
        return found

    def stamp(self) -> str:
        """Digits that no other request of the run has."""
        self._stamps += 1
        return f"{self._stamp}{self._stamps:09d}"

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
        if self.alone and problem.code == "channel-changed":
            check, shown = CHECKS["not-joined"]
        self.judge.found(check, shown, t, receiver, problem)

    def values(self, place: int, mint: Mint = str, token: str = "", number: int = 0) -> JourneyValues:
        """The values of a user's journey; users with the same `place` share a channel.

        `token` and `number` are the user's; without a number, nobody is meant.
        """
        channel = partial(self._channel, place)
        users = list(self.profile.users.values())
        owner = users[(number - 1) % len(users)] if users and number else User("")
        return JourneyValues(
            self.profile,
            channel,
            mint=mint,
            size=self.settings.size or DEFAULT_SIZE,
            probe=self.contract.roles.probe,
            codec=self.contract.codec,
            own=replace(owner, token=token or owner.token) if number else None,
        )

    def _channel(self, place: int, name: str) -> str:
        """What `${channel.…}` is for the users of one place."""
        opened = self.profile.channels.open or NEW_CHANNEL
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
