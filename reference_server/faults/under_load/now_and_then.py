"""What all faults of this package share: they count, so that each run meets them as often as the next one."""

from reference_server.core.hooks import Hook


class NowAndThen(Hook):
    """Counts whatever a fault counts, over all connections."""

    every = 1

    def __init__(self) -> None:
        super().__init__()
        self._turns = 0

    def is_due(self) -> bool:
        """Count one more; whether it is the `every`th, or a multiple of it."""
        self._turns += 1
        return self._turns % self.every == 0
