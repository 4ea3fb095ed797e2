"""A server and a check of it, each in a process of its own, and the verdicts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HEARTBEAT = ("--set", "heartbeat.interval=1s", "--set", "heartbeat.timeout=2s")


@dataclass(frozen=True, slots=True)
class Server:
    """A running `wsproof serve`."""

    url: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Its TCP port."""
        return int(self.url.partition("://")[2].partition("/")[0].rpartition(":")[2])


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a check said: the overall word, and the verdict of every requirement and scenario, with its reason."""

    overall: str
    of: dict[str, str]
    reasons: dict[str, str | None]
    duration: float

    def differences(self, other: "Verdicts") -> dict[str, str]:
        """What is judged in another way, with the reason here."""
        return {
            name: f"{other.of.get(name)} became {verdict}: {self.reasons.get(name)}"
            for name, verdict in self.of.items()
            if other.of.get(name) != verdict
        }


@contextmanager
def serving(*options: str) -> Iterator[Server]:
    """`wsproof serve` on a free port, with a heartbeat of one second."""
    command = [sys.executable, "-m", "wsproof", "serve", "--port", "0", *HEARTBEAT, *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("listening on "), line
        yield Server(line.removeprefix("listening on ").strip(), process)
    finally:
        process.terminate()
        process.communicate()


def checked(url: str, *options: str, profile: Sequence[str] = HEARTBEAT) -> Verdicts:
    """`wsproof check URL`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "wsproof", "check", url, *profile, "--output", folder, *options]
        check = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        try:
            document = json.loads((Path(folder) / "results.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise AssertionError(check.stdout + check.stderr) from None
    entries = [*document["requirements"], *document["scenarios"]]
    return Verdicts(
        document["verdict"],
        {one["id"]: one["verdict"] for one in entries},
        {one["id"]: one["reason"] for one in entries},
        document["duration_s"],
    )
