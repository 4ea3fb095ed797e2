"""Plays scenarios without a socket: a list of happenings, and a fake clock."""

import heapq
import itertools
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.language.scenario import Scenario
from conformance.play.context import Setting
from conformance.play.engine import Outcome, play
from conformance.play.handshakes import CONTROL
from conformance.transport.exchange import (
    Action,
    Close,
    CloseReceived,
    Control,
    Ended,
    Happening,
    Open,
    Opened,
    Received,
    Refused,
    Send,
    Tick,
    Wait,
)
from contract.findings import Text, phrase
from contract.profile import Profile
from tests.bundled import load_contract, load_profile, load_requirements, read_scenarios
from wire.frames import Opcode

START = 100.0
"""The fake clock's first reading."""

CONTRACT = load_contract()
REQUIREMENTS = load_requirements()
DEFAULTS = load_profile()

REFUSED_401 = phrase("answer-status", status=401, reason="Unauthorized")
"""Why a control is refused."""

Reply = Callable[[Action, float], Iterable[Happening]]


def scenario(*steps: Mapping[str, Any], procedures: Any = None, **members: Any) -> Scenario:
    """A scenario of these steps, by the way of a file."""
    one = {"id": "it", "title": "It", "verifies": ["SEND-01"], **members, "steps": list(steps)}
    document = {"format": "wsproof.scenarios/1", "procedures": procedures or {}, "scenarios": [one]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "it.yaml"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        (loaded,) = read_scenarios(path)
    return loaded


def text(t: float, actor: str, data: str | bytes, opcode: int = Opcode.TEXT) -> Received:
    """A message of the server, `t` seconds after the start."""
    raw = data if isinstance(data, bytes) else data.encode()
    return Received(START + t, actor, opcode, raw)


def message(t: float, actor: str, event: str, payload: Any = None, **members: Any) -> Received:
    """An envelope of the server, `t` seconds after the start."""
    value = {"event": event, "payload": {} if payload is None else payload, **members}
    return text(t, actor, json.dumps(value, ensure_ascii=False))


def pong(t: float, actor: str, data: bytes) -> Control:
    return Control(START + t, actor, Opcode.PONG, data)


def close(t: float, actor: str, code: int | None, reason: str = "") -> CloseReceived:
    return CloseReceived(START + t, actor, code, reason)


def ended(t: float, actor: str) -> Ended:
    return Ended(START + t, actor, "eof")


def alive(action: Action, now: float) -> Iterable[Happening]:
    """A server that answers at once when it is asked for a sign of life."""
    if isinstance(action, Send) and any(frame.payload == b"lag-probe" for frame in action.frames):
        yield pong(now - START, action.actor, b"lag-probe")


@dataclass(frozen=True, slots=True)
class Played:
    """The outcome, and what the engine did, each with the fake clock's time since the start."""

    outcome: Outcome
    actions: tuple[tuple[float, Action], ...]

    def sent(self, actor: str = "alice") -> list[tuple[float, Any]]:
        """Time and value of every JSON text that an actor sent."""
        return [
            (t, json.loads(frame.payload))
            for t, action in self.actions
            if isinstance(action, Send) and action.actor == actor
            for frame in action.frames
            if frame.opcode == Opcode.TEXT
        ]

    def closes(self) -> list[tuple[str, int | None]]:
        """Who closed with what code."""
        return [(one.actor, one.code) for _, one in self.actions if isinstance(one, Close)]

    def noted(self, kind: str) -> list[Text]:
        """The transcript's lines of one kind."""
        return [entry.data for entry in self.outcome.record.entries if entry.kind == kind]

    def charges(self) -> list[tuple[tuple[str, ...], str | None]]:
        """What the failures are charged to."""
        return [(one.charge.requirements, one.charge.level) for one in self.outcome.failures]


class _Clock:
    """The transport's part: hands out what is due, and lets the time pass where nothing is."""

    def __init__(
        self,
        happenings: Iterable[Happening],
        *,
        accept: bool,
        reply: Reply | None,
        oversleep: float = 0.0,
        controls: Iterable[bool] = (),
    ) -> None:
        self.now = START
        self.oversleep = oversleep
        self.accept = accept
        self.controls = iter(controls)
        self.reply = reply
        self.opened: set[str] = set()
        self.numbers = itertools.count()
        self.queue: list[tuple[float, int, Happening]] = []
        self.actions: list[tuple[float, Action]] = []
        for happening in happenings:
            self.push(happening)

    def push(self, happening: Happening) -> None:
        heapq.heappush(self.queue, (happening.t, next(self.numbers), happening))

    def perform(self, action: Action) -> Happening:
        """As the transport does: only a wait gives anything but the time."""
        if isinstance(action, Wait):
            return self.wait(action.deadline)
        self.actions.append((round(self.now - START, 6), action))
        if isinstance(action, Open):
            if action.actor in self.opened:
                self.retire(action.actor)
            self.opened.add(action.actor)
            if action.actor == CONTROL:
                self.control()
            elif self.accept:
                opened = Opened(self.now, action.actor, (), None, action.request.deflate is not None)
                heapq.heappush(self.queue, (self.now, -1, opened))
        for happening in self.reply(action, self.now) if self.reply is not None else ():
            self.push(happening)
        return Tick(self.now)

    def control(self) -> None:
        """Answer a connection beside a refusal: it is acknowledged at once, or refused."""
        if next(self.controls, True):
            self.push(Opened(self.now, CONTROL, (), None))
            self.push(message(self.now - START, CONTROL, "connection_ack", {"sessionId": "control"}))
        else:
            self.push(Refused(self.now, CONTROL, "status", 401, (), b"", REFUSED_401))

    def retire(self, actor: str) -> None:
        """What the former connection left behind is forgotten."""
        self.queue = [
            one for one in self.queue if isinstance(one[2], Tick) or one[2].actor != actor or one[0] > self.now
        ]
        heapq.heapify(self.queue)

    def wait(self, deadline: float) -> Happening:
        # Before its connection is there, nothing can happen to an actor.
        early = [one for one in self.queue if not isinstance(one[2], Tick) and one[2].actor not in self.opened]
        due = [one for one in self.queue if one not in early and one[0] <= max(deadline, self.now)]
        if not due:
            self.now = max(self.now, deadline + self.oversleep)
            return Tick(self.now)
        first = min(due)
        self.queue.remove(first)
        heapq.heapify(self.queue)
        self.now = max(self.now, first[0])
        return first[2]


def setting_of(profile: Profile = DEFAULTS, time_scale: float = 1.0, **members: Any) -> Setting:
    """What a scenario is played with."""
    return Setting(CONTRACT, REQUIREMENTS, profile, lambda name: f"channel-{name}", time_scale, "/v1/socket", **members)


def played(
    one: Scenario,
    *happenings: Happening,
    profile: Profile = DEFAULTS,
    accept: bool = True,
    reply: Reply | None = alive,
    time_scale: float = 1.0,
    oversleep: float = 0.0,
    controls: Iterable[bool] = (),
    setting: Setting | None = None,
) -> Played:
    """Play a scenario to its end. Every handshake is accepted at once, unless `accept` is false.

    `controls` says which of the connections beside a refusal are accepted, one after the other; all, where it ends.
    `reply` is asked at every action of the engine for happenings that it causes. `oversleep` is how late, in seconds,
    the tester wakes from every wait.
    """
    setting = setting or setting_of(profile, time_scale)
    clock = _Clock(happenings, accept=accept, reply=reply, oversleep=oversleep, controls=controls)
    script = play(one, setting)
    try:
        action = next(script)
        while True:
            action = script.send(clock.perform(action))
    except StopIteration as stop:
        return Played(stop.value, tuple(clock.actions))


CONNECT = {"connect": {"actor": "alice"}, "requirement": "CONN-01"}
