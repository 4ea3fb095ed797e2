"""What would fail a right server, or could never fail a wrong one: found where it is written, before anything runs.

One pass over the expanded steps of a scenario, in order. A step is looked at with variants and parameters put in,
against its verb's schema, the contract, and what the steps before it sent, captured and closed. Two rules:

- A nonce that an expectation names was sent before it. For `expect_nothing` it is enough that some variant sends it.
- What the contract does not allow, an unknown event for instance, is sent by `send` only in a scenario in which some
  step expects the error event; `send_raw` sends anything.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from conformance.language import expectations
from conformance.language.deeds import message_of
from conformance.language.places import once
from conformance.language.references import meant, reference_flaws, references
from conformance.language.requests import as_sent, request_flaws
from conformance.language.samples import Samples, size_flaws
from conformance.language.satisfiable import Flaw, Where
from conformance.language.scenario import DURATIONS, Scenario, Written, flat
from conformance.language.values import FIXED_TOKENS
from contract.durations import seconds
from contract.errors import ContractError
from contract.mistakes import mistakes
from contract.model import Contract
from contract.plain_words import near
from contract.probes import probe_of
from contract.profile import load_profile
from contract.schemas import SCHEMAS, Validator, compile_schema

GENERATED = ("message", "event")
"""What stands for a generated message, and for its event, in a scenario with the tag `generated`."""

NEW = ("nonce", "uuid", "counter")
"""References by which a scenario tells what it sent from what others did."""

OPENING = ("connect", "expect_nothing", "pace", "pause", "backoff")
"""Verbs that need no connection; of two actors of an `expect_nothing`, one may not have begun."""

WRITING = ("send", "request", "send_raw", "ping", "close", "drop", "expect_open", "expect_heartbeat", "expect_pong")
"""Verbs for which a connection must be open."""


@dataclass(slots=True)
class _Past:
    """What the steps so far did."""

    captured: set[str] = field(default_factory=set)
    nonces: set[str] = field(default_factory=set)
    connections: dict[str, str] = field(default_factory=dict)
    """By actor, what closed its connection; empty while it may be open."""


def unsound(scenarios: Iterable[Scenario], contract: Contract) -> list[ContractError]:
    """What is wrong with the scenarios, each once and at its place, in the order of the files."""
    readings = [_Reading(one, contract) for one in scenarios]
    sent: dict[tuple[Path, int], set[str]] = {}
    for one in readings:
        sent.setdefault(one.definition, set()).update(*(_nonces(step.body) for step in one.steps if _sends(step)))
    return once(error for one in readings for error in one.errors(sent[one.definition]))


class _Reading:
    """One scenario's pass."""

    def __init__(self, scenario: Scenario, contract: Contract) -> None:
        self.scenario = scenario
        self.contract = contract
        self.definition = (scenario.path, scenario.line)
        self.steps = tuple(step.written for step in flat(scenario.steps) if step.written is not None)
        self.generated = "generated" in scenario.tags
        self.past = _Past()
        error = contract.errors.name
        self.users = _users(contract)
        self.may_break = error is None or any(
            event == error
            for step in self.steps
            if step.verb != "expect_nothing"
            for _, event in expectations.events(step)
        )

    def errors(self, sent: set[str]) -> Iterator[ContractError]:
        """Everything that is wrong, in order. `sent` has the nonces that any variant of the scenario sends."""
        yield from self._actors()
        for step in self.steps:
            for path, text in self._flaws(step, sent):
                yield step.source.error(f"{step.verb}: {text}", step.verb, *path)
            self._remember(step)

    def _flaws(self, step: Written, sent: set[str]) -> Iterator[Flaw]:
        broken = [*_schema_flaws(step)]
        yield from broken
        if broken:
            return
        yield from self._references(step)
        yield from size_flaws(step.body)
        yield from _durations(step)
        yield from self._connection(step)
        if step.verb in ("send", "request"):
            yield from self._sent(step, message_of(step.body))
            if step.verb == "request":
                yield from self._asked(step, message_of(step.body))
        elif "meanwhile" in step.body:
            yield from self._sent(step, step.body["meanwhile"])
        yield from expectations.flaws(step, self.contract)
        yield from self._unsent(step, sent)

    def _references(self, step: Written) -> Iterator[Flaw]:
        captured = {"group", *self.past.captured, *(GENERATED if self.generated else ())}
        given = self.scenario.source.given if self.scenario.source is not None else {}
        yield from reference_flaws(step.body, captured, given, self.users, sent=step.verb in ("send", "request"))

    def _connection(self, step: Written) -> Iterator[Flaw]:
        actor = step.body.get("actor")
        if actor is None or step.verb in OPENING:
            return
        closed = self.past.connections.get(actor)
        if closed is None:
            yield ("actor",), f"{actor!r} has no connection yet; connect it first (`call: open`, for instance)"
        elif closed and step.verb in WRITING:
            yield ("actor",), f"the connection of {actor!r} was closed by {closed}; connect it again first"

    def _sent(self, step: Written, message: Any) -> Iterator[Flaw]:
        if self.may_break or _has_probe(message) or any(self._is_unknown(name) for _, name in references(message)):
            return
        rendered = Samples(probe_of(self.contract)).render(message)
        flaw = _not_allowed(as_sent(self.contract, rendered) if step.verb == "request" else rendered, self.contract)
        if flaw is not None:
            path, text = flaw
            yield path, f"{text}; expect the error for it in some step, or send it with `send_raw`"

    def _asked(self, step: Written, message: Any) -> Iterator[Flaw]:
        if not any(self._is_unknown(name) for _, name in references(message)):
            yield from request_flaws(step.body, message, self.contract)

    def _is_unknown(self, reference: str) -> bool:
        """Whether only a play knows what a reference stands for, and of which type it is."""
        return reference in self.past.captured or reference.partition(".")[0] in ("user", "value")

    def _unsent(self, step: Written, sent: set[str]) -> Iterator[Flaw]:
        if self.generated or not any(expectations.expected(step)):
            return
        known = self.past.nonces | (sent if step.verb == "expect_nothing" else set())
        if step.verb == "request":
            known = known | _nonces(message_of(step.body))
        for path, name in references(step.body):
            whole = name.rpartition(":")[2]
            kind, _, nonce = whole.partition(".")
            if kind in NEW and nonce and whole not in known:
                same = {one.partition(".")[2] for one in known if one.startswith(f"{kind}.")}
                yield path, f"${{{name}}}: no step before this one sends this {kind}{near(nonce, same)}"

    def _remember(self, step: Written) -> None:
        past, body = self.past, step.body
        for capture in expectations.captures(step):
            past.captured.update(capture)
        if _sends(step):
            past.nonces |= _nonces(body)
        if step.verb == "connect":
            past.connections[body["actor"]] = ""
        elif _ends(step):
            line, _ = step.source.outermost.document.position(step.source.outermost.where)
            past.connections[body["actor"]] = f"`{step.verb}` in line {line}"

    def _actors(self) -> Iterator[ContractError]:
        used = {name for step in self.steps for name in (step.body.get("actor"), *step.body.get("actors", ()))}
        source = self.scenario.source
        for actor in self.scenario.actors:
            if source is None:
                continue
            if actor.name not in used:
                yield source.error(f"actor {actor.name!r} has no steps", "actors", actor.name)
            if actor.user not in self.users and near(actor.user, self.users):
                yield source.error(f"unknown user {actor.user!r}{near(actor.user, self.users)}", "actors", actor.name)


def _has_probe(message: Any) -> bool:
    """Whether a message is the contract's probe, which there may not be."""
    return isinstance(message, Mapping) and "$probe" in message


def _ends(step: Written) -> bool:
    """Whether the actor's connection is over behind a step, whatever the server did."""
    if step.verb == "expect_one":
        return not any(expectations.is_message(outcome) for outcome in step.body["of"])
    return step.verb in ("close", "drop", "expect_refusal") or (
        step.verb == "expect_close" and not step.body.get("optional")
    )


def _sends(step: Written) -> bool:
    return step.verb in ("connect", "send", "request", "send_raw", "ping", "close") or "meanwhile" in step.body


def _not_allowed(message: Any, contract: Contract) -> Flaw | None:
    """How a message breaks the contract, with the place in its step; None: it does not."""
    if not contract.events:
        return None
    broken = contract.check_envelope(message)
    if broken:
        return (), f"not a message of the contract ({broken[0]})"
    name = contract.name_of(message, "client")
    clients = contract.named("client")
    known = f"; clients send {', '.join(clients)}"
    if name is None:
        return (), f"not a message of the contract{known}"
    place = _name_place(contract, message)
    event = contract.events.get(name)
    if event is None:
        return place, f"the contract has no event {name!r}{near(name, clients) or known}"
    if not event.from_client:
        return place, f"{name!r} is a server event{known}"
    broken = contract.check_payload(name, message)
    if broken:
        payload = contract.payload_path(message)
        return tuple(payload.split(".")) if payload else (), (
            f"not a payload of {name!r} ({contract.placed(broken[0], message)})"
        )
    return None


def _name_place(contract: Contract, message: Any) -> Where:
    """Where a message has its name, if that is a member."""
    at = next((rule.at for rule in contract.roles.messages.name if rule.at), None)
    return (at,) if at is not None and isinstance(message, dict) and at in message else ()


def _nonces(body: Any) -> set[str]:
    names = (name.rpartition(":")[2] for _, name in references(body))
    return {name for name in names if name.partition(".")[0] in NEW}


def _durations(step: Written) -> Iterator[Flaw]:
    names = (*DURATIONS, "period") if step.verb == "pause" else DURATIONS
    for member in ("within", "for", "to_next"):
        value = step.body.get(member)
        if isinstance(value, str) and value not in names:
            try:
                seconds(value)
            except ValueError:
                yield (member,), f"unknown duration {value!r}{meant(value, names)}"


@cache
def _users(contract: Contract) -> tuple[str, ...]:
    return (*load_profile(None, contract=contract.folder).users, *FIXED_TOKENS)


@cache
def _verb_validator(verb: str) -> Validator:
    place = (SCHEMAS / "scenario.schema.json").as_uri()
    return compile_schema({"$ref": f"{place}#/$defs/verbs/{verb}"})


def _schema_flaws(step: Written) -> Iterator[Flaw]:
    """What a variant or a parameter put where it cannot stand; what the file says itself was looked at before."""
    if step.verb == "pace":
        return
    whole = {step.verb: step.body}
    for one in mistakes(_verb_validator(step.verb).iter_errors(whole), whole):
        yield one.where[1:], one.text
