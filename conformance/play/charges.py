"""Which requirement a finding is charged to: code knows checks by name, and the contract says what they decide."""

from collections.abc import Mapping

from conformance.language.deed import Charge
from contract.requirements import Requirement


def charge_of(requirements: Mapping[str, Requirement], check: str) -> Charge | None:
    """The clause that a check decides, whatever message it looks at; None: the contract has none for it."""
    for one in requirements.values():
        for clause in one.clauses:
            if check in clause.by_steps or any(use.covers(check, None, ()) for use in clause.checks):
                return Charge((one.id,), clause.level)
    return None
