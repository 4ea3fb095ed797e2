"""What a scenario is judged by: its record, with the contract and the profile."""

from collections import Counter
from dataclasses import dataclass, field

from conformance.play.record import Record
from contract.model import Contract
from contract.profile import Profile


@dataclass(frozen=True, slots=True)
class History:
    """A scenario's record, with what it is judged by. `scale` stretches the profile's durations."""

    record: Record
    contract: Contract
    profile: Profile
    offset: float
    """Seconds to add to a message's time to get UNIX time."""
    scale: float = 1.0
    chances: Counter[str] = field(default_factory=Counter)

    def chance(self, check: str, message: str | None = None, times: int = 1) -> None:
        """A check looked at something that might have been wrong."""
        self.chances[check] += times
        if message is not None:
            self.chances[f"{check}:{message}"] += times
