"""What may stand before an endpoint: a gateway that wants credentials of its own with every request."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

REFUSAL = "HTTP/1.1 401 {reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def headers_of(head: bytes) -> dict[str, str]:
    """The headers of a request by their names in lower case; one that stands twice has both its values."""
    found: dict[str, str] = {}
    for line in head.decode("iso-8859-1").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            found[name.lower()] = ", ".join(filter(None, (found.get(name.lower()), value.strip())))
    return found


class Gateway:
    """A door for `tests.evidence.edge`: passes on what has the wanted headers, answers all else with 401.

    `cookies` must stand among those of the one Cookie header. What was turned away is kept.
    """

    def __init__(self, wanted: Mapping[str, str], cookies: Iterable[str] = (), reason: str = "Unauthorized") -> None:
        self.wanted = {name.lower(): value for name, value in wanted.items()}
        self.cookies = set(cookies)
        self.reason = reason
        self.passed = 0
        self.turned_away: list[bytes] = []
        self.command_lines: set[str] = set()

    def __call__(self, head: bytes) -> bytes | None:
        """The answer to one request; None passes it on."""
        if not self.passed:
            self.command_lines |= command_lines()
        found = headers_of(head)
        brought = set(found.get("cookie", "").split("; "))
        if self.wanted.items() <= found.items() and self.cookies <= brought:
            self.passed += 1
            return None
        self.turned_away.append(head)
        return REFUSAL.format(reason=self.reason).encode()


def command_lines() -> set[str]:
    """Those of all processes, as `ps` shows them to everybody."""
    found = set()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                found.add(Path("/proc", name, "cmdline").read_bytes().decode("utf-8", "replace"))
            except OSError:
                continue  # it has ended
    return found
