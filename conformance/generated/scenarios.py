"""The scenarios that a contract gives by itself."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from conformance.generated.harmless import bases, examples
from conformance.generated.mistakes import Mistake, mistakes
from conformance.generated.script import NOBODY, USER, Script
from conformance.generated.titles import titles
from conformance.language.awaited import Alternative, ExpectClose, ExpectHeartbeat, ExpectOpen, ExpectRefusal
from conformance.language.deed import Charge
from conformance.language.deeds import CloseConnection, Connect, SendRaw
from conformance.language.loading import RoleSteps
from conformance.language.matching import ANYTHING
from conformance.language.observing import ExpectAlive, ExpectReplies, Observe
from conformance.language.scenario import Actor, Scenario
from conformance.play.charges import charge_of
from contract.findings import phrase
from contract.folder import GENERIC
from contract.model import Contract
from contract.paths import nested
from contract.requirements import Requirement
from contract.roles import Acknowledgement, Outcome, Outcomes, Request

PREFIX = "generated"
TAG = "contract"
"""The tag of every scenario that nobody wrote."""

_UNREADABLE = re.compile(r"[^A-Za-z0-9_./-]+")
"""What an id cannot hold."""

MOST_OVERDUE = 2.0
"""A client that says nothing may be closed so many times later than declared."""

ALICE = Actor("alice", USER)


def generated_scenarios(contract: Contract, requirements: Mapping[str, Requirement]) -> tuple[Scenario, ...]:
    """Those of a contract that includes the pack of generic requirements; of others, none."""
    path = origin(contract)
    if path is None:
        return ()
    found: dict[str, Scenario] = {}
    for one in _Maker(contract, requirements, path).all():
        # Of names that are the same but for what an id cannot hold, the first one is tried.
        found.setdefault(one.id, one)
    return tuple(found.values())


def origin(contract: Contract) -> Path | None:
    """The file that stands for the generated scenarios where one is asked for; None: there are none."""
    folder = contract.folder
    if all(one.name != GENERIC for one in folder.packs):
        return None
    return folder.asyncapi or (folder.document.path if folder.document is not None else None)


class _Maker:
    """Makes the scenarios of one contract."""

    def __init__(self, contract: Contract, requirements: Mapping[str, Requirement], path: Path) -> None:
        self.contract = contract
        self.roles = contract.roles
        self.requirements = requirements
        self.path = path
        self.procedures = RoleSteps(contract)
        self.connected = self.charge("handshake") or Charge()
        self.acknowledged = self.charge("acknowledged")

    def all(self) -> Iterator[Scenario]:
        """All of them."""
        yield from self._connecting()
        yield from self._heartbeats()
        yield from self._answers()
        for one in mistakes(self.contract):
            # Where nothing says what a message is, nothing is one by mistake.
            if self.contract.events or one.cause in self.roles.errors.reactions:
                yield self._mistake(one)

    # Parts

    def charge(self, check: str) -> Charge | None:
        """The clause that a check decides; None: the contract has none for it."""
        return charge_of(self.requirements, check)

    def script(self, *actors: str) -> Script:
        """The steps that open a connection for each actor."""
        script = Script(self.contract, self.procedures)
        for actor in actors:
            script.open(actor)
        return script

    def scenario(
        self,
        name: str,
        script: Script,
        charges: Iterable[Charge | None],
        *,
        title: tuple[str, str],
        actors: tuple[Actor, ...] = (ALICE,),
        tags: tuple[str, ...] = (),
        needs: tuple[str, ...] = (),
    ) -> Scenario:
        """A scenario that is there to decide these clauses."""
        verifies = tuple(dict.fromkeys(one for charge in charges if charge for one in charge.requirements))
        named = verifies or self.connected.requirements
        group = self.requirements[named[0]].section.id if named else ""
        english, japanese = title
        return Scenario(
            id=f"{PREFIX}-{_UNREADABLE.sub('-', name)}",
            title=english,
            title_ja=japanese,
            group=group,
            verifies=verifies,
            needs=needs,
            tags=(TAG, *tags),
            actors=actors,
            steps=tuple(script.steps),
            path=self.path,
            line=1,
        )

    # Connecting

    def _connecting(self) -> Iterator[Scenario]:
        script = self.script("alice")
        script.add("expect-alive", ExpectAlive("alice"), self.connected)
        decided = (self.connected, self.charge("subprotocol"))
        yield self.scenario("connects", script, decided, title=titles("connects"))
        refused = self.charge("refused")
        if refused is not None and self.roles.authentication is not None:
            yield self._refused(refused, self.roles.authentication.refused)
        role = self.roles.acknowledgement
        if self.acknowledged is not None and role is not None:
            yield self._acknowledged(self.acknowledged)
            if role.send is not None:
                yield from self._asking(role)

    def _refused(self, charge: Charge, refused: Outcomes) -> Scenario:
        graded = self.charge("refused-as-declared")
        script = self.script()
        script.add("connect", Connect("alice", token=NOBODY, accepted=False))
        expected = ExpectRefusal(
            "alice",
            tuple(status for one in refused for status in one.status),
            tuple(code for one in refused for code in one.close),
            graded.requirements if graded is not None else (),
        )
        script.add("expect-refusal", expected, charge)
        title = titles("refused-without-credentials")
        return self.scenario("refused-without-credentials", script, (charge, graded), title=title)

    def _acknowledged(self, charge: Charge) -> Scenario:
        """Two connections of a user: side by side, or one after the other where a user may have only one."""
        checks = [self.charge(one) for one in ("acknowledged-first", "acknowledged-once", "session-unique")]
        script = self.script("alice")
        if self.roles.sessions_per_user is not None:
            script.add("close", CloseConnection("alice", answered=False))
        script.open("second")
        script.add("expect-alive", ExpectAlive("second"), charge)
        actors = (ALICE, Actor("second", USER))
        return self.scenario("acknowledged", script, (charge, *checks), title=titles("acknowledged"), actors=actors)

    def _asking(self, role: Acknowledgement) -> Iterator[Scenario]:
        """A client that asks for its acknowledgement too late, never, or again."""
        early, overdue, again = map(self.charge, ("acknowledged-before", "acknowledged-due", "acknowledged-again"))
        message = next((one.message for one in bases(self.contract).values()), None)
        if early is not None and message is not None:
            script = self.script()
            script.add("connect", Connect("alice"), self.connected)
            script.send("alice", message)
            script.outcome("alice", self._alternatives(role.before), early)
            yield self.scenario("early", script, (early,), title=titles("early"))
        if overdue is not None:
            script = self.script()
            script.add("connect", Connect("alice"), self.connected)
            within = (role.due_within or 0.0) * MOST_OVERDUE + 1.0
            script.outcome("alice", self._alternatives(role.due), overdue, within)
            yield self.scenario("overdue", script, (overdue,), title=titles("overdue"), tags=("slow",))
        if again is not None:
            script = self.script("alice")
            script.ask("alice")
            script.outcome("alice", self._alternatives(role.again), again)
            yield self.scenario("again", script, (again,), title=titles("again"))

    # Heartbeats

    def _heartbeats(self) -> Iterator[Scenario]:
        beat = self.contract.heartbeat
        period, alive, mute = map(self.charge, ("heartbeat-period", "alive-while-answering", "closed-when-mute"))
        slow: dict[str, Any] = {"tags": ("slow",), "needs": ("heartbeat",)}
        if beat is not None and period is not None:
            script = self.script("alice")
            script.add("expect-heartbeat", ExpectHeartbeat("alice", 2), period)
            yield self.scenario("heartbeats", script, (period,), title=titles("heartbeats"), **slow)
        if beat is not None and beat.every is not None and alive is not None:
            script = self.script("alice")
            script.add("expect-open", ExpectOpen("alice", "heartbeat_watch"), alive)
            yield self.scenario("heartbeats-answered", script, (alive,), title=titles("heartbeats-answered"), **slow)
        if beat is not None and beat.every is not None and mute is not None:
            codes = tuple(code for one in beat.mute for code in one.close)
            script = self.script("alice")
            script.add("expect-close", ExpectClose("alice", codes, "heartbeat_limit", after="first_ping"), mute)
            ignoring = (Actor("alice", USER, "ignore"),)
            title = titles("heartbeats-unanswered")
            yield self.scenario("heartbeats-unanswered", script, (mute,), title=title, actors=ignoring, **slow)
        yield from self._client_heartbeats()

    def _client_heartbeats(self) -> Iterator[Scenario]:
        answered = self.charge("heartbeat-answered")
        for beat in self.roles.heartbeats if answered is not None else ():
            ping = beat.ping_message or self.contract.example(beat.ping.name)
            if beat.by == "server" or beat.answer is None or ping is None:
                continue
            script = self.script("alice")
            script.send("alice", ping)
            script.add("expect-alive", ExpectAlive("alice"), answered)
            name, title = f"client-heartbeat/{beat.ping.name}", titles("client-heartbeat", beat.ping.name)
            yield self.scenario(name, script, (answered,), title=title)

    # Requests

    def _answers(self) -> Iterator[Scenario]:
        reply, replied = self.charge("reply"), self.charge("replied")
        checks = [self.charge(one) for one in ("reply-id", "reply-once")]
        for one in examples(self.contract):
            script = self.script("alice")
            script.send("alice", one.message)
            name, title = f"answer/{one.name}", titles("answer", one.name)
            if one.request is not None and reply is not None:
                script.add("expect-reply", ExpectReplies("alice"), reply, one.name)
                script.add("expect-alive", ExpectAlive("alice"), reply)
                yield self.scenario(name, script, (reply, *checks), title=title)
            elif replied is not None and self.contract.events[one.name].replies:
                # Nothing tells which of two it would answer: only one is sent.
                names = (*self.contract.events[one.name].replies, *(error for error, _ in self._errors(None)))
                script.outcome("alice", [Alternative(each) for each in dict.fromkeys(names)], replied)
                script.add("expect-alive", ExpectAlive("alice"), replied)
                yield self.scenario(name, script, (replied,), title=title)
            else:
                script.add("observe", Observe("alice", phrase("observed-example", event=one.name)))
                yield self.scenario(name, script, (), title=title)

    # Invalid messages

    def _mistake(self, one: Mistake) -> Scenario:
        charge = self.charge(f"reaction-{one.cause}")
        reactions = self.roles.errors.reactions.get(one.cause, ())
        alternatives = self._alternatives(reactions, one.request) if charge is not None else []
        script = self.script("alice")
        if self.roles.acknowledgement is None and not alternatives:
            # What a server says first is no reaction.
            script.add("expect-alive", ExpectAlive("alice"), self.connected)
        if one.text is not None or one.binary is not None:
            script.add("send-raw", SendRaw("alice", text=one.text, binary=one.binary))
        else:
            script.send("alice", one.value)
        name, title = f"invalid/{one.id}", titles(one.kind, one.name, one.member)
        if charge is None or not alternatives:
            english, japanese = title
            script.add("observe", Observe("alice", phrase("said", en=english, ja=japanese)))
            return self.scenario(name, script, (), title=title)
        script.outcome("alice", alternatives, charge)
        alive = self.charge("alive-after-error") or charge
        if any(not alternative.enough for alternative in alternatives):
            script.alive("alice", alive)
        return self.scenario(name, script, (charge,), title=title)

    def _alternatives(self, outcomes: Outcomes, request: Request | None = None) -> list[Alternative]:
        """The permitted outcomes; after a close frame, there is nothing more to see."""
        found = []
        for outcome in outcomes:
            if outcome.error:
                found += [Alternative(name, self._match(outcome, path)) for name, path in self._errors(request)]
            if outcome.close:
                found.append(Alternative(close=outcome.close, enough=True))
        return found

    def _match(self, outcome: Outcome, path: str | None) -> Mapping[str, Any]:
        """What an error must match: its code. The profile may have another name for one that the contract lists."""
        if outcome.code is None or path is None:
            return ANYTHING
        known = outcome.code in self.roles.errors.codes
        found: Mapping[str, Any] = nested(path, {"$error_code": outcome.code} if known else outcome.code)
        return found

    def _errors(self, request: Request | None) -> Iterator[tuple[str, str | None]]:
        """The messages that report an error, each with the path of its code."""
        errors = self.roles.errors
        if errors.name is not None:
            yield errors.name, errors.code
        for reply in request.replies if request is not None else ():
            if reply.failure and reply.name != errors.name:
                yield reply.name, None
