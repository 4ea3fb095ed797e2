"""What reading and validating one message takes with each of the libraries that can do it.

`python -m benchmarks.validation` prints the microseconds of CPU of each for a delivery of some 270 bytes: the best of
thirty rounds, since others' work inflates CPU time.
"""

import time
from collections.abc import Callable

from contract.json_text import parse_json
from contract.model import load_contract
from contract.typed import Typed

EVENT = "new_message"
MESSAGE = (
    b'{"event":"new_message","sequence":12345,"payload":{"channelId":"load-room-1","message":{"id":"m-5f0c9a7e",'
    b'"text":"1234567800100000011234500000001 under load under load under load under load",'
    b'"author":{"id":"user-1","name":"User 1"},"timestamp":"2026-11-30T11:22:33.444Z"}}}'
)
ROUNDS = 30
ROUND_SECONDS = 0.02


def best(work: Callable[[], object]) -> float:
    """Microseconds of CPU that a call takes in the best round."""
    seconds, times = 0.0, 1
    while seconds < ROUND_SECONDS:
        times *= 2
        seconds = spent(work, times)
    return min(spent(work, times) for _ in range(ROUNDS)) / times * 1e6


def spent(work: Callable[[], object], times: int) -> float:
    """CPU seconds that so many calls take."""
    began = time.process_time()
    for _ in range(times):
        work()
    return time.process_time() - began


def main() -> None:
    """Print the table."""
    contract = load_contract(None)
    validator, value = contract.events[EVENT].message, parse_json(MESSAGE.decode())
    hasty, whole = Typed(contract, EVENT).decode, Typed(contract).decode
    works: dict[str, Callable[[], object]] = {
        "msgspec, into types, date-times known": lambda: hasty(MESSAGE),
        "msgspec, into types, date-times by their pattern": lambda: whole(MESSAGE),
        "reading the JSON strictly": lambda: parse_json(MESSAGE.decode()),
        "jsonschema-rs": lambda: validator.passes(value),
        "jsonschema": lambda: list(validator.judge.iter_errors(value)),
    }
    print(f"| {len(MESSAGE)} bytes | µs of CPU |\n| --- | ---: |")
    for name, work in works.items():
        print(f"| {name} | {best(work):.2f} |", flush=True)


if __name__ == "__main__":
    main()
