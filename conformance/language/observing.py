"""What only generated scenarios do: await replies, ask for a sign of life, and look at what a contract leaves open."""

from dataclasses import dataclass
from typing import ClassVar

from conformance.language.deed import Deed, Duration
from contract.findings import Phrase


@dataclass(frozen=True, slots=True)
class Observe(Deed):
    """Note what the endpoint does next, for so long at most. It decides nothing, and nothing can be wrong.

    `what` says what was done before, to people.
    """

    can_fail: ClassVar[bool] = False

    actor: str
    what: Phrase
    duration: Duration = "quiet_period"


@dataclass(frozen=True, slots=True)
class ExpectAlive(Deed):
    """A ping frame is answered, or the connection stays open for so long."""

    actor: str
    duration: Duration = "quiet_period"


@dataclass(frozen=True, slots=True)
class ExpectReplies(Deed):
    """Each request of the actor that a reply is owed to gets its last one, or an error."""

    actor: str
