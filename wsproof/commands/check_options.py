"""The options of `wsproof check`."""

from dataclasses import dataclass
from pathlib import Path

from contract.durations import seconds


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """The options of `wsproof check`."""

    select: tuple[str, ...] = ()
    deselect: tuple[str, ...] = ()
    scenarios: tuple[Path, ...] = ()
    """The user's own, beside the bundled ones."""
    only_scenarios: tuple[Path, ...] = ()
    """The user's own, alone."""
    profile: Path | None = None
    changes: tuple[str, ...] = ()
    """The profile's file, and what `--set` changed, for whoever repeats the run."""
    strict: bool = False
    require_complete: bool = False
    allow_undecided: bool = False
    baseline: Path | None = None
    write_baseline: Path | None = None
    maxfail: int | None = None
    """After how many failures the run ends."""
    time_limit: str | None = None
    """After what time it ends, as the user wrote it; in seconds: `seconds`."""
    jobs: int | None = None
    time_scale: float = 1.0
    thorough: bool = False
    fuzz: int | None = None
    seed: int = 0
    output: Path = Path("wsproof-report")
    formats: tuple[str, ...] = ()
    json_path: str | None = None
    quiet: bool = False
    language: str = "en"

    @property
    def seconds(self) -> float | None:
        """The time limit in seconds. Raises ValueError."""
        return None if self.time_limit is None else seconds(self.time_limit)
