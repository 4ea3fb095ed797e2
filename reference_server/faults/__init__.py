"""Servers with one known fault each, to test the tester: every requirement that a server can break is broken here."""

from difflib import get_close_matches

from reference_server.faults import (
    authentication,
    closing,
    closing_frames,
    compression,
    connecting,
    contents,
    encoding,
    errors,
    framing,
    heartbeat,
    joining,
    limits,
    long_run,
    messages,
    names,
    posting,
    racing,
    receiving,
    refusals,
    rejoining,
    unread,
)
from reference_server.faults.fault import FAULTS, Fault
from reference_server.faults.under_load import SUBJECTS

SECTIONS = ("CONN", "AUTH", "HB", "ENV", "JOIN", "SEND", "ERR", "CLOSE", "WIRE")

GROUPS = (
    connecting,
    authentication,
    heartbeat,
    messages,
    joining,
    rejoining,
    names,
    posting,
    racing,
    unread,
    contents,
    receiving,
    refusals,
    errors,
    closing,
    framing,
    encoding,
    closing_frames,
    limits,
    compression,
    long_run,
    *SUBJECTS,
)
"""The modules that register their faults by being imported."""


class UnknownFaultError(ValueError):
    """There is no fault of that name."""


def catalogue() -> tuple[Fault, ...]:
    """All faults that a check finds, in the order of the requirements that they break."""
    return tuple(sorted((one for one in FAULTS.values() if not one.under_load), key=_place))


def catalogue_under_load() -> tuple[Fault, ...]:
    """All faults that only a load test finds, in the same order."""
    return tuple(sorted((one for one in FAULTS.values() if one.under_load), key=_place))


def _place(fault: Fault) -> tuple[int, str]:
    requirement = fault.breaks[0]
    return SECTIONS.index(requirement.partition("-")[0]), requirement


def find(name: str) -> Fault:
    """The fault of this name. Raises `UnknownFaultError`, which lists the nearest names."""
    if name in FAULTS:
        return FAULTS[name]
    near = get_close_matches(name, FAULTS, n=5, cutoff=0.4)
    hint = f"; did you mean {', '.join(near)}?" if near else ""
    raise UnknownFaultError(f"there is no fault {name!r}{hint}")
