"""Which requirement a finding is charged to: code knows checks by name, and the contract says what they decide."""

from collections.abc import Mapping

from conformance.language.deed import Charge
from contract.requirements import Requirement, deciding


def charge_of(requirements: Mapping[str, Requirement], check: str) -> Charge | None:
    """The clause that a check decides, whatever message it looks at; None: the contract has none for it."""
    found = deciding(requirements, check)
    return Charge((found[0],), found[1]) if found is not None else None
