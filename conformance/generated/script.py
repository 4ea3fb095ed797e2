"""Builds the steps of a scenario: how any contract's connection is opened, and how it shows that it lives."""

from collections.abc import Sequence
from typing import Any

from conformance.generated.harmless import standing_in
from conformance.language.awaited import Alternative, Expect, Expectation, ExpectOne
from conformance.language.deed import Charge, Deed, Duration
from conformance.language.deeds import Connect, SendMessage
from conformance.language.observing import ExpectAlive
from conformance.language.scenario import Step
from contract.findings import phrase
from contract.model import Contract
from contract.roles import Awaited
from contract.templates import owned, replaced

USER = "alice"
"""The user of every actor."""

NOBODY = "none"
"""The token of whoever has none."""


class Script:
    """The steps of one scenario, in order."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.steps: list[Step] = []

    def add(self, verb: str, deed: Deed, charge: Charge | None = None, what: str = "") -> None:
        """Add a step. `verb` and `what` name it to people."""
        subject = getattr(deed, "actor", "")
        parts = (str(len(self.steps) + 1), subject, phrase(f"verb-{verb}"), what)
        label = phrase("step", parts=[part for part in parts if part])
        self.steps.append(Step(deed, charge or Charge(), label))

    def connect(self, actor: str, charge: Charge) -> None:
        """A handshake that must be accepted."""
        roles = self.contract.roles
        travels = roles.authentication is not None and roles.authentication.where not in ("message", "none")
        self.add("connect", Connect(actor, token=None if travels else NOBODY), charge)

    def open(self, actor: str, connected: Charge, acknowledged: Charge | None) -> None:
        """A connection, acknowledged where the contract has an acknowledgement."""
        self.connect(actor, connected)
        role = self.contract.roles.acknowledgement
        if role is None:
            return
        self.ask(actor)
        within = "ack_timeout"
        self.add("expect", Expect(actor, (expectation(role.expect),), False, within), acknowledged, role.expect.name)

    def ask(self, actor: str) -> None:
        """What asks for the acknowledgement."""
        role = self.contract.roles.acknowledgement
        if role is not None and role.send is not None:
            self.send(actor, owned(role.send, USER))

    def send(self, actor: str, message: Any) -> None:
        """A message of the contract's."""
        self.add("send", SendMessage(actor, message), what=self.contract.name_of(message, "client") or "")

    def alive(self, actor: str, charge: Charge) -> None:
        """A sign of life: the probe where there is one, else that the connection stays open."""
        probe = self.contract.roles.probe
        if probe is None or probe.send is None:
            self.add("expect-alive", ExpectAlive(actor), charge)
            return
        for one in probe.prepare:
            if "send" in one:
                self.send(actor, replaced(one["send"], standing_in))
        self.send(actor, replaced(probe.send, standing_in))
        for awaited in probe.expect:
            self.add("expect", Expect(actor, (expectation(awaited),), False, "response_timeout"), charge, awaited.name)

    def outcome(
        self, actor: str, alternatives: Sequence[Alternative], charge: Charge, within: Duration = "response_timeout"
    ) -> None:
        """One of several permitted outcomes."""
        self.add("expect-one", ExpectOne(actor, tuple(alternatives), within), charge)


def expectation(awaited: Awaited) -> Expectation:
    """A message that is awaited, as a step has it."""
    return Expectation(awaited.name, replaced(awaited.match or {}, standing_in), {})
