"""Builds the steps of a scenario."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.language.awaited import Alternative, ExpectOne
from conformance.language.deed import Charge, Deed, Duration
from conformance.language.deeds import SendMessage
from conformance.language.loading import RoleSteps
from conformance.language.observing import ExpectAlive
from conformance.language.scenario import Step
from contract.findings import phrase
from contract.model import Contract
from contract.templates import owned

USER = "alice"
"""The user of every actor."""

NOBODY = "none"
"""The token of whoever has none."""


class Script:
    """The steps of one scenario, in order. `roles` opens connections, and probes them."""

    def __init__(self, contract: Contract, roles: RoleSteps) -> None:
        self.contract = contract
        self.roles = roles
        self.steps: list[Step] = []

    def add(self, verb: str, deed: Deed, charge: Charge | None = None, what: str = "") -> None:
        """Add a step. `verb` and `what` name it to people."""
        subject = getattr(deed, "actor", "")
        parts = (str(len(self.steps) + 1), subject, phrase(f"verb-{verb}"), what)
        label = phrase("step", parts=[part for part in parts if part])
        self.steps.append(Step(deed, charge or Charge(), label))

    def open(self, actor: str) -> None:
        """A connection, acknowledged where the contract has an acknowledgement."""
        self.steps += self.roles.call("open", actor, len(self.steps))

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
        if self.contract.roles.probe is None:
            self.add("expect-alive", ExpectAlive(actor), charge)
            return
        self.steps += (replace(one, charge=charge) for one in self.roles.call("prepare", actor, len(self.steps)))

    def outcome(
        self, actor: str, alternatives: Sequence[Alternative], charge: Charge, within: Duration = "response_timeout"
    ) -> None:
        """One of several permitted outcomes."""
        self.add("expect-one", ExpectOne(actor, tuple(alternatives), within), charge)
